"""Which process runs something, so that one that was killed without a word is known on its own machine."""

from __future__ import annotations

import os
import socket


def this_process() -> str:
    """The machine and the number of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def has_ended(process: str) -> bool:
    """Whether a process of this machine is there no more. Of another machine's, and of none, nobody knows."""
    host, _, number = process.rpartition(":")
    if host != socket.gethostname() or not number.isdecimal():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # somebody else's
    return False
