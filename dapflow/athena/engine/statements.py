"""What each kind of statement does."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.athena.catalog.session_catalog import CATALOG_NAMES
from dapflow.athena.ddl.dispatch import run_hive
from dapflow.athena.ddl.model import HiveStatement
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.create_table_as import create_table_as
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.explain import explain
from dapflow.athena.engine.insert import insert
from dapflow.athena.engine.prepared import deallocate, prepare
from dapflow.athena.engine.queries import compiled
from dapflow.athena.engine.results import StatementOutcome
from dapflow.athena.engine.rows import run_query
from dapflow.athena.engine.session import Work
from dapflow.athena.engine.unload import unload
from dapflow.athena.engine.view_statements import create_view, drop_view, show_create_view
from dapflow.trino.duckdb import QueryError, Statement

AnyStatement = Statement | HiveStatement
Handler = Callable[[Context, Work, Statement], StatementOutcome]


def run_statement(context: Context, work: Work, statement: AnyStatement) -> StatementOutcome:
    """Run a statement to its outcome. Raises QueryError, QueryFailed, Cancelled."""
    catalog = work.execution.catalog
    if catalog is not None and catalog.lower() not in CATALOG_NAMES:
        raise QueryFailed("CATALOG_NOT_FOUND", f"Catalog '{catalog}' not found")
    if isinstance(statement, HiveStatement):
        return run_hive(context, work, statement)
    handler = _HANDLERS.get(statement.kind)
    if handler is None:
        raise QueryFailed(
            "NOT_SUPPORTED", f"{statement.kind.upper()} is for Iceberg tables only, and those are not supported"
        )
    return handler(context, work, statement)


def _select(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    query = compiled(context, work, statement, short=True)
    # S3 takes a while even for a few bytes; the query runs meanwhile.
    context.results.describe(work.execution, query.columns)
    try:
        return run_query(work, query)
    except QueryError as error:
        if not query.short or error.error_name != "NUMERIC_VALUE_OUT_OF_RANGE":
            raise
    work.execution.forget_reading()
    return run_query(work, compiled(context, work, statement))


_HANDLERS: dict[str, Handler] = {
    "query": _select,
    "unload": unload,
    "ctas": create_table_as,
    "insert": insert,
    "create_view": create_view,
    "drop_view": drop_view,
    "show_create_view": show_create_view,
    "explain": explain,
    "prepare": prepare,
    "deallocate": deallocate,
}
