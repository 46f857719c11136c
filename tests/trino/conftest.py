"""A catalog of a few tables, and a way to run a query and see what Athena would print."""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pytest

from dapflow.trino.duckdb import ColumnMetadata, Relation, compile_query, prepare_connection, translate_error

FLIGHTS = Relation(
    "awsdatacatalog",
    "raw",
    "flights_history",
    (
        ColumnMetadata("carrier", "varchar"),
        ColumnMetadata("delay", "integer"),
        ColumnMetadata("fare", "decimal(10,2)"),
        ColumnMetadata("day", "date"),
        ColumnMetadata("import_date", "varchar"),
    ),
    (ColumnMetadata("$path", "varchar"),),
    ("import_date",),
)
CURRENT = Relation(
    "awsdatacatalog",
    "raw",
    "flights",
    tuple(c for c in FLIGHTS.columns if c.name != "import_date"),
    view_sql="SELECT carrier, delay, fare, day FROM flights_history WHERE import_date = '20240102'",
)
STALE = Relation(
    "awsdatacatalog", "raw", "stale", (ColumnMetadata("gone", "integer"),), view_sql="SELECT gone FROM flights"
)


class Tables:
    """The catalog."""

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """A table of the database `raw`."""
        known = {relation.name: relation for relation in (FLIGHTS, CURRENT, STALE)}
        return known.get(name) if database == "raw" and catalog in {None, "awsdatacatalog"} else None

    def has_database(self, database: str) -> bool:
        """Only `raw` exists."""
        return database == "raw"


Rows = list[tuple[str | None, ...]]
Run = Callable[[str], Rows]


@pytest.fixture(scope="session")
def connection() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()
    prepare_connection(engine)
    engine.execute(
        "CREATE TABLE flights_rows AS SELECT * FROM (VALUES ('AA', 10, 99.50::DECIMAL(10,2), DATE "
        "'2024-01-01', '20240101'), "
        "('AA', 20, 100.00, DATE '2024-01-02', '20240102'), ('BB', NULL, 5.25, DATE '2024-01-02', '20240102')) "
        "AS t(carrier, delay, fare, day, import_date)"
    )
    return engine


@pytest.fixture(scope="session")
def run(connection: duckdb.DuckDBPyConnection) -> Run:
    """Run a query and return its rows as text."""

    def call(sql: str) -> Rows:
        query = compile_query(sql, Tables(), "raw")
        for scan in query.scans:
            connection.execute(f'CREATE OR REPLACE TEMP VIEW "{scan.name}" AS SELECT * FROM flights_rows')
        try:
            return connection.execute(query.text_sql).fetchall()
        except duckdb.Error as error:
            raise translate_error(error) from None

    return call
