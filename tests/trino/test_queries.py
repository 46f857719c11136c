"""Queries: what they return, what is refused and where, and what the server is told of the tables they read."""

from __future__ import annotations

import pytest

from dapflow.trino.duckdb import QueryError, compile_query
from dapflow.trino.duckdb.conditions import text_of
from tests.trino.conftest import Run, Tables

QUERIES = [
    (
        "SELECT carrier, count(*), avg(fare) FROM flights_history GROUP BY 1 ORDER BY 1",
        [("AA", "2", "99.75"), ("BB", "1", "5.25")],
    ),
    ("SELECT sum(delay) FROM flights", [("20",)]),
    (
        "SELECT x, (SELECT b FROM (VALUES (1, 2), (1, 3), (2, 4)) u(a, b) WHERE a = x ORDER BY b DESC LIMIT 1) "
        "FROM (VALUES 1, 2, 3) t(x) ORDER BY x",
        [("1", "3"), ("2", "4"), ("3", None)],
    ),
    ("SELECT carrier FROM flights_history ORDER BY delay DESC", [("AA",), ("AA",), ("BB",)]),
    ("SELECT carrier c FROM flights_history GROUP BY carrier HAVING max(fare) > 50", [("AA",)]),
    ("WITH flights AS (SELECT * FROM flights WHERE delay > 0) SELECT count(*) FROM flights", [("1",)]),
    ("SELECT * FROM (VALUES (1, 'x')) a(k, l) JOIN (VALUES (2, 1)) b(m, k) USING (k)", [("1", "x", "2")]),
    # USING compares as = does: NaN equals nothing, and an array with a NULL is like none for certain.
    (
        "SELECT d, n, m FROM (VALUES (nan(), 1), (1e0, 2)) a(d, n) FULL JOIN (VALUES (nan(), 1), (1e0, 3)) b(d, m) "
        "USING (d) ORDER BY d, n",
        [("1.0", "2", "3"), ("NaN", "1", None), ("NaN", None, "1")],
    ),
    (
        "SELECT * FROM (VALUES ARRAY[1, NULL], ARRAY[1]) a(x) JOIN (VALUES ARRAY[1, NULL], ARRAY[1]) b(x) USING (x)",
        [("[1]",)],
    ),
    (
        "SELECT DISTINCT z, NULL, 5, 'a', current_timezone() FROM (VALUES TIMESTAMP '2024-01-01 00:00 UTC', "
        "TIMESTAMP '2024-01-01 00:00 UTC') t(z)",
        [("2024-01-01 00:00:00 UTC", None, "5", "a", "UTC")],
    ),
    # `last` is of the array around, whatever went wrong in a filter before it.
    (
        "SELECT json_query('[0, [1], 6]', 'strict $[$[0] ? (exists($[1][9]) || 1 == 1), last]' WITH ARRAY WRAPPER)",
        [("[0,6]",)],
    ),
    ("SELECT x FROM (VALUES 1, 1, 2) t(x) ORDER BY x FETCH FIRST 1 ROW WITH TIES", [("1",), ("1",)]),
    (
        "SELECT x FROM (VALUES 2, 1, 1) t(x) UNION ALL SELECT 1 ORDER BY 1 FETCH FIRST 1 ROW WITH TIES",
        [("1",), ("1",), ("1",)],
    ),
    (
        "SELECT n, (SELECT count(*) FROM (VALUES 1, 2) u(y) WHERE y <= n) FROM (VALUES 1, 1, 2) t(n) GROUP BY n "
        "ORDER BY n",
        [("1", "1"), ("2", "2")],
    ),
    (
        "SELECT count(*), (SELECT y FROM (VALUES 1, 2) u(y) WHERE y = day(z)) FROM (VALUES "
        "(TIMESTAMP '2024-01-02 00:00 UTC'), (TIMESTAMP '2024-01-02 02:00 +02:00')) t(z) GROUP BY z",
        [("2", "2")],
    ),
    # Maps are equal whatever the order of their entries.
    (
        "SELECT cardinality(m), count(*), count(DISTINCT m) FROM (VALUES MAP(ARRAY[1, 2], ARRAY['a', NULL]), "
        "MAP(ARRAY[2, 1], ARRAY[NULL, 'a']), MAP(), NULL) t(m) GROUP BY m ORDER BY 2 DESC, 1",
        [("2", "2", "1"), ("0", "1", "1"), (None, "1", "0")],
    ),
    (
        "SELECT DISTINCT cardinality(m) FROM (SELECT MAP(ARRAY[1, 2], ARRAY[3, 4]) AS m UNION "
        "SELECT MAP(ARRAY[2, 1], ARRAY[4, 3])) GROUP BY m",
        [("2",)],
    ),
    # The second of equal rows meets the second of the other side.
    (
        "SELECT count(*) FROM (SELECT z FROM (VALUES TIMESTAMP '2024-01-01 00:00 UTC', NULL, NULL, "
        "TIMESTAMP '2024-01-01 01:00 +01:00') t(z) EXCEPT ALL "
        "SELECT z FROM (VALUES TIMESTAMP '2024-01-01 02:00 +02:00', NULL) t(z))",
        [("2",)],
    ),
    (
        "SELECT z FROM (VALUES (TIMESTAMP '2024-01-01 00:00 UTC'), NULL, NULL, NULL) t(z) INTERSECT ALL "
        "SELECT z FROM (VALUES TIMESTAMP '2024-01-01 02:00 +02:00', NULL, NULL) t(z) ORDER BY 1",
        [("2024-01-01 00:00:00 UTC",), (None,), (None,)],
    ),
    # IN over a query tells rows apart as DISTINCT does, and = as it does; a query that refers to another, by =.
    (
        "SELECT (1, NULL) IN (SELECT 1, 2), (1, NULL) IN (SELECT 2, 2), (1, NULL) NOT IN (SELECT 1, 2), "
        "(1, NULL) IN (SELECT 1, NULL), (1, 2) IN (SELECT 1, NULL), ARRAY[NULL] IN (SELECT ARRAY[NULL])",
        [("false", "false", "true", "true", "false", "true")],
    ),
    (
        "SELECT (1, NULL) IN ((1, 2)), (1, NULL) IN ((2, 2)), (1, NULL) = ALL (SELECT 1, 2), "
        "(1, NULL) <> ANY (SELECT 2, 2), CAST(NULL AS row(a integer, b integer)) IN (SELECT 1, 2)",
        [(None, "false", None, "true", None)],
    ),
    (
        "SELECT (a, n) IN (SELECT a, 2), (a, n) IN (SELECT a, n), (a, n) NOT IN (SELECT a, NULL), "
        "(a, 2) IN (SELECT a, 2), x IN (SELECT x WHERE a = 1), ARRAY[a] IN (SELECT x WHERE a = 1), "
        "x IN (SELECT NULL WHERE a = 1) FROM (VALUES (1, CAST(NULL AS integer), ARRAY[1, NULL])) t(a, n, x)",
        [("false", "false", "true", "true", "false", "false", None)],
    ),
    (
        'SELECT CAST(ROW(1, 2, ARRAY[ROW(3)]) AS row("order" integer, "a b" integer, '
        'c array(row("Select" integer))))."order"',
        [("1",)],
    ),
    # An aggregate belongs to the query that it stands in, though it is given columns of another.
    ("SELECT (SELECT max(x)) FROM (VALUES 1, 2) t(x)", [("1",), ("2",)]),
    ("SELECT x FROM (VALUES 1, 2) t(x) WHERE 1 = (SELECT max(x) FROM (VALUES 1) u(y))", [("1",)]),
    (
        "SELECT x, (SELECT count(x) FROM u), (SELECT count(*) FILTER (WHERE x > 1) FROM u), "
        "(SELECT sum(x) FROM u GROUP BY y HAVING min(x) > 1 LIMIT 1), (SELECT max((SELECT x)) + max(y) FROM u) "
        "FROM (VALUES 1, 2) t(x)".replace("FROM u", "FROM (VALUES 5, 6) u(y)"),
        [("1", "2", "0", None, "7"), ("2", "2", "2", "2", "8")],
    ),
    (
        "SELECT x, c FROM (VALUES 1, 2) t(x) CROSS JOIN LATERAL (SELECT sum(x) c FROM (VALUES 7, 8) u(y))",
        [("1", "2"), ("2", "4")],
    ),
    ("SELECT typeof(count(*)) FROM (VALUES 1, 2) t(x)", [("bigint",)]),
    (
        "SELECT n, e FROM (VALUES 1) t(n) CROSS JOIN UNNEST(ARRAY['a', 'b']) WITH ORDINALITY u(e, i) ORDER BY i",
        [("1", "a"), ("1", "b")],
    ),
    ("SELECT k, v FROM UNNEST(MAP(ARRAY['a'], ARRAY[1])) t(k, v)", [("a", "1")]),
    (
        "SELECT x, sum(x) OVER (ORDER BY x ROWS 1 PRECEDING) FROM (VALUES 1, 2, 3) t(x) ORDER BY 1",
        [("1", "1"), ("2", "3"), ("3", "5")],
    ),
    ("SELECT listagg(x, ',') WITHIN GROUP (ORDER BY x DESC) FROM (VALUES 'a', 'b') t(x)", [("b,a",)]),
    ("SELECT (SELECT max(y) FROM (VALUES 1, 5) u(y) WHERE y < x) FROM (VALUES 3) t(x)", [("1",)]),
    ("SELECT 1 UNION ALL SELECT 2.5 ORDER BY 1", [("1.0",), ("2.5",)]),
    # INTERSECT binds closer than UNION and EXCEPT, as % does than + and -; else from left to right.
    ("SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 2 ORDER BY 1", [("1",), ("2",)]),
    ("SELECT 1 EXCEPT SELECT 2 INTERSECT SELECT 2", [("1",)]),
    ("SELECT 1 INTERSECT SELECT 2 UNION SELECT 3", [("3",)]),
    ("SELECT 1 UNION SELECT 2 EXCEPT SELECT 1", [("2",)]),
    (
        "SELECT 2 + 7 % 3, 7 % 3 + 2, 20 - 7 % 4 * 2, 7 * 5 % 3, 7 % 5 * 3, 20 / 7 % 3",
        [("3", "3", "14", "2", "6", "2")],
    ),
    ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t", [("6",)]),
    ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 11) SELECT max(n) FROM t", [("11",)]),
    ("WITH RECURSIVE t(n) AS ((VALUES 1, 1, 2) UNION SELECT n + 1 FROM t WHERE n < 3) SELECT sum(n) FROM t", [("6",)]),
    (
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT * FROM (WITH t(n) AS (SELECT 5) SELECT n + 1 FROM t)) "
        "SELECT sum(n) FROM t",
        [("7",)],
    ),
    (
        "SELECT array_join(a, s), concat_ws(s, a), split('x-y-z', s, 2) "
        "FROM (VALUES (ARRAY['x', NULL, 'y'], '-'), (ARRAY[], '+')) t(a, s)",
        [("x-y", "x-y", "[x, y-z]"), ("", "", "[x-y-z]")],
    ),
    (
        "SELECT date_add(u, 1, DATE '2024-01-31') FROM (VALUES 'day', 'month', NULL) t(u) ORDER BY u",
        [("2024-02-01",), ("2024-02-29",), (None,)],
    ),
    (
        "SELECT a, b, grouping(a, b) FROM (VALUES (1, 2)) t(a, b) GROUP BY ROLLUP (a, b) ORDER BY 3",
        [("1", "2", "0"), ("1", None, "1"), (None, None, "3")],
    ),
    ("SELECT x FROM (VALUES 1, 2) t(x) WHERE x NOT IN (SELECT y FROM (VALUES 2) u(y))", [("1",)]),
    ("SELECT try(a / b + a / b) FROM (VALUES (1, 0), (4, 2)) t(a, b) ORDER BY 1", [("4",), (None,)]),
    (
        "SELECT try(from_iso8601_timestamp(x)), try_cast(x AS timestamp) "
        "FROM (VALUES '2024-01-01 10:00:00', 'x') t(x) ORDER BY 2",
        [(None, "2024-01-01 10:00:00.000"), (None, None)],
    ),
    ("SELECT a + 1 AS a FROM (VALUES 1, 5) t(a) ORDER BY -a", [("6",), ("2",)]),
    # As doubles, 0.06 + 0.01 is a little less than 0.07.
    ("SELECT p FROM (VALUES DECIMAL '0.07') t(p) WHERE p BETWEEN 0.06 - 0.01 AND 0.06 + 0.01", []),
    ("SELECT p FROM (VALUES DECIMAL '0.07', DECIMAL '0.08') t(p) WHERE p BETWEEN 0.05 AND 0.07", [("0.07",)]),
]


@pytest.mark.parametrize(("sql", "expected"), QUERIES)
def test_query(run: Run, sql: str, expected: list[tuple[str | None, ...]]) -> None:
    assert run(sql) == expected


@pytest.mark.parametrize(
    "kind", ["decimal(15,2)", "decimal(2,2)", "decimal(18,0)", "decimal(38,2)", "integer", "bigint"]
)
@pytest.mark.parametrize("literal", ["0.07", "-0.075", "0.075", "1.0", "-1.0", "0.0", "1e20", "9007199254740993.0"])
def test_an_exact_number_beside_a_double_compares_as_if_cast(run: Run, kind: str, literal: str) -> None:
    values = "'-1', '-0.08', '-0.07', '0', '0.07', '0.08', '1', '9007199254740992', '9007199254740993', NULL"
    differing = " OR ".join(
        f"(x {op} {literal}) IS DISTINCT FROM (CAST(x AS double) {op} {literal}) "
        f"OR ({literal} {op} x) IS DISTINCT FROM ({literal} {op} CAST(x AS double))"
        for op in ("=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM")
    )
    xs = f"SELECT TRY(CAST(CAST(v AS decimal(38,2)) AS {kind})) AS x FROM (VALUES {values}) t(v)"
    assert run(f"SELECT count(x) > 0, count_if({differing}) FROM ({xs})") == [("true", "0")]


REFUSED = [
    ("SELECT\n  nope FROM flights", "COLUMN_NOT_FOUND: line 2:3: Column 'nope' cannot be resolved"),
    ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.raw.nope' does not exist"),
    ("SELECT * FROM nope.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nope' does not exist"),
    (
        "SELECT carrier, count(*) FROM flights",
        "EXPRESSION_NOT_AGGREGATE: line 1:8: 'carrier' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (
        "SELECT delay * 1.5 - 0.1 + 100.0 FROM flights GROUP BY carrier",
        "EXPRESSION_NOT_AGGREGATE: line 1:26: '(((delay * 1.5E0) - 1E-1) + 1E2)' must be an aggregate expression or "
        "appear in GROUP BY clause",
    ),
    (
        "SELECT delay BETWEEN 1 AND (SELECT 2) AND carrier LIKE 'a' FROM flights GROUP BY carrier",
        "EXPRESSION_NOT_AGGREGATE: line 1:14: '((delay BETWEEN 1 AND (SELECT 2)) AND (carrier LIKE 'a'))' must be an "
        "aggregate expression or appear in GROUP BY clause",
    ),
    ("SELECT delay FROM flights, flights_history", "AMBIGUOUS_NAME: line 1:8: Column 'delay' is ambiguous"),
    (
        "SELECT * FROM (VALUES 1) t(a, b)",
        "MISMATCHED_COLUMN_ALIASES: line 1:26: Column alias list has 2 entries but 't' has 1 columns available",
    ),
    (
        "SELECT 1 FROM flights WHERE count(*) > 1",
        "EXPRESSION_NOT_SCALAR: line 1:29: WHERE clause cannot "
        "contain aggregations, window functions or grouping operations: [count]",
    ),
    (
        "SELECT delay FROM flights ORDER BY 2",
        "INVALID_COLUMN_REFERENCE: line 1:36: ORDER BY position 2 is not in select list",
    ),
    (
        "SELECT 1 UNION SELECT 'a'",
        "TYPE_MISMATCH: line 1:16: column 1 in UNION query has incompatible types: integer, varchar(1)",
    ),
    ("SELECT 1 SELECT 2", "SYNTAX_ERROR: line 1:10: mismatched input 'SELECT'. Expecting: <EOF>"),
    (
        "SELECT a.x FROM flights `a`",
        "SYNTAX_ERROR: line 1:25: backquoted identifiers are not supported; use double quotes to quote identifiers",
    ),
    (
        "SELECT * FROM flights MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS true)",
        "NOT_SUPPORTED: line 1:23: MATCH_RECOGNIZE is not supported",
    ),
]


@pytest.mark.parametrize(("sql", "message"), REFUSED)
def test_refusal_names_the_place_in_the_users_text(run: Run, sql: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        run(sql)
    assert str(caught.value) == message


def test_recursion_ends_where_athenas_does(run: Run) -> None:
    with pytest.raises(QueryError, match="Recursion depth limit exceeded"):
        run("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t")
    # Rows that came before go on being steps.
    with pytest.raises(QueryError, match="Recursion depth limit exceeded"):
        run("WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n % 3 + 1 FROM t) SELECT * FROM t")


OTHER_ENGINES = [
    "FROM flights",
    "SELECT * FROM 'x.csv'",
    "SELECT * FROM read_parquet('x')",
    "SELECT * EXCLUDE (delay) FROM flights",
    "SELECT delay::varchar FROM flights",
    "PRAGMA version",
    "ATTACH 'x.db'",
    "COPY flights TO 'x'",
    "INSTALL httpfs",
    "SET threads = 1",
    "SELECT [1, 2]",
    "SELECT {'a': 1}",
    "SELECT * FROM range(3)",
]


@pytest.mark.parametrize("sql", OTHER_ENGINES)
def test_other_dialects_are_syntax_errors(sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        compile_query(sql, Tables(), "raw")
    assert caught.value.error_name == "SYNTAX_ERROR"


SCANS = [
    ("SELECT delay FROM flights", ("delay", "import_date"), "(\"import_date\" = '20240102')"),
    (
        "SELECT carrier FROM (SELECT * FROM flights_history) WHERE import_date IN ('1', '2')",
        ("carrier", "import_date"),
        "(\"import_date\" IN ('1', '2'))",
    ),
    (
        "WITH a AS (SELECT * FROM flights_history) SELECT fare FROM a WHERE delay > 5",
        ("delay", "fare"),
        '("delay" > 5)',
    ),
    ("SELECT delay FROM flights_history WHERE import_date = (SELECT '1')", ("delay", "import_date"), None),
    ("SELECT delay FROM (SELECT delay, row_number() OVER () FROM flights_history) WHERE delay = 1", ("delay",), None),
    ("SELECT count(*) FROM flights_history", (), None),
    (
        "SELECT a FROM (SELECT carrier AS a, fare AS b FROM flights_history TABLESAMPLE SYSTEM (50)) WHERE b > 5.0",
        ("carrier", "fare"),
        "(\"fare\" > CAST('5.00' AS DECIMAL(10,2)))",
    ),
    (
        "SELECT a FROM (SELECT carrier a FROM flights_history) RIGHT JOIN (VALUES 1) ON true WHERE a = 'x'",
        ("carrier",),
        None,
    ),
    (
        "SELECT a FROM (SELECT carrier a FROM flights_history) LEFT JOIN (VALUES 'x') t(a) USING (a) WHERE a = 'x'",
        ("carrier",),
        "(\"carrier\" = 'x')",
    ),
    ("SELECT count(*) FROM (SELECT delay, (SELECT max(fare)) FROM flights_history) WHERE random() < 0.5", (), None),
]


@pytest.mark.parametrize(("sql", "columns", "predicate"), SCANS)
def test_scans_tell_columns_and_literal_conditions(sql: str, columns: tuple[str, ...], predicate: str | None) -> None:
    (scan,) = compile_query(sql, Tables(), "raw").scans
    assert (scan.columns, text_of(scan.predicate)) == (columns, predicate)


def test_output_columns_have_trinos_names_and_types() -> None:
    query = compile_query("SELECT fare * 2, count(*) AS Total, day FROM flights GROUP BY fare, day", Tables(), "raw")
    assert [(c.name, c.type) for c in query.columns] == [
        ("_col0", "decimal(20,2)"),
        ("Total", "bigint"),
        ("day", "date"),
    ]


def test_a_view_that_no_longer_fits_is_stale() -> None:
    with pytest.raises(QueryError) as caught:
        compile_query("SELECT * FROM stale", Tables(), "raw")
    assert caught.value.error_name == "INVALID_VIEW"
    assert (caught.value.line, caught.value.column) == (1, 15)


def test_parameters_take_the_place_of_question_marks(run: Run) -> None:
    query = compile_query("SELECT delay FROM flights WHERE carrier = ?", Tables(), "raw", parameters=["'AA'"])
    assert text_of(query.scans[0].predicate) == "(\"import_date\" = '20240102') AND (\"carrier\" = 'AA')"


@pytest.mark.parametrize("opening", ["(", "abs(", "- -", "not ", "(select ", "array[", "case when true then "])
def test_a_thousand_levels_are_an_error_and_not_a_crash(opening: str) -> None:
    with pytest.raises(QueryError):
        compile_query("SELECT " + opening * 1000 + "?", Tables(), "raw")
