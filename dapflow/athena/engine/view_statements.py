"""CREATE VIEW, DROP VIEW, SHOW CREATE VIEW."""

from __future__ import annotations

import re
from typing import Any

from dapflow.athena.catalog.views import View, glue_view, is_view, read_view
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.queries import analysed, check_named
from dapflow.athena.engine.results import TEXT, StatementOutcome
from dapflow.athena.engine.session import Work
from dapflow.athena.engine.target_names import target_of
from dapflow.trino.duckdb import ColumnMetadata, Statement


def create_view(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """Analyse the query and keep its text and columns in Glue."""
    session = work.execution.database
    database, name = target_of(statement.target, session)
    query = analysed(context, work, statement, replacing=(database, name) if statement.replace else None)
    check_named(query)
    if context.metastore.database(database) is None:
        raise QueryFailed("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
    there = context.metastore.table(database, name)
    if there is not None:
        if not is_view(there):
            raise QueryFailed(
                "TABLE_ALREADY_EXISTS", f"line 1:1: Table already exists: 'awsdatacatalog.{database}.{name}'"
            )
        if not statement.replace:
            raise QueryFailed("ALREADY_EXISTS", f"line 1:1: View already exists: 'awsdatacatalog.{database}.{name}'")
    view = View(statement.query or "", session or database, query.columns)
    table = glue_view(name, view, statement.comment)
    if there is None:
        context.metastore.create_table(database, table)
    else:
        context.metastore.update_table(database, table)
    return StatementOutcome(TEXT)


def drop_view(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """Forget a view."""
    database, name = target_of(statement.target, work.execution.database)
    there = context.metastore.table(database, name)
    if there is None:
        if statement.if_exists:
            return StatementOutcome(TEXT)
        raise QueryFailed("TABLE_NOT_FOUND", f"line 1:1: View 'awsdatacatalog.{database}.{name}' does not exist")
    if not is_view(there):
        raise QueryFailed(
            "TABLE_NOT_FOUND",
            f"line 1:1: View 'awsdatacatalog.{database}.{name}' does not exist, but a table with that name exists.",
        )
    context.metastore.drop_table(database, name)
    return StatementOutcome(TEXT)


def show_create_view(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """The statement that makes the view."""
    database, name = target_of(statement.target, work.execution.database)
    there: dict[str, Any] | None = context.metastore.table(database, name)
    if there is None:
        raise QueryFailed("TABLE_NOT_FOUND", f"line 1:1: View 'awsdatacatalog.{database}.{name}' does not exist")
    if not is_view(there):
        raise QueryFailed(
            "NOT_SUPPORTED", f"line 1:1: Relation 'awsdatacatalog.{database}.{name}' is a table, not a view"
        )
    view = read_view({**there, "DatabaseName": database})
    lines = [f"CREATE VIEW {_written(database)}.{_written(name)} AS", *view.sql.split("\n")]
    return StatementOutcome(TEXT, (ColumnMetadata("create view", "varchar"),), lines=lines)


def _written(name: str) -> str:
    """A name, in quotes where it needs them."""
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else f'"{name}"'
