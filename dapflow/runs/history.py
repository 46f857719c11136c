"""The publications of a dataset, generation by generation, and which of them it can go back to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import dropwhile, islice
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.publications.altered import damaged_generation
from dapflow.publications.published import Publications, PublishedGeneration
from dapflow.runs.recent import judged
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.generation import Generation
from dapflow.runtime.publish import Publisher
from dapflow.runtime.record import RunRecord
from dapflow.runtime.records import read_records, records_prefix
from dapflow.runtime.rollback import objects_there


@dataclass(frozen=True)
class PastPublication:
    """A publication, or the end of one, by its record.

    Attributes:
        state: ``published`` where it is what is read, ``damaged`` where it is and was changed by hand, else ``kept`` or
            ``swept``; of what took a generation out, ``withdrawn``.
        damage: what was changed.
    """

    record: RunRecord
    state: str
    damage: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        outcome = "withdrawn" if self.state == "withdrawn" else "published"
        return {**self.record.as_dict(), "outcome": outcome, "state": self.state, "damage": self.damage}


@dataclass(frozen=True)
class PublicationHistory:
    """What is known of a dataset's publications.

    Attributes:
        past: the publications on record, newest first.
        unrecorded: generations that are there by a publication that left no record.
        shown: the generation that the current view shows.
    """

    past: tuple[PastPublication, ...]
    unrecorded: dict[Generation, PublishedGeneration]
    shown: Generation | None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {
            "current": str(self.shown) if self.shown else None,
            "publications": [publication.as_dict() for publication in self.past],
            "unrecorded": [
                {
                    "generation": str(day),
                    "run_id": published.run_id,
                    "rows": published.rows,
                    "bytes": published.bytes,
                    "ended": published.at,
                }
                for day, published in self.unrecorded.items()
            ],
        }


def history_of(
    publisher: Publisher,
    publications: Publications,
    dataset: Dataset,
    generation: Generation | None = None,
    most: int | None = None,
) -> PublicationHistory:
    """The newest publications of a dataset, or of one of its generations."""
    there = publications.of(dataset.id)
    records = _once(_on_record(publications, dataset, generation, ("published", "withdrawn")))
    with aws_errors():
        past = tuple(_judged(publisher, publications, record, there) for record in islice(records, most))
    recorded = {publication.record.run_id for publication in past}
    unrecorded = {
        day: published
        for day, published in there.items()
        if published.run_id not in recorded and (generation is None or day == generation)
    }
    if most is not None and len(past) == most:
        unrecorded = {}  # their records may be further back
    return PublicationHistory(past, unrecorded, publications.shown(dataset.id))


def chosen(
    publications: Publications, dataset: Dataset, generation: Generation | None, to: str | None
) -> tuple[RunRecord, str]:
    """The publication to go back to, and the run id of the one that is read now; empty where none is.

    ``to`` names it by its run id; without it, it is the one before the one that is read. Raises DapflowError
    ``nothing-to-roll-back`` or ``unknown-run``.
    """
    there = publications.of(dataset.id)
    if dataset.external or not publications.environment.publishes(dataset.id):
        raise _nothing(dataset, "is not published here, only read")
    if to is not None:
        wanted = _named(publications, dataset, generation, to)
        day = Generation.parse(wanted.generation)
    else:
        if not there or (generation and generation not in there):
            raise _nothing(dataset, f"has no generation {generation or ''}".rstrip())
        day = generation or max(there)
    records = list(_publications_on_record(publications, dataset, day))
    read = there[day].run_id if day in there else ""
    now = next((record for record in records if record.run_id == read), None)
    if to is not None:
        if now is not None and now.origin == wanted.origin:
            raise _nothing(dataset, f"{day} shows what run {to} published already")
        return wanted, read
    return _before(dataset, day, records, now), read


def _before(dataset: Dataset, day: Generation, records: Sequence[RunRecord], now: RunRecord | None) -> RunRecord:
    """What was read before the run published whose rows are read.

    So twice goes back twice, and what a roll-back undid before that run stays undone. A copy that a roll-back made is
    gone back to by itself: what it is a copy of may have been swept.
    """
    if now is not None:
        until = dropwhile(lambda record: record.run_id != now.origin, records)
        # An attempt of the same run may have published it before.
        before = next((record for record in until if record.origin != now.origin), None)
        if before is not None:
            return before
    raise _nothing(dataset, f"{day} has no publication on record before the one that is read")


def _named(publications: Publications, dataset: Dataset, generation: Generation | None, to: str) -> RunRecord:
    for record in _publications_on_record(publications, dataset, generation):
        if record.run_id == to:
            return record
    raise DapflowError(
        "unknown-run",
        f"no run {to} has published {dataset.id}" + (f" {generation}" if generation else ""),
        hint=f"`dapflow history {dataset.name}` names the runs that have",
    )


def _publications_on_record(
    publications: Publications, dataset: Dataset, generation: Generation | None
) -> Iterator[RunRecord]:
    """The publications of a dataset, newest first."""
    return _on_record(publications, dataset, generation, ("published",))


def _on_record(
    publications: Publications, dataset: Dataset, generation: Generation | None, outcomes: Sequence[str]
) -> Iterator[RunRecord]:
    prefix = records_prefix(publications.environment, dataset.zone, dataset.service)
    with aws_errors():
        records = read_records(publications.clients.s3, prefix, dataset.name, generation)
        for run in judged(publications, records):
            if run.outcome in outcomes:
                yield run.record


def _once(records: Iterable[RunRecord]) -> Iterator[RunRecord]:
    """Publications, newest first, each by its last attempt: two attempts at once publish the same objects."""
    later: dict[str, str] = {}
    for record in records:
        if not record.run_id or record.run_id != later.get(record.generation):
            yield record
        later[record.generation] = record.run_id


def _judged(
    publisher: Publisher, publications: Publications, record: RunRecord, there: dict[Generation, PublishedGeneration]
) -> PastPublication:
    if record.outcome == "withdrawn":
        return PastPublication(record, "withdrawn")
    target, generation = publisher.target(record.dataset), Generation.parse(record.generation)
    read = there.get(generation)
    if read is not None and read.run_id == record.run_id:
        damage = damaged_generation(publications, target.dataset, generation)
        return PastPublication(record, "damaged", damage) if damage else PastPublication(record, "published")
    with suppress(DapflowError):
        objects_there(target, record)
        return PastPublication(record, "kept")
    return PastPublication(record, "swept")


def _nothing(dataset: Dataset, why: str) -> DapflowError:
    return DapflowError(
        "nothing-to-roll-back",
        f"{dataset.id} {why}",
        hint=f"`dapflow history {dataset.name}` lists what was published, and by which run",
    )
