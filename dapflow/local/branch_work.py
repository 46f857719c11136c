"""That nothing is built in a branch's environment that is being taken away.

What a run still wrote after the objects were removed would be left for ever. So runs share a lock on the folder in
which the branch is noted, and ``down`` has it alone while it removes. The lock of a process that is killed is free.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dapflow.errors import DapflowError

# A run whose query was stopped ends within seconds.
_SECONDS = 60.0


@contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Build; waits for who removes. Of a folder that is gone nobody has to be kept."""
    if not folder.is_dir():
        yield
        return
    with _opened(folder) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextmanager
def alone(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Remove; waits for runs that are ending. Raises DapflowError ``platform-busy``."""
    deadline, told = time.monotonic() + _SECONDS, False
    with _opened(folder) as descriptor:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DapflowError(
                        "platform-busy",
                        "dapflow branch run has been building in the branch's environment for a minute since",
                        hint="end it; the same command goes on from there",
                    ) from None
                if not told:
                    told = True
                    tell("waiting until dapflow branch run has ended, whose queries are stopped")
                time.sleep(0.1)
            else:
                yield
                return


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
