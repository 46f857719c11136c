"""The steps of a plan as runs of DAGs: a run has one service's DAG publish one generation of some of its datasets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dapflow.backfill.plan import PlannedStep, Step
from dapflow.manifest import Manifest
from dapflow.runtime.generation import Generation


@dataclass(eq=False)
class PlannedRun:
    """A run of a service's DAG, that begins when those that it comes ``after`` have done their part."""

    service: str
    generation: Generation
    steps: list[PlannedStep] = field(default_factory=list)
    after: set[PlannedRun] = field(default_factory=set)

    def __str__(self) -> str:
        """``air_traffic 2013-12-31``."""
        return f"{self.service} {self.generation}"


def service_runs(steps: Iterable[PlannedStep], manifest: Manifest) -> list[PlannedRun]:
    """As few runs as the order allows, in an order in which they can be done.

    Within one, the DAG has its tasks in order. A service's generation takes two where another service comes between:
    its product is read by another's, which it reads as a slower input.
    """
    runs: list[PlannedRun] = []
    run_of: dict[Step, PlannedRun] = {}
    newest: dict[tuple[str, Generation], PlannedRun] = {}
    for planned in steps:
        key = manifest.dataset(planned.step.dataset).service, planned.step.generation
        needed = {run_of[step] for step in planned.after}
        run = newest.get(key)
        if run is None or _comes_before(run, needed - {run}):
            run = newest[key] = PlannedRun(*key)
            runs.append(run)
        run.steps.append(planned)
        run.after |= needed - {run}
        run_of[planned.step] = run
    return runs


def _comes_before(run: PlannedRun, others: set[PlannedRun]) -> bool:
    """Whether one of the others waits for a run, so that the run cannot wait for it."""
    seen: set[PlannedRun] = set()
    waiting = list(others)
    while waiting:
        if (other := waiting.pop()) is run:
            return True
        if other not in seen:
            seen.add(other)
            waiting += other.after
    return False
