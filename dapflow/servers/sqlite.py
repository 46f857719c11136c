"""A SQLite file that the threads of a server share."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dapflow.servers.state import damaged


class SqliteFile:
    """One file, made with ``schema``. What was written is there when the process is killed.

    Only a crash of the machine may lose the last moments.
    """

    def __init__(self, file: Path, schema: str) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        with self._damage_named():
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._connection.executescript(schema)

    def run(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a statement; its rows. Raises sqlite3.Error, or DapflowError ``state-damaged``."""
        with self._lock, self._damage_named():
            return self._connection.execute(sql, parameters).fetchall()

    @contextlib.contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorname in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
                raise damaged(self._file) from error
            raise

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
