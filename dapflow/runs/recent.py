"""The newest runs, of one dataset or of all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dapflow.manifest import Dataset
from dapflow.publications.published import Publications
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.generation import Generation
from dapflow.runtime.record import AIRFLOW, RunRecord
from dapflow.runtime.records import ended_as, read_records, records_prefix


@dataclass(frozen=True)
class JudgedRun:
    """A run by its record. ``outcome`` is what became of it as far as it can be told: also ``killed``."""

    record: RunRecord
    outcome: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        return {**self.record.as_dict(), "outcome": self.outcome}


def runs_of(
    publications: Publications, dataset: Dataset, *, generation: Generation | None = None, most: int | None = None
) -> list[JudgedRun]:
    """The newest runs of a dataset, or of one of its generations, newest first."""
    prefix = records_prefix(publications.environment, dataset.zone, dataset.service)
    with aws_errors():
        records = read_records(publications.clients.s3, prefix, dataset.name, generation)
        return list(judged(publications, islice(records, most)))


def runs_of_all(publications: Publications, services: Sequence[str], *, most: int) -> list[JudgedRun]:
    """The newest runs of services, newest first; also of datasets that have left the project."""
    manifest, environment = publications.manifest, publications.environment
    records: list[RunRecord] = []
    with aws_errors():
        for service in services:
            for zone in manifest.services[service].databases:
                if environment.publishes_in(zone):
                    prefix = records_prefix(environment, zone, service)
                    records += islice(read_records(publications.clients.s3, prefix), most)
        newest = sorted(records, key=lambda record: record.started, reverse=True)[:most]
        return list(judged(publications, newest))


def judged(publications: Publications, records: Iterable[RunRecord]) -> Iterator[JudgedRun]:
    """The runs of these records, newest first. Where one does not say that its run published, the catalog is asked.

    Airflow has one attempt of a task at a time: where it has begun another one, it has given the earlier one up.
    """
    known: dict[tuple[str, str], set[str]] = {}
    begun_by_airflow: set[tuple[str, str]] = set()

    def ever_published(record: RunRecord) -> set[str]:
        key = record.dataset, record.generation
        if key not in known:
            known[key] = publications.ever_published(record.dataset, Generation.parse(record.generation))
        return known[key]

    for record in records:
        unsure = record.outcome != "published" and record.run_id and record.dataset in publications.manifest.datasets
        outcome = ended_as(record, ever_published(record) if unsure else set())
        if record.ran_by == AIRFLOW:
            generation = record.dataset, record.generation
            if outcome in ("running", "publishing") and generation in begun_by_airflow:
                outcome = "killed"
            begun_by_airflow.add(generation)
        yield JudgedRun(record, outcome)
