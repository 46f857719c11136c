"""A dataset in an environment, and the clients to work on it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.runtime.athena import Athena
from dapflow.runtime.aws import Clients
from dapflow.runtime.catalog import GlueCatalog, Partition
from dapflow.runtime.cleanup_journal import Journal
from dapflow.runtime.dataset_location import DatasetLocation, physical
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import delete_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Target:
    """What the steps of a publication work on. ``database`` is where unqualified names of its SQL are looked up."""

    dataset: Dataset
    place: DatasetLocation
    database: str
    athena: Athena
    catalog: GlueCatalog
    journal: Journal
    s3: S3Client

    @classmethod
    def of(cls, dataset: Dataset, manifest: Manifest, environment: Environment, clients: Clients) -> Target:
        """The target for a dataset; queries run in the workgroup of its service."""
        place = DatasetLocation.of(dataset, environment)
        catalog = GlueCatalog(clients.glue)
        workgroup = environment.services[dataset.service].workgroup
        return cls(
            dataset=dataset,
            place=place,
            database=physical(environment, manifest.services[dataset.service].database),
            athena=Athena(clients.athena, workgroup, environment.poll_seconds),
            catalog=catalog,
            journal=Journal(clients.s3, catalog, dataset, place),
            s3=clients.s3,
        )

    @property
    def file(self) -> str | None:
        """The file that a user would look into."""
        return self.dataset.transform.file if self.dataset.transform else None

    def partition(self, generation: Generation) -> Partition | None:
        """The partition that holds a generation, or None."""
        return self.catalog.partition(self.place.database, self.place.history, generation.values)

    def live(self) -> set[str]:
        """Every location that the history table points at."""
        return {partition.location for partition in self.catalog.partitions(self.place.database, self.place.history)}

    def drop(self, tables: tuple[str, ...], prefixes: tuple[str, ...] = ()) -> None:
        """Delete temporary tables and objects. Where that fails, the journal still knows them."""
        for name in tables:
            with suppress(ClientError, BotoCoreError):
                self.catalog.delete_table(self.place.database, name)
        for prefix in prefixes:
            with suppress(ClientError, BotoCoreError, DapflowError):
                delete_prefix(self.s3, prefix)
