"""Doing what a plan says: each step by the run time, as soon as what it reads is there, several at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from dapflow.backfill.earlier import EarlierBackfills
from dapflow.backfill.plan import BackfillPlan, PlannedStep, Step
from dapflow.backfill.snapshot import Snapshot
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime.aws import PassingError
from dapflow.runtime.dataset_location import run_of
from dapflow.runtime.limit import WHOLE, InputLimit
from dapflow.runtime.order import BACKFILL
from dapflow.runtime.publication import Publication
from dapflow.runtime.publish import Publisher

# For a project, and the service whose dataset is published.
MakePublisher = Callable[[Manifest, str], Publisher]


@dataclass(frozen=True)
class StepOutcome:
    """How a step ended: with a publication, with an error, or with neither, as another backfill has published it."""

    step: Step
    publication: Publication | None = None
    error: DapflowError | None = None


def published_meanwhile(snapshot: Snapshot, planned: PlannedStep, limit: InputLimit = WHOLE) -> bool:
    """Whether another backfill, by the same limit, has published a step since the plan was made."""
    step, publications = planned.step, snapshot.publications
    before = snapshot.published(step.dataset).get(step.generation)
    now = publications.publication(step.dataset, step.generation)
    if (before.run_id if before else "") == (run_of(now.location) if now else ""):
        return False
    manifest = planned.manifest(snapshot.manifest)
    return EarlierBackfills(publications, limit).published(manifest, step.dataset, step.generation)


@dataclass
class Backfill:
    """Builds a plan's steps.

    Args:
        publisher: makes one for a project; each step has its own, as each has a thread of its own.
        again: whether what another backfill publishes meanwhile is published once more.
        pauses: seconds before each further attempt at a step that ended with what may pass.
        limit: what the steps read of their inputs; the publishers that are made have it too.
    """

    snapshot: Snapshot
    publisher: MakePublisher
    parallel: int
    again: bool = False
    pauses: Sequence[float] = ()
    limit: InputLimit = WHOLE
    _ending: threading.Event = field(default_factory=threading.Event)
    _active: dict[Step, Publisher] = field(default_factory=dict)

    def outcomes(self, plan: BackfillPlan) -> Generator[StepOutcome]:
        """Build; tell each outcome when it is known. After a failure no further step is begun.

        Interrupted, or closed, it stops the queries that run.
        """
        waiting = {planned.step: planned for planned in plan.steps}
        running: dict[Future[StepOutcome], Step] = {}
        pool = ThreadPoolExecutor(self.parallel)
        try:
            while True:
                open_ = waiting.keys() | set(running.values())
                ready = (planned for planned in waiting.values() if not planned.after & open_)
                for planned in list(ready)[: self.parallel - len(running)]:
                    running[pool.submit(self._outcome, planned)] = planned.step
                    del waiting[planned.step]
                if not running:
                    return
                ended, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in ended:
                    del running[future]
                    outcome = future.result()
                    if outcome.error is not None:
                        waiting.clear()
                    yield outcome
        finally:
            self._ending.set()
            for publisher in tuple(self._active.values()):
                publisher.stop()
            pool.shutdown(cancel_futures=True)

    def _outcome(self, planned: PlannedStep) -> StepOutcome:
        pauses = iter(self.pauses)
        while True:
            try:
                return StepOutcome(planned.step, self._publish(planned))
            except PassingError as error:
                pause = next(pauses, None)
                if pause is None or self._ending.wait(pause):
                    return StepOutcome(planned.step, error=error)
            except DapflowError as error:
                return StepOutcome(planned.step, error=error)

    def _publish(self, planned: PlannedStep) -> Publication | None:
        """Publish a step, as ``dapflow run --generation`` does."""
        step, manifest = planned.step, planned.manifest(self.snapshot.manifest)
        publications = self.snapshot.publications
        if not self.again and published_meanwhile(self.snapshot, planned, self.limit):
            return None
        dataset = manifest.dataset(step.dataset)
        publisher = self._active[step] = self.publisher(manifest, dataset.service)
        try:
            # Each attempt has its own number.
            attempt = len(EarlierBackfills(publications).attempts(dataset, step.generation)) + 1
            return publisher.publish(step.dataset, step.generation, BACKFILL, attempt)
        finally:
            del self._active[step]
