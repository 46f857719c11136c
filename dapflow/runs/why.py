"""Why a dataset is not current: what is missing or outdated, since when, and what to do; through all that it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.publications.altered import altered_tables, damaged_generation
from dapflow.publications.published import Publications, PublishedGeneration
from dapflow.runs.recent import JudgedRun, runs_of
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.declared import checks_sha256, declared_in, terms_sha256
from dapflow.runtime.generation import Generation
from dapflow.runtime.inputs import Input
from dapflow.runtime.landing.landing_files import content_there
from dapflow.runtime.objects import list_objects
from dapflow.runtime.record import RecordedInput, RunRecord

# A run that waited for what it reads says nothing that the look at what it reads does not say better.
_WAITED = frozenset({"not-published", "landing-missing"})

_COMMIT = 9


@dataclass(frozen=True)
class Reason:
    """What keeps a dataset from being current.

    Attributes:
        dataset, generation: what is missing or outdated, which may be something that is read far above.
        code: of the error, or ``landing-missing``, ``landing-changed``, ``input-changed``, ``text-changed``,
            ``terms-changed``, ``damaged-generation``, ``altered-table``, ``external-missing``, ``running``, ``killed``,
            ``stopped``, ``withdrawn``, ``not-run``.
        since: ISO time in UTC; empty where nobody knows.
        through: the datasets between, from the one that was asked about.
    """

    dataset: str
    generation: str
    code: str
    message: str
    since: str = ""
    hint: str = ""
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Currency:
    """Whether a dataset is current. ``expected`` is the newest generation that what it is made of has.

    ``unpublished``: of one that is current, what became of a later run that published nothing.
    """

    dataset: str
    shown: Generation | None
    expected: Generation | None
    reasons: tuple[Reason, ...]
    unpublished: Reason | None = None

    @property
    def current(self) -> bool:
        """Whether nothing is missing or outdated."""
        return self.expected is not None and not self.reasons

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {
            "dataset": self.dataset,
            "current": self.current,
            "shown": str(self.shown) if self.shown else None,
            "expected": str(self.expected) if self.expected else None,
            "reasons": [{**asdict(reason), "through": list(reason.through)} for reason in self.reasons],
            "unpublished": asdict(self.unpublished) if self.unpublished else None,
        }


class CurrencyLook:
    """One look at what is published, landed and recorded; each dataset is asked about once."""

    def __init__(self, publications: Publications) -> None:
        self.publications = publications
        self.manifest = publications.manifest
        self._published: dict[str, dict[Generation, PublishedGeneration]] = {}
        self._expected: dict[str, Generation | None] = {}
        self._told: set[tuple[str, Generation]] = set()

    def at(self, dataset: Dataset, generation: Generation | None = None) -> Currency:
        """Whether a dataset is current, or has a ``generation`` as it should be."""
        self._told = set()
        wanted = generation or self.expected(dataset)
        reasons = tuple(self._reasons(dataset, wanted, ())) if wanted else ()
        noted = self._of(dataset).get(wanted) if wanted and not reasons else None
        unpublished = self._since(dataset, wanted, noted, ()) if wanted and noted else None
        return Currency(dataset.id, self.publications.shown(dataset.id), wanted, reasons, unpublished)

    def expected(self, dataset: Dataset) -> Generation | None:
        """The newest generation that a dataset should have by what it is made of, or has."""
        if dataset.id not in self._expected:
            days = set(self.publications.generations(dataset.id))
            if dataset.source is not None and self.publications.environment.publishes(dataset.id):
                days |= set(self.publications.landed(dataset.id))
            days |= {day for upstream in self._needed(dataset) if (day := self.expected(upstream)) is not None}
            self._expected[dataset.id] = max(days, default=None)
        return self._expected[dataset.id]

    def _reasons(self, dataset: Dataset, day: Generation, through: tuple[str, ...]) -> Iterator[Reason]:
        """What keeps a generation of a dataset from being there and current; once, however often it is read."""
        if (dataset.id, day) in self._told:
            return
        self._told.add((dataset.id, day))
        if dataset.external or not self.publications.environment.publishes(dataset.id):
            if day not in self.publications.generations(dataset.id):
                yield Reason(
                    dataset.id, str(day), "external-missing", "something else makes it, and has not made it yet",
                    hint="ask whoever makes it", through=through,
                )  # fmt: skip
            return
        noted = self._of(dataset).get(day)
        if noted is None:
            yield from self._missing(dataset, day, through)
        else:
            yield from self._outdated(dataset, day, noted, through)

    def _missing(self, dataset: Dataset, day: Generation, through: tuple[str, ...]) -> Iterator[Reason]:
        missing = [
            upstream for upstream in self._needed(dataset) if day not in self.publications.generations(upstream.id)
        ]
        for upstream in missing:
            yield from self._reasons(upstream, day, (*through, dataset.id))
        runs = self._runs(dataset, day)
        if runs and not _waited(runs[0]):
            yield self._of_run(dataset, day, runs, through)
        elif dataset.source is not None and day not in self.publications.landed(dataset.id):
            yield Reason(
                dataset.id, str(day), "landing-missing", "no files have landed for it",
                since=runs[-1].record.started if runs else "",
                hint=f"land them: dapflow land FILE --to {dataset.service}.{dataset.name} --date {day}",
                through=through,
            )  # fmt: skip
        elif not missing:
            yield Reason(
                dataset.id, str(day), "not-run", "all that it needs is there, and no run has made it",
                hint=_run(dataset, day), through=through,
            )  # fmt: skip

    def _outdated(
        self, dataset: Dataset, day: Generation, noted: PublishedGeneration, through: tuple[str, ...]
    ) -> Iterator[Reason]:
        changes = list(self._changes(dataset, day, noted, through))
        yield from changes
        if changes and (unpublished := self._since(dataset, day, noted, through)) is not None:
            yield unpublished
        publication = self.publications.publication(dataset.id, day)
        for read in publication.inputs if publication else ():
            if read.generation and read.dataset != dataset.id:
                upstream = self.manifest.dataset(read.dataset)
                yield from self._reasons(upstream, Generation.parse(read.generation), (*through, dataset.id))

    def _since(
        self, dataset: Dataset, day: Generation, noted: PublishedGeneration, through: tuple[str, ...]
    ) -> Reason | None:
        """What became of the newest run since a generation was published, where that published nothing."""
        runs = [run for run in self._runs(dataset, day) if run.record.started > noted.at]
        told = runs and runs[0].outcome != "published" and not _waited(runs[0])
        return self._of_run(dataset, day, runs, through) if told else None

    def _changes(
        self, dataset: Dataset, day: Generation, noted: PublishedGeneration, through: tuple[str, ...]
    ) -> Iterator[Reason]:
        """What has changed since a generation was made: its text, its landing files, what it read."""
        again = {"hint": _run(dataset, day), "through": through}
        record = self._record(dataset, day, noted)
        if (said := damaged_generation(self.publications, dataset, day)) is not None:
            yield Reason(dataset.id, str(day), "damaged-generation", said, **again)  # type: ignore[arg-type]
        for said in altered_tables(self.publications, dataset):
            mend = f"publish it again, {_run(dataset, day)}; what that does not mend, put back in Glue"
            yield Reason(dataset.id, str(day), "altered-table", said, hint=mend, through=through)
        if dataset.transform is not None and noted.sql_sha != dataset.transform.sha:
            said = f"it was made by another text than {dataset.transform.file} has now{_at_commit(record)}"
            yield Reason(dataset.id, str(day), "text-changed", said, noted.at, **again)  # type: ignore[arg-type]
        # What has been cleared away cannot be read otherwise.
        reworded = record and record.terms_sha256 not in ("", terms_sha256(dataset))
        if reworded and day in self.publications.landed(dataset.id):
            said = f"{declared_in(dataset)} says to read its files otherwise than they were{_at_commit(record)}"
            yield Reason(dataset.id, str(day), "terms-changed", said, noted.at, **again)  # type: ignore[arg-type]
        if dataset.source is not None and record and self._landed_anew(dataset, day, record.landed):
            said = "its landing files are others than those that were loaded"
            yield Reason(dataset.id, str(day), "landing-changed", said, **again)  # type: ignore[arg-type]
        publication = self.publications.publication(dataset.id, day)
        for read in publication.inputs if publication else ():
            if read.dataset != dataset.id and (change := self._change(read, day, noted.at)) is not None:
                said, since = change
                yield Reason(dataset.id, str(day), "input-changed", said, since, **again)  # type: ignore[arg-type]

    def _change(self, read: Input | RecordedInput, day: Generation, looked: str) -> tuple[str, str] | None:
        """What became of an input since a run of a ``day`` looked at a moment, and when."""
        if not read.generation:
            return None  # of what has no generations, nobody knows
        generation = Generation.parse(read.generation)
        there = self._of(self.manifest.dataset(read.dataset))
        if read.history:
            later = [published.at for day, published in there.items() if day <= generation and published.at > looked]
            return (f"an earlier generation of {read.dataset} was published again", max(later)) if later else None
        if newer := [other for other in there if generation < other <= day]:
            said = f"{read.dataset} {max(newer)} is there by now, and {generation} was read instead"
            return said, there[max(newer)].at
        publication = self.publications.publication(read.dataset, generation)
        if publication is None or publication.location == read.version:
            gone = generation not in self.publications.generations(read.dataset)
            return (f"{read.dataset} {generation}, which it read, was withdrawn", "") if gone else None
        return f"{read.dataset} {generation} was published again after it was read", there[generation].at

    def _of_run(self, dataset: Dataset, day: Generation, runs: Sequence[JudgedRun], through: tuple[str, ...]) -> Reason:
        """What the newest of the runs says, and since when it has been so."""
        newest = runs[0]
        alike = list(takewhile(lambda run: (run.outcome, _code(run)) == (newest.outcome, _code(newest)), runs))
        since, error = alike[-1].record.started, newest.record.error
        if newest.outcome == "failed" and error is not None:
            tried = f" ({len(alike)} attempts)" if len(alike) > 1 else ""
            place = ":".join(str(part) for part in (error.file, error.line) if part)
            said = f"{place}: {error.message}{tried}" if place else f"{error.message}{tried}"
            hint = error.hint or f"mend it; then {_run(dataset, day)}"
            if (overtaken := self._overtaken(dataset, day, newest.record)) is not None:
                said = f"{said}; since then, {overtaken}, and no run has tried it"
                hint = _run(dataset, day)
            return Reason(dataset.id, str(day), error.code, said, since, hint, through)
        words = {
            "running": "a run of it has begun and has given no sign since: it is under way, or was killed",
            "publishing": "a run was about to publish it and has given no sign since: it still is, or was killed",
            "killed": "its run ended without a word",
            "withdrawn": f"{newest.record.ran_by or 'somebody'} took it out: dapflow {newest.record.kind}",
            "stopped": "its run was told to end",
            "published": "it was published, and taken out since",
        }
        code = {"publishing": "running", "published": "withdrawn"}.get(newest.outcome, newest.outcome)
        hint = f"wait; if nothing runs any more, {_run(dataset, day)}" if code == "running" else _run(dataset, day)
        return Reason(dataset.id, str(day), code, words[newest.outcome], since, hint, through)

    def _overtaken(self, dataset: Dataset, day: Generation, failed: RunRecord) -> str | None:
        """What has changed since a run failed, so that another may succeed; None where nothing is known to have."""
        if dataset.transform is not None and not failed.sql_sha256.startswith(dataset.transform.sha):
            return f"{dataset.transform.file} was changed"
        declared = [(failed.terms_sha256, terms_sha256(dataset)), (failed.checks_sha256, checks_sha256(dataset))]
        if any(then and then != now for then, now in declared):
            return f"{declared_in(dataset)} was changed"
        if dataset.source is not None and self._landed_since(dataset, day, failed.start):
            return "files have landed"
        failed_at = failed.ended or failed.started
        for upstream in map(self.manifest.dataset, dataset.depends_on):
            newest = max((other for other in self._of(upstream) if other <= day), default=None)
            if upstream is not dataset and newest is not None and self._of(upstream)[newest].at > failed_at:
                return f"{upstream.id} {newest} was published"
        changes = (self._change(read, day, failed_at) for read in failed.inputs if read.dataset != dataset.id)
        return next((said for said, _ in filter(None, changes)), None)

    def _needed(self, dataset: Dataset) -> list[Dataset]:
        """What a dataset reads, of which the run's own generation must be there."""
        slower = dataset.transform.slower_inputs if dataset.transform else ()
        read = (
            self.manifest.dataset(upstream) for upstream in dataset.depends_on if upstream not in (*slower, dataset.id)
        )
        return [upstream for upstream in read if upstream.has_generations]

    def _of(self, dataset: Dataset) -> dict[Generation, PublishedGeneration]:
        if dataset.id not in self._published:
            self._published[dataset.id] = self.publications.of(dataset.id)
        return self._published[dataset.id]

    def _runs(self, dataset: Dataset, day: Generation) -> list[JudgedRun]:
        """The runs of a generation, newest first; none where their records may not be read: another service's are not
        granted with its data.
        """
        try:
            return runs_of(self.publications, dataset, generation=day)
        except DapflowError as error:
            if error.code != "aws":
                raise
            return []

    def _record(self, dataset: Dataset, day: Generation, noted: PublishedGeneration) -> RunRecord | None:
        """The record of the run that published what is there."""
        return next((run.record for run in self._runs(dataset, day) if run.record.run_id == noted.run_id), None)

    def _landed_anew(self, dataset: Dataset, day: Generation, loaded: str) -> bool:
        """Whether what has landed is not what was loaded. What has been cleared away since is no change."""
        location = DatasetLocation.of(dataset, self.publications.environment)
        with aws_errors():
            there = content_there(self.publications.clients.s3, location.landed(day))
        return bool(loaded and there) and loaded != there

    def _landed_since(self, dataset: Dataset, day: Generation, moment: datetime) -> bool:
        location = DatasetLocation.of(dataset, self.publications.environment)
        with aws_errors():
            there = list_objects(self.publications.clients.s3, location.landed(day))
        return any(item.modified > moment for item in there)


def _waited(run: JudgedRun) -> bool:
    return run.outcome == "failed" and _code(run) in _WAITED


def _at_commit(record: RunRecord | None) -> str:
    commit = record.commit if record else ""
    return f", at commit {commit[:_COMMIT]}{' and changes' if commit.endswith('+changes') else ''}" if commit else ""


def _code(run: JudgedRun) -> str:
    return run.record.error.code if run.record.error else ""


def _run(dataset: Dataset, day: Generation) -> str:
    return f"dapflow run {dataset.id} --generation {day}, or its DAG {dataset.service} for {day.key}"
