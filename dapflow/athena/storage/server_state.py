"""What survives a restart: executions, work groups, saved queries. One SQLite file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dapflow.servers.sqlite import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, workgroup TEXT NOT NULL, submitted REAL NOT NULL, state TEXT NOT NULL, token TEXT,
    body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS executions_of_workgroup ON executions (workgroup, submitted DESC, id);
CREATE INDEX IF NOT EXISTS executions_by_token ON executions (token);
CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key));
"""


class ServerState:
    """The state file. Every write is on disk when the call returns."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._database = SqliteFile(directory / "athena.sqlite", _SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def put(self, kind: str, key: str, body: dict[str, Any]) -> None:
        """Keep a document."""
        self._database.run("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", kind, key, json.dumps(body))

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """A document, or None."""
        rows = self._database.run("SELECT body FROM documents WHERE kind = ? AND key = ?", kind, key)
        return json.loads(rows[0][0]) if rows else None

    def remove(self, kind: str, key: str) -> None:
        """Forget a document."""
        self._database.run("DELETE FROM documents WHERE kind = ? AND key = ?", kind, key)

    def documents(self, kind: str) -> Iterator[dict[str, Any]]:
        """All documents of a kind, by key."""
        for (body,) in self._database.run("SELECT body FROM documents WHERE kind = ? ORDER BY key", kind):
            yield json.loads(body)

    def put_execution(
        self, identity: str, workgroup: str, submitted: float, state: str, token: str | None, body: dict[str, Any]
    ) -> None:
        """Keep an execution as it is now."""
        self._database.run(
            "INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body",
            *(identity, workgroup, submitted, state, token, json.dumps(body)),
        )

    def execution(self, identity: str) -> dict[str, Any] | None:
        """An execution, or None."""
        rows = self._database.run("SELECT body FROM executions WHERE id = ?", identity)
        return json.loads(rows[0][0]) if rows else None

    def execution_by_token(self, token: str) -> str | None:
        """The id of the execution that was started with a client's token."""
        rows = self._database.run("SELECT id FROM executions WHERE token = ?", token)
        return rows[0][0] if rows else None

    def execution_ids(self, workgroup: str, limit: int, offset: int) -> list[str]:
        """Ids of a work group's executions, newest first."""
        sql = "SELECT id FROM executions WHERE workgroup = ? ORDER BY submitted DESC, id LIMIT ? OFFSET ?"
        return [row[0] for row in self._database.run(sql, workgroup, limit, offset)]

    def remove_executions(self, workgroup: str) -> None:
        """Forget the executions of a work group that have ended."""
        self._database.run(
            "DELETE FROM executions WHERE workgroup = ? AND state NOT IN ('QUEUED', 'RUNNING')", workgroup
        )

    def unfinished(self) -> list[dict[str, Any]]:
        """Executions that were queued or running when the state was last written."""
        rows = self._database.run("SELECT body FROM executions WHERE state IN ('QUEUED', 'RUNNING')")
        return [json.loads(row[0]) for row in rows]
