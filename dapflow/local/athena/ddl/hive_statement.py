"""A statement for the Hive side."""

from __future__ import annotations

from dapflow.local.athena.trino import QueryError, Statement


def parse(text: str) -> Statement:
    """Read a statement."""
    raise QueryError("SYNTAX_ERROR", "DDL is not there yet", 1, 1)


def types_of(statement: Statement) -> tuple[str, str]:
    """StatementType and SubstatementType."""
    return "DDL", statement.kind.upper()
