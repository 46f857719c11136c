"""Ctrl-C, a closed terminal and ``kill`` as one exception, that never tears a step in two."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The user wants the command to end, by whichever of the signals ``number`` is."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class _SignalGate:
    def __init__(self) -> None:
        self.depth = 0
        self.waiting: int | None = None

    def arrive(self, number: int, _: FrameType | None) -> None:
        if self.depth:
            self.waiting = number
        else:
            raise Interrupted(number)


_gate = _SignalGate()


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise Interrupted in the main thread when one of the signals arrives."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _gate.arrive) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def shielded() -> Iterator[None]:
    """Let a step end before Interrupted is raised: starting a process and noting it, or cleaning up.

    A step that failed is interrupted too: as likely as not it failed because its processes got the same signal.
    """
    _gate.depth += 1
    try:
        yield
    finally:
        _gate.depth -= 1
        if not _gate.depth and _gate.waiting is not None:
            number, _gate.waiting = _gate.waiting, None
            raise Interrupted(number)
