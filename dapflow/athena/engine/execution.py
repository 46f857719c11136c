"""One execution of a statement: its state, its figures, and how it is stopped."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from dapflow.athena.engine.errors import AthenaError, Cancelled

QUEUED, RUNNING = "QUEUED", "RUNNING"
SUCCEEDED, FAILED, CANCELLED = "SUCCEEDED", "FAILED", "CANCELLED"
TERMINAL = frozenset({SUCCEEDED, FAILED, CANCELLED})
_INTERRUPT_EVERY_SECONDS = 0.05


@dataclass
class Figures:
    """What an execution took. Times are milliseconds."""

    queued: int = 0
    planning: int = 0
    engine: int = 0
    publishing: int = 0
    total: int = 0
    scanned: int = 0
    input_rows: int = 0
    output_rows: int = 0
    output_bytes: int = 0
    manifest: str | None = None


@dataclass
class Execution:
    """A statement that was submitted. Only the thread that runs it and a stop request change it."""

    text: str
    workgroup: str
    output: str
    database: str | None = None
    catalog: str | None = None
    parameters: tuple[str, ...] = ()
    #: SQL expressions that the statement's question marks stand for.
    arguments: tuple[str, ...] = ()
    token: str | None = None
    statement_type: str = "DML"
    substatement_type: str = ""
    result_configuration: dict[str, Any] = field(default_factory=dict)
    enforced_output: bool = False
    cutoff_bytes: int | None = None
    engine_version: str = "AUTO"
    result_reuse: dict[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = QUEUED
    reason: str | None = None
    error: AthenaError | None = None
    submitted: float = field(default_factory=time.time)
    completed: float | None = None
    figures: Figures = field(default_factory=Figures)
    result_kind: str = "none"
    result_columns: list[tuple[str, str]] = field(default_factory=list)
    update_count: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._stopping: str | None = None
        self._interrupt: Callable[[], object] | None = None
        self._when_ended: list[Callable[[], object]] = []
        self.finished = threading.Event()

    @property
    def is_terminal(self) -> bool:
        """Whether it has come to its end."""
        return self.state in TERMINAL

    def check(self) -> None:
        """Raise Cancelled if it was stopped. Long work outside DuckDB calls this now and then."""
        if self._stopping is not None:
            raise Cancelled(self._stopping)

    def stop(self, reason: str) -> bool:
        """Ask the work to end. False if it has ended already."""
        with self._lock:
            if self.is_terminal:
                return False
            if self._stopping is None:
                self._stopping = reason
                threading.Thread(target=self._keep_interrupting, daemon=True).start()
            return True

    def _keep_interrupting(self) -> None:
        """An interrupt that comes between two DuckDB statements has no effect, so it is repeated until all ended."""
        while not self.finished.is_set():
            with self._lock:
                interrupt = self._interrupt
                if interrupt is not None:
                    interrupt()
            self.finished.wait(_INTERRUPT_EVERY_SECONDS)

    @contextlib.contextmanager
    def interruptible(self, interrupt: Callable[[], object]) -> Iterator[None]:
        """While this is entered, a stop request calls ``interrupt``."""
        with self._lock:
            self._interrupt = interrupt
        try:
            self.check()
            yield
        finally:
            with self._lock:
                self._interrupt = None

    def begin(self) -> None:
        """QUEUED becomes RUNNING."""
        self.check()
        self.state = RUNNING
        # Athena never says 0, not even where nothing waits.
        self.figures.queued = max(1, self._milliseconds())

    def prepare_end(self, reason: str | None, error: AthenaError | None) -> None:
        """All that is true of the end but the state itself."""
        self.completed = time.time()
        self.figures.total = max(1, self._milliseconds())
        self.reason = reason
        self.error = error

    def end(self, state: str, reason: str | None = None, error: AthenaError | None = None) -> None:
        """The terminal state. It is set last, so that who sees it sees all the rest."""
        if self.completed is None:
            self.prepare_end(reason, error)
        with self._lock:
            self.state = state
            waiting, self._when_ended = self._when_ended, []
        self.finished.set()
        for call in waiting:
            call()

    def when_ended(self, call: Callable[[], object]) -> None:
        """Call ``call`` as soon as it has come to its end, from whichever thread."""
        with self._lock:
            if not self.is_terminal:
                self._when_ended.append(call)
                return
        call()

    def _milliseconds(self) -> int:
        return max(0, round((time.time() - self.submitted) * 1000))

    def add_scanned(self, count: int) -> None:
        """Count bytes that are about to be read; above the work group's cutoff the query is cancelled."""
        self.figures.scanned += count
        if self.cutoff_bytes is not None and self.figures.scanned > self.cutoff_bytes:
            raise Cancelled("Query cancelled! : Bytes scanned limit was exceeded")

    def forget_reading(self) -> None:
        """What was read is read again, and counts once."""
        self.figures.scanned = self.figures.input_rows = 0

    @contextlib.contextmanager
    def timed(self, figure: str) -> Iterator[None]:
        """Add the time spent to one of the figures."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = round((time.perf_counter() - started) * 1000)
            setattr(self.figures, figure, getattr(self.figures, figure) + spent)
