"""A statement's query, made ready to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.local.athena.catalog.session import SessionCatalog
from dapflow.local.athena.engine.session import Work
from dapflow.local.athena.trino import Query, Statement, compile_query

if TYPE_CHECKING:
    from dapflow.local.athena.engine.engine import Engine


def compiled(engine: Engine, work: Work, statement: Statement) -> Query:
    """The query, compiled, and its scans ready to be read."""
    execution = work.execution
    with execution.timed("planning"):
        query = analysed(engine, work, statement)
        for scan in query.scans:
            engine.scanner.prepare(work, scan)
    return query


def analysed(engine: Engine, work: Work, statement: Statement) -> Query:
    """The query, compiled; nothing is read but the catalog."""
    execution = work.execution
    catalog = SessionCatalog(engine.metastore, execution.database)
    return compile_query(statement.padded(execution.text), catalog, execution.database, parameters=execution.parameters)
