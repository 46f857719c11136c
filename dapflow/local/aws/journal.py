"""A file of the requests that changed something, in their order, to be made again at the next start."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dapflow.local.aws.wsgi import Environ
from dapflow.servers.state import damaged


@dataclass(frozen=True)
class RequestEntry:
    """A request as it is kept."""

    environ: Environ
    body: bytes

    def line(self) -> bytes:
        """The entry as a line of JSON."""
        try:
            body = {"text": self.body.decode()}
        except UnicodeDecodeError:
            body = {"base64": base64.b64encode(self.body).decode()}
        return json.dumps({"environ": self.environ, **body}, separators=(",", ":")).encode() + b"\n"


class RequestJournal:
    """An append-only file that is safe against a kill at any moment and against a full disk.

    ``append`` returns when the entry is on the disk, or raises OSError and leaves the journal as it was. An entry that
    was only half written when the process died is not an entry.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        self._end = self._drop_torn_tail()
        self.entries = sum(1 for _ in self.read())

    def append(self, entry: RequestEntry) -> int:
        """Add an entry; returns the mark for ``take_back``."""
        mark = self._end
        try:
            self._write(entry.line())
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, mark)
            self._end = mark
            raise
        self.entries += 1
        return mark

    def take_back(self, mark: int) -> None:
        """Remove the entry that was added last: AWS refused the request."""
        os.ftruncate(self._descriptor, mark)
        self._end = mark
        self.entries -= 1

    def read(self) -> Iterator[RequestEntry]:
        """The entries in their order."""
        with self._file.open("rb") as lines:
            for line in lines:
                try:
                    data = json.loads(line)
                    body = base64.b64decode(data["base64"]) if "base64" in data else data["text"].encode()
                    environ = dict(data["environ"])
                except (ValueError, LookupError, TypeError) as error:
                    raise damaged(self._file) from error
                yield RequestEntry(environ, body)

    def replace(self, entries: Iterable[RequestEntry]) -> None:
        """Put other entries in the place of all, at once or, on OSError, not at all."""
        other = self._file.with_suffix(".new")
        try:
            with other.open("wb") as file:
                count = sum(1 for entry in entries if file.write(entry.line()))
                file.flush()
                os.fsync(file.fileno())
            other.replace(self._file)
        except OSError:
            other.unlink(missing_ok=True)
            raise
        os.close(self._descriptor)
        self._descriptor = os.open(self._file, os.O_RDWR)
        self._end = os.fstat(self._descriptor).st_size
        self.entries = count

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)

    def _write(self, data: bytes) -> None:
        while data:
            written = os.pwrite(self._descriptor, data, self._end)
            self._end += written
            data = data[written:]

    def _drop_torn_tail(self) -> int:
        size = os.fstat(self._descriptor).st_size
        tail = size
        while tail and os.pread(self._descriptor, 1, tail - 1) != b"\n":
            tail -= 1
        if tail != size:
            os.ftruncate(self._descriptor, tail)
        return tail
