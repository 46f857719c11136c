"""A main environment that takes over, and a branch beside it."""

from __future__ import annotations

from pathlib import Path

from dapflow.changes import plan_branch
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.publication import Publication
from dapflow.runtime.publish import Publisher
from dapflow.runtime.record import RunRecord
from dapflow.runtime.records import read_records, records_prefix
from tests.runtime.branches import Branch
from tests.runtime.lake import DAY, Lake, compiled


class Merging(Branch):
    """A main environment that takes over, and a branch beside it."""

    def __init__(self, lake: Lake, clients: Clients, root: Path) -> None:
        super().__init__(lake, clients)
        self.root = root
        lake.takes_over = True

    def branch(self, files: dict[str, str], *, everything: bool = False) -> Publisher:
        """A publisher of the branch whose files these are; of what it changes, or of ``everything``."""
        manifest = compiled(self.root / "branch", files)
        planned = manifest if everything else plan_branch(self.lake.manifest, manifest).applied(manifest)
        return self.publisher(planned)

    def merge(self, files: dict[str, str]) -> None:
        """Let main have these files."""
        self.lake.compile(self.root / "main", files)

    def built(self, files: dict[str, str], *names: str) -> None:
        """Let a branch of these files publish the products of this name, and main have the files."""
        publisher = self.branch(files)
        for name in names:
            publisher.publish(name, DAY)
        self.merge(files)

    def load(self, name: str, rows: str, day: Generation = DAY) -> None:
        """Land and load a raw table; ``rows`` begin with their header."""
        dataset = self.lake.datasets[name]
        self.lake.put_landing(dataset, day, "rows.csv", rows)
        self.lake.publish(dataset, day)

    def record(self, dataset: str) -> RunRecord:
        """The record of the newest run."""
        product = self.lake.datasets[dataset]
        prefix = records_prefix(self.lake.environment, product.zone, product.service)
        return next(read_records(self.lake.clients.s3, prefix, product.name))

    def published(self, dataset: str) -> Publication:
        """Publish on main."""
        return self.lake.publish(self.lake.datasets[dataset], DAY)

    @property
    def bucket(self) -> str:
        """Where branches write."""
        return self.lake.environment.takes_from.removeprefix("s3://").rstrip("/")

    def objects(self, part: str = "") -> list[str]:
        """Keys of what branches have written, with this in them."""
        listed = self.lake.clients.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [item["Key"] for item in listed if part in item["Key"]]

    def take_down(self) -> None:
        """Remove all that the branch has."""
        for key in self.objects():
            self.lake.clients.s3.delete_object(Bucket=self.bucket, Key=key)
