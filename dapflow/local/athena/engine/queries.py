"""A statement's query, made ready to run."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dapflow.local.athena.catalog.session import SessionCatalog
from dapflow.local.athena.engine.errors import QueryFailed
from dapflow.local.athena.engine.session import Work
from dapflow.local.athena.trino import Query, Statement, compile_query
from dapflow.sql.trino.parser import parse

if TYPE_CHECKING:
    from dapflow.local.athena.engine.engine import Engine


def compiled(engine: Engine, work: Work, statement: Statement) -> Query:
    """The query, compiled, and its scans ready to be read."""
    execution = work.execution
    with execution.timed("planning"):
        query = analysed(engine, work, statement)
        engine.scanner.prepare(work, query.scans)
    return query


def analysed(engine: Engine, work: Work, statement: Statement) -> Query:
    """The query, compiled; nothing is read but the catalog."""
    execution = work.execution
    catalog = SessionCatalog(engine.metastore, execution.database)
    text = statement.padded(work.text)
    return compile_query(text, catalog, execution.database, parameters=execution.parameters)


def check_syntax(statement: Statement, text: str) -> None:
    """Refuse a query that does not parse. Raises QueryError."""
    parse(statement.padded(text))


def check_named(query: Query) -> None:
    """Refuse a query that gives no name to a column that will be stored. Such a column is called after its place."""
    for index, column in enumerate(query.columns):
        if column.name == f"_col{index}":
            raise QueryFailed("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {index + 1}")
    doubled = [name for name, count in Counter(column.name.lower() for column in query.columns).items() if count > 1]
    if doubled:
        raise QueryFailed("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{doubled[0]}' specified more than once")
