"""Which objects there are, in one SQLite file. Short bodies are in it too: a file for each takes ten times as long."""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapflow.local.aws.wsgi import Environ
from dapflow.servers.sqlite import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key BLOB NOT NULL, request TEXT NOT NULL, body BLOB, file TEXT, length INTEGER NOT NULL,
    PRIMARY KEY (bucket, key)
)
"""


@dataclass(frozen=True)
class Upload:
    """A PUT request. Its body is here or, if it is long, in the file of that name."""

    request: Environ
    length: int
    body: bytes | None
    file: str | None


class ObjectIndex:
    """The index. What it says is on the disk when a call returns."""

    def __init__(self, file: Path) -> None:
        self._database = SqliteFile(file, _SCHEMA)

    def put(self, bucket: str, key: str, upload: Upload) -> str | None:
        """Keep an object in place of what it was; the name of the file that is no longer needed. Raises OSError."""
        request = json.dumps(upload.request, separators=(",", ":"))
        before = self._file(bucket, key)
        self._run(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)",
            *(bucket, _bytes(key), request, upload.body, upload.file, upload.length),
        )
        return before

    def get(self, bucket: str, key: str) -> Upload | None:
        """An object, or None."""
        sql = "SELECT request, length, body, file FROM objects WHERE bucket = ? AND key = ?"
        rows = self._run(sql, bucket, _bytes(key))
        return _upload(*rows[0]) if rows else None

    def remove(self, bucket: str, key: str) -> str | None:
        """Forget an object; the name of the file that is no longer needed. Raises OSError."""
        before = self._file(bucket, key)
        self._run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, _bytes(key))
        return before

    def all(self) -> Iterator[tuple[str, str, Upload]]:
        """Bucket, key and content of all objects."""
        for bucket, key in self._run("SELECT bucket, key FROM objects"):
            name = key.decode(errors="surrogatepass")
            upload = self.get(bucket, name)
            if upload is not None:
                yield bucket, name, upload

    def _file(self, bucket: str, key: str) -> str | None:
        rows = self._run("SELECT file FROM objects WHERE bucket = ? AND key = ?", bucket, _bytes(key))
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _run(self, sql: str, *parameters: Any) -> list[Any]:
        try:
            return self._database.run(sql, *parameters)
        except sqlite3.OperationalError as error:
            raise OSError(errno.EIO, str(error)) from error


def _upload(request: str, length: int, body: bytes | None, file: str | None) -> Upload:
    return Upload(json.loads(request), length, body, file)


def _bytes(key: str) -> bytes:
    return key.encode(errors="surrogatepass")
