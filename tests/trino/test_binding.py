"""What the analysis takes, DuckDB takes: the SQL of every query can be bound."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pytest

from dapflow.trino.duckdb import Scan, compile_query, prepare_connection
from dapflow.trino.duckdb.storage import duck_type, quote
from dapflow.trino.errors import QueryError
from dapflow.trino.types import parse_type
from tests.trino import corpus
from tests.trino.texts import TEXTS, Known


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    prepare_connection(connection)
    return connection


def _provide(engine: duckdb.DuckDBPyConnection, scan: Scan) -> None:
    """A table without rows in place of a scan, with the columns that the SQL is said to name and no others."""
    types = {column.name: column.type for column in (*scan.relation.columns, *scan.relation.hidden)}
    columns = [f"{quote(name)} {duck_type(parse_type(types[name]))}" for name in scan.named] or ["nothing INTEGER"]
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {quote(scan.name)} ({', '.join(columns)})")


def _problem(engine: duckdb.DuckDBPyConnection, text: str) -> str | None:
    """What is wrong with the SQL of a query, if it is one that can be compiled."""
    try:
        query = compile_query(text, Known(), "default")
    except QueryError:
        return None
    for scan in query.scans:
        _provide(engine, scan)
    try:
        for sql in (query.sql, query.text_sql):
            engine.execute(f"PREPARE bound AS {sql}; DEALLOCATE bound")
    except duckdb.Error as error:
        # A part that is constant may be computed, and fail.
        return None if "Python exception" in str(error) else f"{text}: {error}"
    return None


def _problems(engine: duckdb.DuckDBPyConnection, texts: Iterable[str]) -> list[str]:
    return [problem for text in texts if (problem := _problem(engine, text)) is not None]


def test_queries_of_the_tests(engine: duckdb.DuckDBPyConnection) -> None:
    assert _problems(engine, TEXTS[::12]) == []


@pytest.mark.slow
def test_queries_of_the_tests_and_of_the_corpus(engine: duckdb.DuckDBPyConnection) -> None:
    folder = corpus.folder()
    if folder is None:
        pytest.skip(f"{corpus.VARIABLE} does not say where the corpus is")
    assert _problems(engine, [*TEXTS, *corpus.texts(folder)]) == []
