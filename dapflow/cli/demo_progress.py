"""The progress of the demo: alive on a terminal, line by line elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dapflow.cli.steps import Steps
from dapflow.local.airflow.dag_runs import RunState, TaskState
from dapflow.manifest import Manifest

_MARKS = {
    "success": ("●", "green"),
    "failed": ("●", "red"),
    "upstream_failed": ("●", "red dim"),
    "up_for_retry": ("◐", "yellow"),
    "running": ("◐", "cyan"),
    "queued": ("○", "cyan"),
}
_ENDED = ("success", "failed", "upstream_failed", "up_for_retry")


class DemoProgress:
    """Told what happens, it says so on standard error."""

    def __init__(self, manifest: Manifest, began: float) -> None:
        self._manifest = manifest
        self._began = began
        self._console = Console(stderr=True, highlight=False)
        self._steps = Steps()
        self._live: Live | None = None
        self._said: set[tuple[str, str, str, int, str | None]] = set()

    def __enter__(self) -> DemoProgress:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the terminal back."""
        self.close()

    def close(self) -> None:
        """End the live display; its last state stays on the screen."""
        self._steps.rest()
        if self._live is not None:
            self._live.stop()
            self._live = None

    def tell(self, line: str) -> None:
        """A step that is taken."""
        self._steps.tell(f"{self._seconds()} {line}")

    def watch(self, states: list[RunState]) -> None:
        """How the DAG runs are."""
        if not sys.stderr.isatty():
            self._say_changes(states)
            return
        if self._live is None:
            self._steps.rest()
            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()
        self._live.update(self._table(states))

    def _say_changes(self, states: list[RunState]) -> None:
        for state in states:
            for task in state.tasks:
                key = (state.service, state.generation, task.task_id, task.attempt, task.state)
                if task.state in _ENDED and key not in self._said:
                    self._said.add(key)
                    took = f" ({task.seconds:.1f} s)" if task.seconds else ""
                    self.tell(f"{state.service} {state.generation} {task.task_id}: {_words(task)}{took}")
                    self._steps.expect("the DAG runs go on", after=10.0)

    def _table(self, states: list[RunState]) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        for state in states:
            tasks = {task.task_id: task for task in state.tasks}
            ids = [self._manifest.datasets[name].task_id for name in self._manifest.services[state.service].datasets]
            marks = Text()
            for task_id in ids:
                task = tasks.get(task_id)
                marks.append(*_MARKS.get((task.state if task else None) or "", ("○", "dim")))
            busy = [task_id for task_id in ids if task_id in tasks and tasks[task_id].state == "running"]
            done = sum(task.state == "success" for task in state.tasks)
            table.add_row(
                state.service, state.generation, marks, f"{done}/{len(ids)}", state.state or "waits", ", ".join(busy)
            )
        table.caption = self._seconds()
        return table

    def _seconds(self) -> str:
        return f"{time.monotonic() - self._began:5.1f} s"


def _words(task: TaskState) -> str:
    words = {"success": "published", "up_for_retry": "failed, will be tried again", "upstream_failed": "not run"}
    return words.get(task.state or "", task.state or "")
