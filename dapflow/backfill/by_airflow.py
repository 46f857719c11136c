"""Doing what a plan says in a deployed environment: its Airflow publishes, run by run, in the order of the plan.

The runs have names that follow from what they are to do. So a second command for the same takes up the runs that are
under way, and a run that is asked for twice is made once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count

from dapflow.backfill.building import StepOutcome, published_meanwhile
from dapflow.backfill.earlier import EarlierBackfills
from dapflow.backfill.mwaa import MwaaAirflow
from dapflow.backfill.plan import BackfillPlan, PlannedStep, Step
from dapflow.backfill.service_runs import PlannedRun, service_runs
from dapflow.backfill.snapshot import Snapshot
from dapflow.errors import DapflowError
from dapflow.runtime.attempts import digest
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.order import RUN_IDS, Asked, configuration
from dapflow.runtime.records import read_record

_LOOK_SECONDS = 5.0
_DIGITS = 16
_UNDER_WAY = ("queued", "running")
# States in which a task stays. One whose upstream failed has nothing to say of its own.
_DONE, _BEHIND_A_FAILURE = "success", "upstream_failed"
_ENDED = frozenset({_DONE, _BEHIND_A_FAILURE, "failed", "skipped", "removed"})
_GONE = "gone"


@dataclass
class AirflowBackfill:
    """Has the Airflow of an environment build a plan's steps.

    Args:
        parallel: how many runs are asked for at a time, at most; Airflow may do fewer at a time.
        again: whether what another backfill publishes meanwhile is published once more.
        tell: told in one line of each run that begins or is taken up.
        pause: waits so many seconds between two looks.
    """

    snapshot: Snapshot
    airflow: MwaaAirflow
    parallel: int
    again: bool = False
    tell: Callable[[str], None] = lambda _line: None
    pause: Callable[[float], None] = time.sleep
    _active: dict[PlannedRun, str] = field(default_factory=dict)
    _attempts: dict[Step, int] = field(default_factory=dict)

    def check(self, plan: BackfillPlan) -> None:
        """Raise DapflowError ``not-deployed``, ``paused`` or ``airflow`` where a run could not begin."""
        for run in {run.service: run for run in service_runs(plan.steps, self.snapshot.manifest)}.values():
            dag_id = self._dag_id(run)
            dag = self.airflow.dag(dag_id)
            if dag is None or dag.get("is_stale"):
                raise DapflowError("not-deployed", f"{self.airflow.name} has no DAG {dag_id}", hint="deploy it first")
            if dag.get("has_import_errors"):
                raise DapflowError(
                    "airflow", f"{self.airflow.name} cannot import {dag_id}", hint="look at it in Airflow"
                )
            if dag.get("is_paused"):
                raise DapflowError(
                    "paused",
                    f"{dag_id} is paused in {self.airflow.name}, so that no run begins",
                    hint="unpause it there",
                )

    def outcomes(self, plan: BackfillPlan) -> Generator[StepOutcome]:
        """Have the steps built; tell each outcome when it is known. After a failure no further run is begun.

        Interrupted, or closed, it leaves the runs that are under way, and says so.
        """
        try:
            yield from self._outcomes(plan)
        finally:
            if self._active:
                runs = f"{len(self._active)} run{' goes' if len(self._active) == 1 else 's go'} on"
                self.tell(f"{runs} in {self.airflow.name}; the same command takes up what is under way")

    def _outcomes(self, plan: BackfillPlan) -> Generator[StepOutcome]:
        waiting = service_runs(plan.steps, self.snapshot.manifest)
        unknown: dict[PlannedRun, list[PlannedStep]] = {}
        while True:
            open_ = {*waiting, *unknown}
            ready = [run for run in waiting if not run.after & open_]
            if not ready and not unknown:
                return
            for run in ready[: self.parallel - len(unknown)]:
                yield from self._published_meanwhile(run)
                if run.steps:
                    self._active[run] = self._begun(run)
                    unknown[run] = list(run.steps)
                waiting.remove(run)
            ended = list(self._ended(unknown)) if unknown else []
            if any(outcome.error is not None for outcome in ended):
                waiting.clear()
            yield from ended
            if unknown and not ended:
                self.pause(_LOOK_SECONDS)

    def _published_meanwhile(self, run: PlannedRun) -> Generator[StepOutcome]:
        """Take out of a run what another backfill has published since the plan was made."""
        for planned in () if self.again else tuple(run.steps):
            if published_meanwhile(self.snapshot, planned):
                run.steps.remove(planned)
                yield StepOutcome(planned.step)

    def _begun(self, run: PlannedRun) -> str:
        """The id of a run that was started, or was under way already."""
        asked = {planned.step.dataset: self._asked(planned) for planned in run.steps}
        self._attempts |= {planned.step: asked[planned.step.dataset].attempts for planned in run.steps}
        parts = (f"{name}:{wanted}" for name, wanted in asked.items())
        stem = f"{RUN_IDS}{run.generation.key}__{digest(self._dag_id(run), *parts)[:_DIGITS]}"
        for number in count(1):
            run_id = f"{stem}__{number}"
            if self.airflow.start(self._dag_id(run), run_id, run.generation.key, configuration(asked)):
                self.tell(f"{run}: begun as {run_id}")
                return run_id
            if self.airflow.run_state(self._dag_id(run), run_id) in _UNDER_WAY:
                self.tell(f"{run}: goes on as {run_id}")
                return run_id
        raise AssertionError

    def _asked(self, planned: PlannedStep) -> Asked:
        dataset = self.snapshot.manifest.dataset(planned.step.dataset)
        attempts = EarlierBackfills(self.snapshot.publications).attempts(dataset, planned.step.generation)
        return Asked(len(attempts), dataset.transform.sha if dataset.transform else "", planned.older)

    def _ended(self, unknown: dict[PlannedRun, list[PlannedStep]]) -> Generator[StepOutcome]:
        """The outcomes of tasks that have ended since the last look, whose steps are taken out of ``unknown``."""
        tasks = {self._task_id(planned) for steps in unknown.values() for planned in steps}
        states = self.airflow.task_states({self._active[run] for run in unknown}, tasks)
        for run, steps in list(unknown.items()):
            for planned in list(steps):
                # A run has all of its tasks from the moment when it is made.
                state = states.get((self._active[run], self._task_id(planned)), _GONE)
                if state not in _ENDED and state != _GONE:
                    continue
                steps.remove(planned)
                if state != _BEHIND_A_FAILURE:
                    yield self._outcome(run, planned, state)
            if not steps:
                del unknown[run], self._active[run]

    def _outcome(self, run: PlannedRun, planned: PlannedStep, state: str) -> StepOutcome:
        step, publications = planned.step, self.snapshot.publications
        if state == _DONE and (made := publications.publication(step.dataset, step.generation)) is not None:
            return StepOutcome(step, made)
        return StepOutcome(step, error=self._error(run, planned, state))

    def _error(self, run: PlannedRun, planned: PlannedStep, state: str) -> DapflowError:
        """Why a task failed, as its last attempt has it on record."""
        step, publications = planned.step, self.snapshot.publications
        task = f"{self._dag_id(run)}, task {self._task_id(planned)} of {step.generation}"
        dataset = self.snapshot.manifest.dataset(step.dataset)
        attempts = EarlierBackfills(publications).attempts(dataset, step.generation)
        if len(attempts) > self._attempts[step]:
            with aws_errors():
                record = read_record(publications.clients.s3, attempts[-1])
            if (error := record.error) is not None:
                return DapflowError(
                    error.code,
                    f"{task}: {error.message}",
                    file=error.file,
                    line=error.line,
                    column=error.column,
                    hint=error.hint,
                )
        return DapflowError(
            "task-failed",
            f"{task} is {state}, and no attempt left on record why nothing of it is published",
            hint=f"look at its run {self._active[run]} in {self.airflow.name}",
        )

    def _dag_id(self, run: PlannedRun) -> str:
        return self.snapshot.publications.environment.dag_id(run.service)

    def _task_id(self, planned: PlannedStep) -> str:
        return self.snapshot.manifest.dataset(planned.step.dataset).task_id
