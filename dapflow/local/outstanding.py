"""Which runs are needed so that everything is published."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from dapflow.local.selection import comes_less_often
from dapflow.manifest import Dataset, Manifest
from dapflow.publications.published import PublishedDatasets, PublishedGeneration
from dapflow.runtime.generation import Generation, newest


@dataclass(frozen=True, order=True)
class ServiceRun:
    """A run of a service's DAG for a generation."""

    generation: Generation
    service: str

    def __str__(self) -> str:
        """``weather 2013-12-31``."""
        return f"{self.service} {self.generation}"


def outstanding(
    manifest: Manifest,
    publications: PublishedDatasets,
    generations: Sequence[Generation],
    landed_anew: Collection[tuple[str, Generation]],
) -> set[ServiceRun]:
    """The runs after which every dataset has these generations, made by today's SQL from the data that landed.

    ``landed_anew`` are the raw datasets whose landing files have just changed.
    """
    return {
        ServiceRun(generation, dataset.service)
        for generation in generations
        for dataset_id in _stale(manifest, publications, generation, landed_anew)
        for dataset in (manifest.datasets[dataset_id],)
    }


def producers(manifest: Manifest, service: str) -> set[str]:
    """The other services whose generations a service waits for: an input that may be slower is waited for by nobody."""
    return {
        manifest.datasets[read].service
        for dataset in map(manifest.dataset, manifest.services[service].datasets)
        for read in dataset.depends_on
        if manifest.datasets[read].has_generations and read not in _slower(dataset)
    } - {service}


def _stale(
    manifest: Manifest,
    publications: PublishedDatasets,
    generation: Generation,
    landed_anew: Collection[tuple[str, Generation]],
) -> set[str]:
    stale: set[str] = set()
    # Publishing order: what a dataset reads has been looked at before it.
    for dataset in manifest.datasets.values():
        if dataset.external:
            continue
        published = publications[dataset.id].get(generation)
        if published is None:
            anew = (dataset.id, generation) in landed_anew or not comes_less_often(manifest, dataset)
        else:
            anew = (
                (dataset.id, generation) in landed_anew
                or published.sql_sha != _sha(dataset)
                or any(read in stale for read in dataset.depends_on)
                or any(_is_newer(source, published) for source in _read(dataset, publications, generation))
            )
        if anew:
            stale.add(dataset.id)
    return stale


def _read(dataset: Dataset, publications: PublishedDatasets, generation: Generation) -> Iterator[PublishedGeneration]:
    """What a generation of a dataset is made of: of a slower input the newest that is not after it."""
    for read in dataset.depends_on:
        there = publications[read]
        day = newest(there, not_after=generation) if read in _slower(dataset) else generation
        if day is not None and day in there:
            yield there[day]


def _slower(dataset: Dataset) -> Sequence[str]:
    return dataset.transform.slower_inputs if dataset.transform else ()


def _sha(dataset: Dataset) -> str:
    return dataset.transform.sha if dataset.transform else ""


def _is_newer(read: PublishedGeneration, published: PublishedGeneration) -> bool:
    return read.at > published.at
