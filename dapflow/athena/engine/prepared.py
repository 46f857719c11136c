"""Prepared statements: PREPARE, DEALLOCATE PREPARE, and what EXECUTE runs."""

from __future__ import annotations

import time
from typing import Any

from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.results import TEXT, StatementOutcome
from dapflow.athena.engine.session import Work
from dapflow.athena.storage.server_state import ServerState
from dapflow.trino.duckdb import Statement

KIND = "prepared_statement"


def prepared_key(workgroup: str, name: str) -> str:
    """A statement's name is its work group's own."""
    return f"{workgroup}\n{name}"


def find_prepared(state: ServerState, workgroup: str, name: str) -> dict[str, Any] | None:
    """A prepared statement as GetPreparedStatement shows it, or None. PREPARE's names are in lower case."""
    return state.get(KIND, prepared_key(workgroup, name))


def keep_prepared(state: ServerState, workgroup: str, name: str, query: str, description: str | None = None) -> None:
    """Keep a prepared statement."""
    body: dict[str, Any] = {
        "StatementName": name,
        "QueryStatement": query,
        "WorkGroupName": workgroup,
        "LastModifiedTime": time.time(),
    }
    if description is not None:
        body["Description"] = description
    state.put(KIND, prepared_key(workgroup, name), body)


def prepare(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """PREPARE name FROM statement."""
    keep_prepared(context.state, work.execution.workgroup, statement.target[0], statement.query or "")
    return StatementOutcome(TEXT)


def deallocate(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """DEALLOCATE PREPARE name."""
    workgroup, name = work.execution.workgroup, statement.target[0]
    if find_prepared(context.state, workgroup, name) is None:
        raise QueryFailed("NOT_FOUND", f"PreparedStatement {name} was not found in workGroup {workgroup}")
    context.state.remove(KIND, prepared_key(workgroup, name))
    return StatementOutcome(TEXT)
