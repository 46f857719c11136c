"""What a backfill is to build: which generations of which datasets, after which others, and what they lack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dapflow.backfill.calendar import Calendar
from dapflow.backfill.snapshot import Snapshot
from dapflow.errors import DapflowError
from dapflow.local.selection import comes_less_often
from dapflow.manifest import Dataset, Manifest
from dapflow.runtime.generation import Generation, newest

OnMissing = Literal["fail", "skip", "previous"]
_MOST_NAMED = 20


@dataclass(frozen=True, order=True)
class Step:
    """A generation of a dataset."""

    generation: Generation
    dataset: str

    def __str__(self) -> str:
        """``air_traffic.refined.delays 2013-12-31``."""
        return f"{self.dataset} {self.generation}"


@dataclass(frozen=True)
class MissingInput:
    """What a step lacks: a generation of ``input``, or landing files where that is the step's own raw table.

    ``previous`` is the newest generation before, which may stand for it; None without one.
    """

    step: Step
    input: str
    previous: Generation | None

    def __str__(self) -> str:
        """In a sentence."""
        if self.input == self.step.dataset:
            return f"{self.step}: no files have landed, and it is not published"
        before = f"; the newest before is {self.previous}" if self.previous else ", and none before"
        return f"{self.step}: {self.input} has no generation {self.step.generation}{before}"

    @property
    def stands_in(self) -> bool:
        """Whether ``previous`` helps. Of a raw table nothing is built, and who reads it is asked for itself."""
        return self.previous is not None or self.input == self.step.dataset


@dataclass(frozen=True)
class PlannedStep:
    """A step that is built, ``after`` those whose result it reads.

    ``older`` are the inputs of which it reads the generation before, because theirs is missing.
    """

    step: Step
    after: frozenset[Step]
    older: tuple[str, ...] = ()

    def manifest(self, project: Manifest) -> Manifest:
        """The project as it is for this step: with ``on_missing: previous`` for what is missing."""
        return project.reading_older(self.step.dataset, self.older)


@dataclass(frozen=True)
class BackfillPlan:
    """All that a backfill is about, day by day.

    Attributes:
        steps: what is built, in an order in which it can be.
        done: what an earlier backfill has published already.
        kept: generations of raw tables whose landing files are gone; they stay as they are.
        missing: what is not there. left_out: what is not built, for want of it.
    """

    steps: tuple[PlannedStep, ...]
    done: tuple[Step, ...]
    kept: tuple[Step, ...]
    missing: tuple[MissingInput, ...]
    left_out: tuple[Step, ...]


IsDone = Callable[[PlannedStep], bool]


def with_upstream(manifest: Manifest, datasets: Iterable[Dataset]) -> list[Dataset]:
    """These datasets and all that they are made of, in publishing order."""
    chosen: set[str] = set()
    waiting = [dataset.id for dataset in datasets]
    while waiting:
        if (dataset_id := waiting.pop()) not in chosen:
            chosen.add(dataset_id)
            waiting += manifest.dataset(dataset_id).depends_on
    return [dataset for dataset in manifest.datasets.values() if dataset.id in chosen]


def plan_backfill(
    snapshot: Snapshot,
    datasets: Sequence[Dataset],
    days: Sequence[Generation],
    is_done: IsDone,
    on_missing: OnMissing = "fail",
) -> BackfillPlan:
    """What there is to build of ``datasets``, which are in publishing order, on ``days``. Nothing is changed.

    Raises DapflowError ``missing-inputs`` for what is missing and may not be, and ``nothing-to-backfill``.
    """
    environment = snapshot.publications.environment
    own = [dataset for dataset in datasets if environment.publishes(dataset.id) and not dataset.external]
    if not own:
        raise DapflowError("nothing-to-backfill", "none of it is published here: it is only read")
    planner = _Planner(snapshot, Calendar(snapshot, days), is_done, on_missing)
    for day in days:
        for dataset in own:
            if day in planner.calendar.of(dataset.id):
                planner.consider(dataset, day)
    planner.check()
    return planner.plan()


class _Planner:
    """Goes through the days in their order; what comes later may read what came before."""

    def __init__(self, snapshot: Snapshot, calendar: Calendar, is_done: IsDone, on_missing: OnMissing) -> None:
        self.snapshot = snapshot
        self.calendar = calendar
        self.is_done = is_done
        self.on_missing = on_missing
        self.steps: dict[Step, PlannedStep] = {}
        self.done: list[Step] = []
        self.kept: list[Step] = []
        self.missing: list[MissingInput] = []
        self.left_out: dict[Step, None] = {}
        self._planned: dict[str, list[Generation]] = {}

    def consider(self, dataset: Dataset, day: Generation) -> None:
        """Take a generation of a dataset into the plan, or note why not."""
        step = Step(day, dataset.id)
        if dataset.transform is None and not self._is_to_load(dataset, step):
            return
        slower = dataset.transform.slower_inputs if dataset.transform else ()
        needed = (name for name in dataset.depends_on if self.snapshot.manifest.dataset(name).has_generations)
        lacking = [self._missing(step, read) for read in needed if not self._is_there(read, day, slower=read in slower)]
        if any(Step(day, missing.input) in self.left_out for missing in lacking) and self.on_missing != "previous":
            self.left_out[step] = None  # what that one lacks is named
            return
        self.missing += lacking
        if lacking and (self.on_missing != "previous" or any(missing.previous is None for missing in lacking)):
            self.left_out[step] = None
            return
        older = tuple(missing.input for missing in lacking)
        self._take(PlannedStep(step, self._before(dataset, day, {*slower, *older}), older))

    def check(self) -> None:
        """Raise DapflowError ``missing-inputs`` where something is missing that may not be."""
        fatal = [missing for missing in self.missing if self.on_missing == "fail" or not missing.stands_in]
        if not fatal or self.on_missing == "skip":
            return
        named = "\n".join(f"  {missing}" for missing in fatal[:_MOST_NAMED])
        more = f"\n  and {len(fatal) - _MOST_NAMED} more" if len(fatal) > _MOST_NAMED else ""
        # A branch builds its own products in any case, and no others.
        branch = self.snapshot.publications.environment.branch
        upstream = "" if branch else " (--with-upstream builds products that are read, too)"
        raise DapflowError(
            "missing-inputs",
            f"{len(fatal)} input generation{' is' if len(fatal) == 1 else 's are'} missing; nothing was run:\n"
            f"{named}{more}",
            hint=f"publish them first{upstream}, leave out what needs them with --on-missing skip"
            + (", or read the generation before with --on-missing previous" if self.on_missing == "fail" else ""),
        )

    def plan(self) -> BackfillPlan:
        """What was taken into it."""
        return BackfillPlan(
            tuple(self.steps.values()), tuple(self.done), tuple(self.kept), tuple(self.missing), tuple(self.left_out)
        )

    def _is_to_load(self, dataset: Dataset, step: Step) -> bool:
        """Whether files of a raw table have landed; if not, note what becomes of the generation."""
        if step.generation in self.snapshot.landed(dataset.id):
            return True
        if step.generation in self.snapshot.generations(dataset.id):
            self.kept.append(step)
        elif not comes_less_often(self.snapshot.manifest, dataset):
            self.missing.append(self._missing(step, dataset.id))
            self.left_out[step] = None
        return False

    def _take(self, planned: PlannedStep) -> None:
        if not any(before in self.steps for before in planned.after) and self.is_done(planned):
            self.done.append(planned.step)
        else:
            self.steps[planned.step] = planned
            self._planned.setdefault(planned.step.dataset, []).append(planned.step.generation)

    def _is_there(self, read: str, day: Generation, *, slower: bool) -> bool:
        """Whether an input has a generation by now, or will have it when its step is done."""
        if slower:
            return self._newest(read, day) is not None
        return Step(day, read) in self.steps or day in self.snapshot.generations(read)

    def _newest(self, read: str, day: Generation) -> Generation | None:
        return newest((*self.snapshot.generations(read), *self._planned.get(read, ())), not_after=day)

    def _missing(self, step: Step, read: str) -> MissingInput:
        reader = self.snapshot.manifest.dataset(step.dataset)
        # What the checks of a raw table read has to be of its day.
        older = self._newest(read, step.generation) if reader.transform or read == step.dataset else None
        return MissingInput(step, read, older)

    def _before(self, dataset: Dataset, day: Generation, slower: set[str]) -> frozenset[Step]:
        """The steps whose result a step reads: of a history all days up to its own."""
        before: set[Step] = set()
        for read, kind in _reads(dataset):
            if kind == "history":
                before |= {Step(planned, read) for planned in self._planned.get(read, ())}
            elif read in slower and (older := self._newest(read, day)) is not None:
                before.add(Step(older, read))
            else:
                before.add(Step(day, read))
        return frozenset(before & self.steps.keys())


def _reads(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """What a dataset's text and its checks read, and by which of its names; its row counts, of its own past."""
    for reference in dataset.transform.references if dataset.transform else ():
        yield reference.dataset, reference.kind
    for check in dataset.checks:
        yield from ((reference.dataset, reference.kind) for reference in check.references)
        if check.dataset is not None:
            yield check.dataset, "current"
        if check.percent is not None:
            yield dataset.id, "history"
