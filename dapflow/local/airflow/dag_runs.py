"""Run the DAGs of a project for some generations, in their order, and watch them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from dapflow.errors import DapflowError
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.outstanding import ServiceRun, producers
from dapflow.manifest import Manifest
from dapflow.runtime.generation import Generation

_LOOK_SECONDS = 1.0
# How long after the last producer's end Airflow may take to start the run that its assets ask for.
_ASSET_SECONDS = 20.0


@dataclass(frozen=True)
class TaskState:
    """A task of a run."""

    task_id: str
    state: str | None
    seconds: float | None
    attempt: int


@dataclass(frozen=True)
class RunState:
    """How a run is: None until it was started, then Airflow's ``queued``, ``running``, ``success``, ``failed``."""

    service: str
    generation: str
    state: str | None = None
    run_id: str | None = None
    seconds: float | None = None
    tasks: tuple[TaskState, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ("success", "failed")

    def as_dict(self) -> dict[str, Any]:
        """The shape in which it is remembered."""
        return asdict(self)

    @classmethod
    def of_dict(cls, data: dict[str, Any]) -> RunState:
        """The inverse of ``as_dict``."""
        return cls(**{**data, "tasks": tuple(TaskState(**task) for task in data["tasks"])})


Watch = Callable[[list[RunState]], None]


@dataclass
class DagRuns:
    """The runs that are wanted, from the first trigger to the last end.

    ``check`` raises when the platform is no longer there. ``watch`` is told how everything is, several times a second.
    """

    api: AirflowApi
    manifest: Manifest
    wanted: set[ServiceRun]
    check: Callable[[], None]
    watch: Watch
    _run_ids: dict[ServiceRun, str] = field(default_factory=dict)
    _ended: dict[ServiceRun, RunState] = field(default_factory=dict)
    _ready_since: dict[ServiceRun, float] = field(default_factory=dict)

    def complete(self) -> list[RunState]:
        """Run everything; returns the states at the end, some of them perhaps ``failed`` or never started."""
        began = datetime.now(UTC)
        while True:
            states = self._look(began)
            self.watch(states)
            if all(state.ended or self._is_blocked(state, states) for state in states):
                return states
            self._trigger_what_may_run(states)
            self.check()
            time.sleep(_LOOK_SECONDS)

    def _look(self, began: datetime) -> list[RunState]:
        runs = {run["dag_run_id"]: run for run in self.api.dag_runs(since=began)}
        for run_id in runs.keys() - self._run_ids.values():
            # One that assets started: its key is the generation.
            with suppress(DapflowError):
                run = ServiceRun(Generation.parse(runs[run_id]["partition_key"] or ""), runs[run_id]["dag_id"])
                if run in self.wanted:
                    self._run_ids.setdefault(run, run_id)
        return [self._state(run, runs) for run in sorted(self.wanted)]

    def _state(self, run: ServiceRun, runs: dict[str, dict[str, Any]]) -> RunState:
        if run in self._ended:
            return self._ended[run]
        run_id = self._run_ids.get(run)
        if run_id is None or run_id not in runs:
            return RunState(run.service, str(run.generation))
        tasks = [
            TaskState(task["task_id"], task["state"], _seconds(task), task["try_number"])
            for task in self.api.task_instances(run.service, run_id)
        ]
        order = [self.manifest.datasets[dataset].task_id for dataset in self.manifest.services[run.service].datasets]
        tasks.sort(key=lambda task: order.index(task.task_id) if task.task_id in order else len(order))
        data = runs[run_id]
        state = RunState(run.service, str(run.generation), data["state"], run_id, _seconds(data), tuple(tasks))
        if state.ended:
            self._ended[run] = state
        return state

    def _trigger_what_may_run(self, states: list[RunState]) -> None:
        state_of = {ServiceRun(Generation.parse(state.generation), state.service): state for state in states}
        waiting = sorted(run for run in self.wanted - self._run_ids.keys())
        for run in waiting:
            reads = producers(self.manifest, run.service)
            awaited = [
                state_of[service_run]
                for service_run in {ServiceRun(run.generation, service) for service in reads} & self.wanted
            ]
            if any(state.state != "success" for state in awaited):
                continue
            since = self._ready_since.setdefault(run, time.monotonic())
            if self._assets_start(run, len(awaited)) and time.monotonic() - since < _ASSET_SECONDS:
                continue
            self._trigger(run)
        if all(run in self._ended for run in self._run_ids) and not self._ready_since.keys() & set(waiting):
            # Services that read each other's datasets: one with a schedule runs without waiting, as it does by it.
            for run in waiting:
                scheduled = self.manifest.services[run.service].schedule is not None
                if scheduled and not self._is_blocked(state_of[run], states):
                    self._trigger(run)
                    break

    def _trigger(self, run: ServiceRun) -> None:
        self._run_ids[run] = self.api.trigger(run.service, run.generation.key)

    def _assets_start(self, run: ServiceRun, awaited: int) -> bool:
        """Whether the service waits for what it reads, and all of that is being made anew; otherwise nothing would."""
        reads = producers(self.manifest, run.service)
        return bool(reads) and awaited == len(reads) and self.manifest.services[run.service].schedule is None

    def _is_blocked(self, state: RunState, states: Iterable[RunState], asked: frozenset[str] = frozenset()) -> bool:
        """Whether a run will never start because what it waits for failed."""
        if state.state is not None:
            return False
        reads = producers(self.manifest, state.service) - asked
        awaited = [other for other in states if other.generation == state.generation and other.service in reads]
        return any(
            other.state == "failed" or self._is_blocked(other, states, asked | {state.service}) for other in awaited
        )


def _seconds(data: dict[str, Any]) -> float | None:
    """From start to end; None before the end.

    Airflow's own `duration` is not asked: on SQLite some releases count whole seconds twice, and show less than nothing
    (https://github.com/apache/airflow/pull/68142; 3.3.1 has it right).
    """
    start, end = data.get("start_date"), data.get("end_date")
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def failed_tasks(states: Iterable[RunState]) -> list[tuple[RunState, TaskState]]:
    """The tasks that failed, not those that therefore did not run."""
    return [(state, task) for state in states for task in state.tasks if task.state == "failed"]
