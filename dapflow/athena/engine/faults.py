"""Faults that lie in data or machine, not in SQL: what DuckDB says of them, in Athena's words."""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Mapping

import duckdb

from dapflow.athena.engine.errors import QueryFailed

DISK_FULL = "The disk of the embedded Athena is full"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_NO_SPACE = re.compile(r"no space left|disk quota|file too large|max_temp_directory_size", re.IGNORECASE)


def fault_of(error: duckdb.Error, places: Mapping[str, str]) -> QueryFailed | None:
    """The failure that an error stands for, or None if it is about the SQL.

    ``places`` has the URI of each local file that the query reads.
    """
    text = str(error)
    place = next((uri for local, uri in places.items() if local in text), None)
    if place is not None:
        return QueryFailed("HIVE_CURSOR_ERROR", f"Failed to read Parquet file: {place}: the data is damaged")
    if isinstance(error, duckdb.OutOfMemoryException) and not _NO_SPACE.search(text):
        return QueryFailed("EXCEEDED_MEMORY_LIMIT", "Query exhausted resources at this scale factor")
    return disk_fault(error)


def disk_fault(error: BaseException) -> QueryFailed | None:
    """The failure that an error stands for where the disk is full, or a file may not grow; None if it is another."""
    full = (isinstance(error, OSError) and error.errno in _FULL) or _NO_SPACE.search(str(error)) is not None
    if not full and isinstance(error, sqlite3.Error):
        full = str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_FULL", "SQLITE_IOERR"))
    return QueryFailed("INSUFFICIENT_RESOURCES", DISK_FULL) if full else None
