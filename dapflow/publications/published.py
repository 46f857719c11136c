"""What is published of a project in an environment, as the catalog notes it. Nothing is changed here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.runtime import glue_parameters
from dapflow.runtime.attempts import published_runs
from dapflow.runtime.aws import Clients, aws_errors
from dapflow.runtime.bounds import not_before
from dapflow.runtime.catalog import GlueCatalog, Partition
from dapflow.runtime.current_view import shown_generation
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import history_columns
from dapflow.runtime.inputs import recorded_inputs
from dapflow.runtime.limit import limits_of
from dapflow.runtime.objects import list_folders
from dapflow.runtime.publication import Publication, read_publication


@dataclass(frozen=True)
class PublishedGeneration:
    """One generation of a dataset, as its partitions record it. ``at`` is an ISO time in UTC.

    ``bytes`` is its size, ``bytes_scanned`` what Athena read to make it, ``limits`` of which part of its inputs it was
    made, where not of all.
    """

    rows: int
    bytes: int
    sql_sha: str
    at: str
    run_id: str = ""
    bytes_scanned: int = 0
    limits: tuple[str, ...] = ()


# By dataset, the oldest generation first.
PublishedDatasets = Mapping[str, Mapping[Generation, PublishedGeneration]]


class Publications:
    """What is published, and what has landed for it. Every question is asked of AWS anew.

    All methods raise DapflowError ``aws`` where AWS refuses, and ``unknown-dataset`` for one that is not in the
    project. ``by_service`` are the clients for the datasets of each service, where they have rights of their own.
    """

    def __init__(
        self,
        clients: Clients,
        manifest: Manifest,
        environment: Environment,
        *,
        by_service: Mapping[str, Clients] | None = None,
    ) -> None:
        self.clients = clients
        self.manifest = manifest
        self.environment = environment
        self._by_service = by_service or {}

    @property
    def own(self) -> list[Dataset]:
        """The datasets that are published here and not in another environment, in publishing order."""
        publishes = self.environment.publishes
        return [made for made in self.manifest.datasets.values() if publishes(made.id, external=made.external)]

    def clients_of(self, dataset_id: str) -> Clients:
        """The clients with which a dataset is looked at."""
        return self.clients_of_service(self.manifest.dataset(dataset_id).service)

    def clients_of_service(self, service: str) -> Clients:
        """The clients with which a service's datasets are looked at."""
        return self._by_service.get(service, self.clients)

    def catalog_of(self, dataset_id: str) -> GlueCatalog:
        """The catalog in which a dataset is looked up."""
        return GlueCatalog(self.clients_of(dataset_id).glue)

    def all(self) -> PublishedDatasets:
        """Every generation that dapflow has published, of every dataset."""
        return {dataset_id: self.of(dataset_id) for dataset_id in self.manifest.datasets}

    def of(self, dataset_id: str) -> dict[Generation, PublishedGeneration]:
        """Every generation of a dataset that dapflow has published, the oldest first."""
        by_generation: dict[Generation, list[Partition]] = {}
        for partition in self._partitions(dataset_id):
            if partition.generation is not None and glue_parameters.RUN_ID in partition.parameters:
                by_generation.setdefault(partition.generation, []).append(partition)
        return {generation: _published(by_generation[generation]) for generation in sorted(by_generation)}

    def generations(self, dataset_id: str) -> list[Generation]:
        """The generations that a dataset has, whoever made them, the oldest first."""
        held = (partition.generation for partition in self._partitions(dataset_id))
        return sorted({generation for generation in held if generation})

    def publication(self, dataset_id: str, generation: Generation) -> Publication | None:
        """All that is noted of a generation that dapflow has published; None of any other."""
        place = self._place(dataset_id)
        if self.manifest.dataset(dataset_id).external:
            return None
        with aws_errors():
            catalog = self.catalog_of(dataset_id)
            table = catalog.table(place.database, place.history)
            if table is None:
                return None
            partition = catalog.partition(place.database, place.history, generation.values)
        return read_publication(dataset_id, partition, history_columns(table)) if partition else None

    def ever_published(self, dataset_id: str, generation: Generation) -> set[str]:
        """The run ids that were published for a generation since it is there, also those that were replaced."""
        place = self._place(dataset_id)
        with aws_errors():
            return published_runs(
                self.catalog_of(dataset_id).partition(place.database, place.history, generation.values)
            )

    def shown(self, dataset_id: str) -> Generation | None:
        """The generation that the current view shows; None without one, or where something else made the view."""
        place = self._place(dataset_id)
        with aws_errors():
            view = self.catalog_of(dataset_id).table(place.database, place.current)
        return shown_generation(view) if view else None

    def readers(self, dataset_id: str, generation: Generation) -> list[tuple[str, Generation]]:
        """The generations of products that read a generation of a dataset, as they noted it."""
        readers = set()
        for product in self.manifest.datasets.values():
            if dataset_id not in product.depends_on:
                continue
            for partition in self._partitions(product.id, not_before(product.generation, generation)):
                inputs = recorded_inputs(json.loads(partition.parameters.get(glue_parameters.INPUTS, "[]")))
                if partition.generation and any(
                    read.dataset == dataset_id and read.holds(generation) for read in inputs
                ):
                    readers.add((product.id, partition.generation))
        return sorted(readers)

    def landed(self, dataset_id: str) -> list[Generation]:
        """The generations of a raw dataset for which files have landed, the oldest first."""
        landed = []
        with aws_errors():
            for folder in list_folders(self.clients_of(dataset_id).s3, self._place(dataset_id).landing):
                with suppress(DapflowError):  # a folder that is named by no date
                    landed.append(Generation.parse(folder))
        return sorted(landed)

    def _place(self, dataset_id: str) -> DatasetLocation:
        return DatasetLocation.of(self.manifest.dataset(dataset_id), self.environment)

    def _partitions(self, dataset_id: str, expression: str | None = None) -> list[Partition]:
        if not self.manifest.dataset(dataset_id).has_generations:
            return []
        place = self._place(dataset_id)
        with aws_errors():
            return self.catalog_of(dataset_id).partitions(place.database, place.history, expression)


def _published(partitions: Sequence[Partition]) -> PublishedGeneration:
    noted = [partition.parameters for partition in partitions]
    return PublishedGeneration(
        rows=sum(int(parameters.get(glue_parameters.ROWS, 0)) for parameters in noted),
        bytes=sum(int(parameters.get(glue_parameters.BYTES, 0)) for parameters in noted),
        sql_sha=noted[0].get(glue_parameters.SQL_SHA, ""),
        at=max(parameters.get(glue_parameters.PUBLISHED_AT, "") for parameters in noted),
        run_id=noted[0][glue_parameters.RUN_ID],
        bytes_scanned=sum(int(parameters.get(glue_parameters.BYTES_SCANNED, 0)) for parameters in noted),
        limits=limits_of(noted[0]),
    )
