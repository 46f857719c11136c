"""A SQLite file that the threads of a server share."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any


class Database:
    """One file, made with ``schema``. What was written is there when the process is killed.

    Only a crash of the machine may lose the last moments.
    """

    def __init__(self, file: Path, schema: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(schema)

    def run(self, sql: str, *parameters: Any) -> list[Any]:
        """Run a statement; its rows. Raises sqlite3.Error."""
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
