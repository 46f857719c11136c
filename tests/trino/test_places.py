"""Where an expression may stand: subqueries, aggregates and windows in calls and TRY, names in ORDER BY, DISTINCT."""

from __future__ import annotations

import pytest

from dapflow.trino.duckdb import QueryError
from tests.trino.conftest import Run

TEXTS = "(VALUES ('20240101', 1), ('x', 2)) t(d, k)"

QUERIES = [
    # Aggregates, window functions and subqueries are computed before TRY.
    (f"SELECT try_cast(max(d) AS integer), try(sum(k) / 0), try(1 / count(*)) FROM {TEXTS}", [(None, None, "0")]),
    (
        f"SELECT try(date_parse(max(d), '%Y%m%d')), try_cast(k AS integer) FROM {TEXTS} GROUP BY k ORDER BY k",
        [("2024-01-01 00:00:00.000", "1"), (None, "2")],
    ),
    (
        f"SELECT try_cast(lag(d) OVER (ORDER BY k) AS integer) FROM {TEXTS} ORDER BY k",
        [(None,), ("20240101",)],
    ),
    (f"SELECT try_cast((SELECT max(d) FROM {TEXTS} WHERE k = 1) AS integer)", [("20240101",)]),
    (
        "SELECT try_cast(k AS integer), try(1 / grouping(k)) FROM (VALUES '1', 'x') t(k) GROUP BY ROLLUP (k) "
        "ORDER BY 1, 2",
        [("1", None), (None, "1"), (None, None)],
    ),
    # A subquery may be an argument of any function.
    (
        "SELECT format('%s', (SELECT 1e0)), CAST((SELECT 1.5e0) AS varchar), round((SELECT 1.55e0), 1), "
        "json_array((SELECT 1e0)), (SELECT ARRAY[1]) = (SELECT ARRAY[1]), array_join((SELECT ARRAY[1, 2]), ',')",
        [("1.0", "1.5E0", "1.6", "[1.0]", "true", "1,2")],
    ),
    (
        "SELECT slice(ARRAY[cast(1e0 AS varchar)], (SELECT 1), (SELECT 1)), "
        "round(cast(cast(5e0 AS varchar) AS double), (SELECT 1))",
        [("[1.0E0]", "5.0")],
    ),
    (
        "SELECT date_format(date_add('day', (SELECT max(n) FROM (VALUES (1, 2), (2, 5)) u(y, n) WHERE y = k), "
        f"TIMESTAMP '2024-01-01 00:00:00'), '%d') FROM {TEXTS} ORDER BY k",
        [("03",), ("06",)],
    ),
    (
        "SELECT a, transform(ARRAY[1], x -> x + a) FROM (VALUES 1, 5) t(a) "
        "WHERE CAST(a AS double) IN (SELECT 5e0) OR (SELECT ARRAY[a]) = ARRAY[2]",
        [("5", "[6]")],
    ),
    # However often a subquery is written, and in whatever it stands.
    (
        "SELECT map_keys(map(ARRAY[(SELECT a), (SELECT d)], ARRAY[map(ARRAY[(SELECT b)], ARRAY[(SELECT c)]), "
        "map(ARRAY[(SELECT b)], ARRAY[(SELECT c)])])) FROM (VALUES (1, 2, 3, 4)) t(a, b, c, d)",
        [("[1, 4]",)],
    ),
    ("SELECT (SELECT (SELECT 1) FROM (VALUES 1) t(x) WHERE x = (SELECT 1)) + (SELECT 1)", [("2",)]),
    ("SELECT element_at(ARRAY[(SELECT 5)], (SELECT -1)), (SELECT REAL '1.5') > (SELECT REAL '0.5')", [("5", "true")]),
    # An aggregate of what is made by a lambda.
    (
        "SELECT map_agg(b, repeat(a, 2)), multimap_agg(b, repeat(a, 1)), set_union(repeat(a, 1)) "
        "FROM (VALUES (5, 2)) t(a, b)",
        [("{2=[5, 5]}", "{2=[[5]]}", "[5]")],
    ),
    # In ORDER BY the names of output columns come first, also within an expression.
    ("SELECT -a AS a, a AS b FROM (VALUES 1, 2) t(a) GROUP BY a ORDER BY a", [("-2", "2"), ("-1", "1")]),
    ("SELECT -a AS a, a AS b FROM (VALUES 1, 2) t(a) GROUP BY a ORDER BY t.a + 2 * a", [("-2", "2"), ("-1", "1")]),
    ("SELECT count(*) AS c FROM (VALUES (1, 2), (3, 1)) t(a, b) GROUP BY a ORDER BY c, sum(b)", [("1",), ("1",)]),
    # DISTINCT with the same expression in ORDER BY, whatever it is made of.
    (
        "SELECT DISTINCT try_cast(a AS integer), round(b, 2) FROM (VALUES ('5', 1e0)) t(a, b) "
        "ORDER BY try_cast(a AS integer), round(b, 2)",
        [("5", "1.0")],
    ),
    (
        "SELECT DISTINCT CAST(a AS timestamp(3) with time zone) FROM (VALUES DATE '2020-01-01', DATE '2020-01-01') "
        "t(a) ORDER BY 1",
        [("2020-01-01 00:00:00.000 UTC",)],
    ),
    (
        "SELECT DISTINCT 1, a FROM (VALUES TIMESTAMP '2020-01-01 00:00:00 UTC', "
        "TIMESTAMP '2020-01-01 01:00:00 +01:00') t(a)",
        [("1", "2020-01-01 00:00:00 UTC")],
    ),
    ("SELECT array_agg(DISTINCT y + 1 ORDER BY t.y + 1 DESC) FROM (VALUES 2, 3, 3) t(y)", [("[4, 3]",)]),
    (
        "SELECT combinations(x, n) FROM (VALUES (ARRAY[1, 2, 3], 2), (ARRAY[1, 2, 3], 0), (NULL, 1), (ARRAY[1], 2)) "
        "t(x, n)",
        [("[[1, 2], [1, 3], [2, 3]]",), ("[[]]",), (None,), ("[]",)],
    ),
    # The sign belongs to the number.
    ("SELECT typeof(-2147483648), -9223372036854775808", [("integer", "-9223372036854775808")]),
]


@pytest.mark.parametrize(("sql", "expected"), QUERIES)
def test_query(run: Run, sql: str, expected: list[tuple[str | None, ...]]) -> None:
    assert run(sql) == expected


REFUSED = [
    (
        "SELECT max(a) AS a FROM (VALUES (1, 2)) t(a, b) GROUP BY b ORDER BY max(a + b)",
        "COLUMN_NOT_FOUND: line 1:73: Invalid reference to output projection attribute from ORDER BY aggregation",
    ),
    (
        "SELECT array_agg(DISTINCT y ORDER BY z + y) FROM (VALUES (1, 2)) t(y, z)",
        "EXPRESSION_NOT_IN_DISTINCT: line 1:40: For aggregate function with DISTINCT, ORDER BY expressions must",
    ),
    (
        "SELECT transform(ARRAY[1], x -> x + (SELECT 1))",
        "NOT_SUPPORTED: line 1:37: Lambda expression cannot contain subqueries",
    ),
    (
        f"SELECT concat({', '.join(['x'] * 128)}) FROM (VALUES 'a') t(x)",
        "TOO_MANY_ARGUMENTS: line 1:8: Too many arguments for function call concat()",
    ),
    (
        "SELECT json_object('a': 1, 'a': 2)",
        "NOT_SUPPORTED: cannot construct a JSON object with duplicate key",
    ),
    (
        "SELECT json_object('a': '{}' FORMAT JSON WITH UNIQUE KEYS)",
        "NOT_SUPPORTED: line 1:8: WITH UNIQUE KEYS behavior is not supported",
    ),
    (
        "SELECT levenshtein_distance(rpad('a', 2000, 'b'), rpad('b', 2000, 'c'))",
        "INVALID_FUNCTION_ARGUMENT: The combined inputs for Levenshtein distance are too large",
    ),
    ("SELECT concat_ws(',')", "INVALID_FUNCTION_ARGUMENT: line 1:8: There must be two or more arguments"),
    (
        "SELECT from_utf8(to_utf8('a'), 1114112)",
        "INVALID_FUNCTION_ARGUMENT: Not a valid Unicode code point: 1114112",
    ),
    ("SELECT round(2147483647, -2147483648)", "NUMERIC_VALUE_OUT_OF_RANGE: numerical overflow: 2147483647"),
    ("SELECT round(TINYINT '9', -2147483647)", "NUMERIC_VALUE_OUT_OF_RANGE: numerical overflow: 9"),
    (
        "SELECT round(DECIMAL '9999999999999999999999999999999999999.9', -1)",
        "NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow",
    ),
    ("SELECT -9223372036854775809", "INVALID_LITERAL: line 1:8: Invalid numeric literal"),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_refusal(run: Run, sql: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        run(sql)
    assert str(caught.value).startswith(message)
