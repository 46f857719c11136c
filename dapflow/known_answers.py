"""What was found out before, by all that it was made of: in ``.dapflow/known/``, a file for each kind of answer.

An answer is found by nothing but a hash of what it was made of, in a file that this very dapflow wrote: none can be out
of date. What is not just as it was written is not known, and who cannot write finds it out again.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

from dapflow import __version__
from dapflow.files import write_whole

_FOLDER = Path(".dapflow", "known")
#: Packages that what people write is read with, besides Python's own.
_PACKAGES = ("yaml", "croniter", "duckdb", "regex")


@cache
def reader() -> str:
    """Which dapflow it is, with Python and the packages that it reads with, as a hash."""
    parts = [__version__, sys.version]
    for file in sorted(_code()):
        status = os.stat(file)  # noqa: PTH116 - there are hundreds, and their names suffice
        parts.append(f"{file}\0{status.st_size}\0{status.st_mtime_ns}")
    return key_of(parts)


def _code() -> Iterator[str]:
    for folder, _, names in os.walk(Path(__file__).parent):
        yield from (f"{folder}/{name}" for name in names if name.endswith(".py"))
    for package in _PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            yield spec.origin


def key_of(*parts: object) -> str:
    """A name for what an answer is made of: texts, which may be long, and other values of JSON."""
    digest = hashlib.sha256()
    for part in parts:
        kind, written = (b"t", part) if isinstance(part, str) else (b"j", json.dumps(part))
        data = written.encode("utf-8", "surrogatepass")
        digest.update(b"%b%d:%b" % (kind, len(data), data))
    return digest.hexdigest()[:32]


class KnownAnswers:
    """Answers of one kind about a project, which are values of JSON, by their keys (see ``key_of``)."""

    def __init__(self, root: Path, kind: str) -> None:
        self._file = root / _FOLDER / kind
        #: Lines of the file: a key, a checksum and the answer.
        self._before: dict[str, bytes] = {}
        self._now: dict[str, bytes] = {}
        with suppress(OSError, ValueError):
            first, *lines = self._file.read_bytes().split(b"\n")
            if first == reader().encode():
                self._before = {line.partition(b" ")[0].decode("ascii"): line for line in lines}

    def get(self, key: str) -> Any:
        """An answer; None where it is not known."""
        line = self._before.get(key, b"")
        answer = line[len(key) + 10 :]
        if not answer or line != _line(key, answer):
            return None
        self._now[key] = line
        return json.loads(answer)

    def put(self, key: str, answer: str) -> None:
        """Note an answer, which is written as JSON already."""
        self._now[key] = _line(key, answer.encode())

    def write(self) -> None:
        """Write what was asked for and what was put; all else is forgotten."""
        if self._now != self._before:
            with suppress(OSError):
                write_whole(self._file, b"\n".join([reader().encode(), *self._now.values()]), lasting=False)


def _line(key: str, answer: bytes) -> bytes:
    return b"%b %08x %b" % (key.encode(), crc32(answer, crc32(key.encode())), answer)
