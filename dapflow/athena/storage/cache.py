"""A bounded directory of files, each named by what it is a copy of: least recently used goes first.

A user of a file takes a hard link to it, so that the cache may drop its own name at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO


class MemoryCache:
    """Short texts by key, in memory."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._total = 0

    def keep(self, key: str, body: bytes) -> None:
        """Keep a text; the oldest ones make room for it."""
        with self._lock:
            self._total += len(body) - len(self._bodies.pop(key, b""))
            self._bodies[key] = body
            while self._total > self._limit:
                _, gone = self._bodies.popitem(last=False)
                self._total -= len(gone)

    def get(self, key: str) -> bytes | None:
        """The text of a key, if it is still here."""
        return self._bodies.get(key)


class FileCache:
    """Files by key. A key names content that never changes, so a file never goes stale."""

    def __init__(self, directory: Path, limit_bytes: int) -> None:
        self._directory = directory
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._making: dict[str, threading.Lock] = {}
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._total = 0
        directory.mkdir(parents=True, exist_ok=True)
        for leftover in directory.glob("*.part*"):
            leftover.unlink(missing_ok=True)
        entries = [(path.stat().st_atime, path.name, path.stat().st_size) for path in directory.iterdir()]
        for _, name, size in sorted(entries):
            self._sizes[name] = size
            self._total += size
        self._evict()

    def link(self, key: str, target: Path, make: Callable[[Path], None]) -> bool:
        """Make ``target`` a link to the file of ``key``, which ``make`` writes if it is not there. True if it was."""
        name = hashlib.sha256(key.encode()).hexdigest()
        if self._take(name, target):
            return True
        with self._one_maker(name):
            if self._take(name, target):
                return True
            part = self._directory / f"{name}.part{threading.get_ident()}"
            try:
                make(part)
                part.replace(target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            self._keep(name, target)
        return False

    def link_kept(self, key: str, target: Path) -> bool:
        """Make ``target`` a link to the file of ``key``, if it is there."""
        return self._take(hashlib.sha256(key.encode()).hexdigest(), target)

    def take(self, key: str, file: Path) -> None:
        """Keep a file that was made elsewhere on the same disk; it is the cache's from now on."""
        self._keep(hashlib.sha256(key.encode()).hexdigest(), file)

    def open(self, key: str, make: Callable[[Path], None]) -> BinaryIO:
        """The file of ``key``, opened; it stays readable when the cache drops it."""
        name = hashlib.sha256(key.encode()).hexdigest()
        with contextlib.suppress(FileNotFoundError):
            return (self._directory / name).open("rb")
        target = self._directory / f"{name}.part-open{threading.get_ident()}"
        try:
            self.link(key, target, make)
            return target.open("rb")
        finally:
            target.unlink(missing_ok=True)

    def _take(self, name: str, target: Path) -> bool:
        try:
            os.link(self._directory / name, target)
        except FileNotFoundError:
            return False
        with self._lock:
            if name in self._sizes:
                self._sizes.move_to_end(name)
        return True

    def _keep(self, name: str, file: Path) -> None:
        size = file.stat().st_size
        if size > self._limit:
            return
        with contextlib.suppress(FileExistsError):
            os.link(file, self._directory / name)
        with self._lock:
            if name not in self._sizes:
                self._sizes[name] = size
                self._total += size
            self._evict()

    def _evict(self) -> None:
        while self._total > self._limit and self._sizes:
            name, size = self._sizes.popitem(last=False)
            self._total -= size
            (self._directory / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _one_maker(self, name: str) -> Iterator[None]:
        """Two queries that need the same object fetch it once."""
        with self._lock:
            lock = self._making.setdefault(name, threading.Lock())
        with lock:
            yield
        with self._lock:
            self._making.pop(name, None)
