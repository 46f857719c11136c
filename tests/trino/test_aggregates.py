"""Aggregates and windows: what they give, what stands for a group, and what Trino refuses."""

from __future__ import annotations

import pytest

from dapflow.trino.duckdb import QueryError
from tests.trino.conftest import Run

PAIRS = "(VALUES (1, 'a', 10), (2, 'b', 20), (2, NULL, 5)) t(n, s, m)"
MOMENTS = "(VALUES TIMESTAMP '2024-01-01 00:00:00 UTC', TIMESTAMP '2024-01-01 01:00:00 +01:00') t(x)"

AGGREGATES = [
    (f"SELECT map_agg(n, s) FILTER (WHERE m > 10) FROM {PAIRS}", [("{2=b}",)]),
    (f"SELECT max_by(s, m, 1) FILTER (WHERE m < 20) FROM {PAIRS}", [("[a]",)]),
    (f"SELECT multimap_agg(n, m ORDER BY m) FROM {PAIRS}", [("{2=[5, 20], 1=[10]}",)]),
    (f"SELECT max(m, 2) OVER (ORDER BY m) FROM {PAIRS}", [("[5]",), ("[10, 5]",), ("[20, 10]",)]),
    (f"SELECT reduce_agg(m, 0, (a, b) -> a + b, (a, b) -> a + b) FROM {PAIRS}", [("35",)]),
    ("SELECT approx_most_frequent(2, x, 10) FROM (VALUES 'a', 'b', 'b', 'a', 'a', 'c') t(x)", [("{a=3, b=2}",)]),
    ("SELECT max_by(y, x), min_by(y, x) FROM (VALUES (nan(), 1), (1e0, 2)) t(x, y)", [("2", "2")]),
    ("SELECT corr(x, x), regr_slope(x, x) FROM (VALUES 1e0) t(x)", [(None, None)]),
    # A value counts as often as its weight says; rows without a value or a weight do not count.
    (
        "SELECT approx_percentile(x, w, 0.5), approx_percentile(x, w, ARRAY[0.05, 0.1, 0.9]) FILTER (WHERE x < 9) "
        "FROM (VALUES (1, 1), (2, 1), (3, 10), (NULL, 50), (9, NULL)) t(x, w)",
        [("3", "[1, 2, 3]")],
    ),
    (
        "SELECT listagg(x, ',' ON OVERFLOW TRUNCATE WITH COUNT) WITHIN GROUP (ORDER BY x DESC) "
        "FROM (VALUES 'a', NULL, 'b') t(x)",
        [("b,a",)],
    ),
    (
        "SELECT length(x), substr(x, -9) FROM (SELECT listagg(rpad('x', 999, 'x'), ',' ON OVERFLOW TRUNCATE '~' "
        "WITH COUNT) WITHIN GROUP (ORDER BY 1) AS x FROM UNNEST(sequence(1, 2000)) t(x))",
        [("1048006", "xx,~(952)")],
    ),
    # Sketches are exact here.
    ("SELECT cardinality(approx_set(x)) FROM (VALUES 1, 2, 2, NULL) t(x)", [("2",)]),
    (
        "SELECT cardinality(merge(h)) FROM (SELECT g, approx_set(x) AS h FROM (VALUES (1, 'a'), (2, 'a'), (2, 'b')) "
        "t(g, x) GROUP BY g)",
        [("2",)],
    ),
    ("SELECT checksum(x) FROM (VALUES 2) t(x)", [("d0 f7 0c eb d1 31 ec 61",)]),
    ("SELECT checksum(x) FROM (VALUES 2) t(x) WHERE x > 2", [(None,)]),
    # The same moment in two zones is one value.
    (f"SELECT x, count(*) FROM {MOMENTS} GROUP BY x", [("2024-01-01 00:00:00 UTC", "2")]),
    (
        f"SELECT count(DISTINCT x), count(DISTINCT ROW(x, 1)), count(DISTINCT ARRAY[x]) FROM {MOMENTS}",
        [("1", "1", "1")],
    ),
    (f"SELECT x, NULL FROM {MOMENTS} INTERSECT SELECT x, NULL FROM {MOMENTS}", [("2024-01-01 00:00:00 UTC", None)]),
    ("SELECT TIMESTAMP '2024-01-01 00:00:00 UTC' EXCEPT SELECT TIMESTAMP '2024-01-01 01:00:00 +01:00'", []),
    (f"SELECT count(*) FROM (SELECT DISTINCT x FROM {MOMENTS})", [("1",)]),
    (
        f"SELECT max(x) FROM {MOMENTS} HAVING max(x) > TIMESTAMP '2023-01-01 00:00:00 UTC'",
        [("2024-01-01 00:00:00 UTC",)],
    ),
    (
        "SELECT sum(x) OVER (ORDER BY d RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) "
        "FROM (VALUES (1, DATE '2024-01-01'), (2, DATE '2024-01-02'), (3, DATE '2024-01-04')) t(x, d) ORDER BY d",
        [("1",), ("3",), ("3",)],
    ),
]


@pytest.mark.parametrize(("sql", "expected"), AGGREGATES)
def test_aggregate(run: Run, sql: str, expected: list[tuple[str | None, ...]]) -> None:
    assert run(sql) == expected


REFUSED = [
    ("SELECT max(x) FROM (VALUES MAP(ARRAY[1], ARRAY[2])) t(x)", "FUNCTION_NOT_FOUND: line 1:8: Unexpected parameters"),
    ("SELECT max(count(*) OVER ()) FROM (VALUES 1) t(x)", "NESTED_WINDOW: line 1:12: Cannot nest window functions"),
    ("SELECT sum(1) OVER (PARTITION BY rank() OVER ())", "NESTED_WINDOW: line 1:34: Cannot nest window functions"),
    ("SELECT lag(1) OVER ()", "MISSING_ORDER_BY: line 1:20: lag function requires an ORDER BY window clause"),
    ("SELECT lag(1) OVER (ORDER BY 1 ROWS 1 PRECEDING)", "INVALID_WINDOW_FRAME: line 1:20: Cannot specify window"),
    ("SELECT approx_percentile(1, 1.5)", "INVALID_FUNCTION_ARGUMENT: line 1:8: Percentile must be between 0 and 1"),
    (f"SELECT approx_percentile(m, -n, 0.5) FROM {PAIRS}", "INVALID_FUNCTION_ARGUMENT: percentile weight must be > 0"),
    ("SELECT approx_set(1)", "NOT_SUPPORTED: line 1:1: A result of type HyperLogLog is not supported"),
    ("SELECT cast(approx_set(1) AS varbinary)", "NOT_SUPPORTED: line 1:13: The type HyperLogLog is not supported"),
    (
        "SELECT listagg(rpad('x', 2000, 'x'), ',') WITHIN GROUP (ORDER BY 1) FROM UNNEST(sequence(1, 1000)) t(x)",
        "EXCEEDED_FUNCTION_MEMORY_LIMIT: Concatenated string has the length in bytes larger than the maximum output",
    ),
    (
        "SELECT * FROM (VALUES 1) t(a), LATERAL (SELECT t.* FROM (VALUES 1, 2) LIMIT 1)",
        "NOT_SUPPORTED: line 1:48: Given correlated subquery is not supported",
    ),
    ("SELECT x FROM (VALUES 1) t(x) HAVING x = 1", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'x' must be"),
    ("SELECT count(DISTINCT x) OVER () FROM (VALUES 1) t(x)", "NOT_SUPPORTED: line 1:8: DISTINCT in window function"),
    ("SELECT row_number() FILTER (WHERE true) OVER ()", "FUNCTION_NOT_AGGREGATE: line 1:8: FILTER"),
    ("SELECT sum(x) IGNORE NULLS OVER () FROM (VALUES 1) t(x)", "NULL_TREATMENT_NOT_ALLOWED: line 1:8: "),
    ("SELECT sum(1) OVER (RANGE 1 PRECEDING)", "MISSING_ORDER_BY: line 1:27: Window frame of type RANGE"),
    ("SELECT sum(1) OVER (ORDER BY 'a' RANGE 1 PRECEDING)", "TYPE_MISMATCH: line 1:30: Window frame of type RANGE"),
    ("SELECT sum(1) OVER (ORDER BY 1 RANGE '1' PRECEDING)", "TYPE_MISMATCH: line 1:38: Window frame RANGE value"),
    ("SELECT sum(1) OVER (ORDER BY 1 ROWS -1 PRECEDING)", "INVALID_WINDOW_FRAME: Window frame offset value"),
    (
        "SELECT sum(x) OVER (w ORDER BY x) FROM (VALUES 1) t(x) WINDOW w AS (ORDER BY x)",
        "INVALID_ORDER_BY: line 1:20: WINDOW specification with named WINDOW reference",
    ),
    (
        "SELECT (SELECT max(n) FROM (SELECT count(*) AS n FROM (VALUES 1) u(y) GROUP BY x)) FROM (VALUES 1) t(x)",
        "NOT_SUPPORTED: line 1:80: Given correlated subquery is not supported",
    ),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_refusal(run: Run, sql: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        run(sql)
    assert str(caught.value).startswith(message)
