"""What a query's conditions say of partitions and row groups; in doubt they say nothing."""

from __future__ import annotations

import pytest

from dapflow.athena.catalog.partition_expressions import partition_expression
from dapflow.athena.catalog.predicates import Predicate
from dapflow.trino.duckdb import ColumnMetadata, Relation, compile_query

TYPES = {
    "day": "varchar",
    "delay": "integer",
    "n": "smallint",
    "fare": "decimal(10,2)",
    "share": "double",
    "code": "char(3)",
}
EVENTS = Relation("awsdatacatalog", "raw", "events", tuple(map(ColumnMetadata, TYPES, TYPES.values())), (), ("day",))
RENAMED = Relation("awsdatacatalog", "raw", "renamed", (), view_sql="SELECT day AS d, delay FROM events LIMIT 5")


class Tables:
    """A table, and a view of some of its rows."""

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """See dapflow.trino.catalogue."""
        return {"events": EVENTS, "renamed": RENAMED}.get(name)

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return database == "raw"


def predicate(query: str) -> Predicate:
    """What the only scan of a query says, or of events with a condition."""
    text = query if query.startswith(("SELECT", "WITH")) else f"SELECT 1 FROM events WHERE {query}"
    (scan,) = compile_query(text, Tables(), "raw").scans
    return Predicate(scan.predicate)


@pytest.mark.parametrize(
    ("query", "over"),
    [
        ("day = '1' AND delay > 5", "(\"day\" = '1')"),
        ("DAY BETWEEN '1' AND '2' AND delay IN (1, 2)", "(\"day\" BETWEEN '1' AND '2')"),
        ("day = '1' OR delay > 5", None),
        ("(day = '1' OR day = '2') AND delay = 1", "((\"day\" = '1') OR (\"day\" = '2'))"),
        ("(day > '1' AND (delay = 3 AND day < '7'))", "(\"day\" > '1') AND (\"day\" < '7')"),
        ("CASE WHEN day = '1' AND delay = 2 THEN true ELSE false END", None),
        ("day LIKE 'A AND B'", "(\"day\" LIKE 'A AND B')"),
        ("day = '\"delay\" OR (' AND day <> '$1 AND {'", '("day" = \'"delay" OR (\') AND ("day" <> \'$1 AND {\')'),
        ("day = (SELECT '1')", None),
        ("coalesce(day, '1') = '1' AND NOT day = '2' AND day IS NOT NULL", None),
        ("SELECT 1 FROM (SELECT day AS d FROM events) WHERE d = '1'", "(\"day\" = '1')"),
        ("SELECT 1 FROM renamed WHERE d = '1'", None),
        (
            "WITH e AS (SELECT * FROM events) SELECT 1 FROM e a, e b WHERE a.day = '1' AND b.day = '1'",
            "(\"day\" = '1')",
        ),
        (
            "WITH e AS (SELECT * FROM events) SELECT 1 FROM e a, e b WHERE a.day = '1' AND b.day = '2'",
            "(((\"day\" = '1')) OR ((\"day\" = '2')))",
        ),
        ("WITH e AS (SELECT * FROM events) SELECT 1 FROM e a, e b WHERE a.day = '1'", None),
    ],
)
def test_conditions_over_some_columns(query: str, over: str | None) -> None:
    assert predicate(query).over(["Day"]) == over


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("day = '1'", ("'1'",)),
        ("'1' = day", ("'1'",)),
        ("day IN ('1', 'a, b', '1', CAST(2 AS varchar))", ("'1'", "'a, b'", "CAST(2 AS VARCHAR)")),
        ("day = '1' OR day IN ('2', '1')", ("'1'", "'2'")),
        ("day = '1' OR delay = 2", None),
        ("(day = '1' AND delay = 2) OR day = '3'", ("'1'", "'3'")),
        ("delay > 5 AND day = '1'", ("'1'",)),
        ("NOT day = '1'", None),
        ("day NOT IN ('1')", None),
        ("day > '1'", None),
        ("day IN ('1', day)", None),
        ("upper(day) = 'A'", None),
        ("(day = '1') IS NULL", None),
        ("WITH e AS (SELECT * FROM events) SELECT 1 FROM e a, e b WHERE a.day = '1' AND b.day = '2'", ("'1'", "'2'")),
    ],
)
def test_values_that_a_column_must_have(query: str, values: tuple[str, ...] | None) -> None:
    assert predicate(query).values_of("day") == values


@pytest.mark.parametrize(
    ("query", "bounds"),
    [
        ("delay > 5", [("delay", ">", "5")]),
        ("-5 <= DELAY", [("delay", ">=", "(-5)")]),
        ("n = 7", [("n", "=", "7")]),
        (
            "delay BETWEEN 1 AND 1 + 2 AND day = 'DATE'",
            [("delay", ">=", "1"), ("delay", "<=", "(1 + 2)"), ("day", "=", "'DATE'")],
        ),
        # As doubles, 99.5 and the numbers next to it differ by less than a cent.
        ("fare > 99.5", [("fare", ">", "CAST('99.50' AS DECIMAL(10,2))")]),
        (
            "fare BETWEEN 1.0 AND 2.0",
            [("fare", ">=", "CAST('1.00' AS DECIMAL(10,2))"), ("fare", "<=", "CAST('2.00' AS DECIMAL(10,2))")],
        ),
        ("share >= 0.5", [("share", ">=", "CAST('0.5' AS DOUBLE)")]),
        ("code = 'a' AND code < 'b'", [("code", "=", "rtrim('a', ' ')")]),
        ("delay BETWEEN 1 AND n", []),
        ("delay = n", []),
        ("delay = 1 OR delay = 2", []),
        ("delay + 1 > 5", []),
        ("delay <> 5", []),
        ("true", []),
    ],
)
def test_bounds(query: str, bounds: list[tuple[str, str, str]]) -> None:
    assert [(bound.column, bound.operator, bound.literal) for bound in predicate(query).bounds()] == bounds


@pytest.mark.parametrize(
    ("query", "expression"),
    [
        ("day = '1' AND delay > 5", "Day = '1'"),
        ("day IN ('2', '1') AND day >= '1' AND '3' > day", "Day IN ('2', '1') AND Day >= '1' AND Day < '3'"),
        ("day BETWEEN '1' AND '2' AND day = '1' AND day = '1'", "Day = '1' AND Day >= '1' AND Day <= '2'"),
        ("day = '1' OR day = '2'", "Day IN ('1', '2')"),
        # Columns that are no keys, keys that are no text, and text that another may quote or order otherwise.
        ("code = 'a' AND delay = 1", None),
        ("day = 'it''s'", None),
        ("day > 'å'", None),
        (r"day = 'a\b'", None),
        ("day = lower('A')", None),
        ("day = '1' OR delay = 1", None),
        ("day <> '1'", None),
        (f"day = '1' AND day < '{'2' * 2100}'", "Day = '1'"),
    ],
)
def test_what_of_a_condition_glue_decides(query: str, expression: str | None) -> None:
    keys = [{"Name": "Day", "Type": "string"}, {"Name": "delay", "Type": "int"}]
    assert partition_expression({"PartitionKeys": keys}, predicate(query)) == expression
