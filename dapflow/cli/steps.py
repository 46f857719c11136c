"""What a command is doing, so that it is never silent for long: lines on standard error, alive on a terminal."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

# A step that takes longer is named, where it was not at its beginning.
_PATIENCE = 1.0
# Without a terminal, a step that goes on is named again after so many seconds.
_AGAIN = 10.0
_LOOK = 0.2
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Steps:
    """A context manager that says what is done, and that it still is: on a terminal by a clock, else by a line.

    Nothing else may be written to the terminal until it ends, or ``rest`` is called.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line = ""
        self._said = True
        self._began = time.monotonic()
        self._patience, self._again = _PATIENCE, _AGAIN
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._live: Live | None = None

    def __enter__(self) -> Steps:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the terminal to others."""
        self.rest()

    def tell(self, line: str) -> None:
        """A step begins: say so."""
        with self._lock:
            self._print(line)
            self._begin(line, said=True)

    def expect(self, line: str, *, after: float = _PATIENCE) -> None:
        """A step begins that may be short: say so ``after`` some seconds, on a terminal after one in any case."""
        with self._lock:
            self._begin(line, said=False)
            self._patience = after

    def rest(self) -> None:
        """The last step is over."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._live is not None:
            self._live.stop()
            self._live = None
        self._line = ""

    def _begin(self, line: str, *, said: bool) -> None:
        self._line, self._said, self._began = line, said, time.monotonic()
        self._patience, self._again = _PATIENCE, _AGAIN
        if self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(target=self._watch, name="steps", daemon=True)
            self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(_LOOK):
            with self._lock:
                self._look(time.monotonic() - self._began)

    def _look(self, seconds: float) -> None:
        alive = sys.stderr.isatty()
        if not self._line or seconds < (_PATIENCE if alive else self._patience):
            return
        if not self._said:
            self._said = True
            self._print(self._line)
        if alive:
            self._animate()
        elif seconds >= self._again:
            self._again += _AGAIN
            self._print(f"{self._line}: not done yet ({seconds:.0f} s)")

    def _animate(self) -> None:
        if self._live is None:
            from rich.console import Console  # noqa: PLC0415 (takes a tenth of a second)
            from rich.live import Live  # noqa: PLC0415

            console = Console(stderr=True, highlight=False)
            self._live = Live(console=console, get_renderable=self._clock, transient=True, redirect_stdout=False)
            self._live.start()

    def _clock(self) -> Text:
        from rich.text import Text  # noqa: PLC0415

        seconds = time.monotonic() - self._began
        if seconds < _PATIENCE:
            return Text("")
        return Text(f"{_FRAMES[int(seconds * 8) % len(_FRAMES)]} {seconds:.0f} s", style="dim")

    def _print(self, line: str) -> None:
        if self._live is not None:
            self._live.console.print(line, markup=False, soft_wrap=True)
        else:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()
