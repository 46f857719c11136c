"""The directory of a server: one of its own, for one process at a time."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from pathlib import Path
from typing import TextIO

from dapflow.errors import DapflowError

_PREFIX = "dapflow-athena-"
_LOCK = "lock"


def make_directory(wanted: Path | None) -> Path:
    """The directory that is wanted, or a temporary one; those of servers that were killed are removed."""
    if wanted is not None:
        try:
            wanted.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DapflowError("state-directory", f"{wanted} cannot be made: {error.strerror}") from error
        return wanted.resolve()
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK}"):
        with contextlib.suppress(OSError), left.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()


def lock_directory(directory: Path) -> TextIO:
    """Hold the directory; the lock ends with the process, however it ends."""
    lock = (directory / _LOCK).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise DapflowError(
            "state-directory", f"{directory} is in use by another server", hint="stop that one, or give another --state"
        ) from error
    return lock
