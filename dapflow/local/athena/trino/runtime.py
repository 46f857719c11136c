"""What a DuckDB connection needs before it runs compiled queries, and what its errors mean."""

from __future__ import annotations

import re

import duckdb

from dapflow.local.athena.trino.errors import QueryError


def prepare_connection(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the macros, functions and settings that compiled queries rely on. Once for a database: cursors share them."""
    connection.execute("SET TimeZone = 'UTC'")


def translate_error(error: Exception) -> QueryError:
    """What Trino would say of an error that DuckDB raised while running a compiled query."""
    text = str(error)
    m = re.search(r"\b([A-Z]+(?:_[A-Z]+)+): (.*)", text)
    if m:
        return QueryError(m[1], m[2])
    return QueryError("GENERIC_INTERNAL_ERROR", "The query failed in the engine")
