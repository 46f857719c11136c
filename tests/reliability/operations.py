"""What is tried with dapflow: ingest, publish with checks, of a new day and of one that is there, roll back, sweep."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

import boto3

from dapflow.errors import DapflowError
from dapflow.runtime.aws import Clients, connect
from dapflow.runtime.current_view import view_definition
from dapflow.runtime.objects import list_objects
from tests.reliability.faults import Fault, Faults, KilledError, Place
from tests.reliability.jobs import Job, killed_in_a_process
from tests.reliability.reading import ABSENT, ROWS, Reader, Truth, texts_of
from tests.runtime.lake import DAY, EARLIER, REGION, Lake

NUMBERS, PRODUCT = "air_traffic.raw.numbers", "air_traffic.refined.product"
CHECKS = "checks: {whole: {not_null: [number, n], unique: n}}"
FILES = {
    "air_traffic/service.yml": f"sources: {{numbers: {{columns: {{number: integer, n: integer}}, {CHECKS}}}}}\n",
    "air_traffic/refined/product.sql": "SELECT number, n FROM numbers\n",
    "air_traffic/refined/product.yml": f"{CHECKS}\n",
}


class Publishing:
    """A publication of a dataset, by which the earlier day stays as it is."""

    without_grace = False
    in_a_process = True

    def __init__(self, lake: Lake, dataset_id: str, name: str, *, new_day: bool = False) -> None:
        self.lake = lake
        self.dataset = lake.datasets[dataset_id]
        self.name = name
        self.new_day = new_day
        self.publications = 0
        self.truth = Truth()
        texts = texts_of(self.dataset)
        self.in_step, self.beside = (Reader(self.truth, lake.query, **texts) for _ in "12")
        self._number = 0
        for day in (EARLIER, DAY):
            self._publish(self._next(day), day)
        self._job = self._made("publish")

    # -- what the harness asks

    def prepare(self) -> None:
        """Land the next number and, where a product is tried, publish what it reads."""
        if self.new_day:
            self.lake.publisher.withdraw(self.dataset.id, DAY)
            self.truth.is_now(DAY.key, ABSENT)
        number = self._next(DAY)
        self.truth.may_become(DAY.key, number)
        self._job = self._made("publish")

    def run(self, clients: Clients, attempt: int) -> None:
        """One attempt. Raises DapflowError."""
        self.publications += self._job.what != "sweep"
        self._job.perform(clients, attempt)

    def run_killed(self, faults: Sequence[Fault]) -> bool:
        """One attempt by a process that is killed; whether it was."""
        self.publications += self._job.what != "sweep"
        return killed_in_a_process(self._job, faults)

    def done(self) -> None:
        """What may have become of the day is now."""
        self.truth.is_now(DAY.key, self._number)

    def state(self) -> object:
        """The dataset's tables, partitions and rows, without what differs from run to run."""
        read = self.lake.query(self.in_step.texts["history"])
        rows = sorted((str(row["import_date"]), str(row["c"]), str(row["d"])) for row in read)
        return {"tables": self._tables(), "partitions": self._partitions(), "rows": rows}

    def orphans(self) -> set[str]:
        """Sweep, and give the objects and tables that nothing refers to."""
        self._made("sweep").perform(self.lake.clients, 1)
        live = {partition.location for partition in self._listed()}
        # What checks found stays with the dataset, of each generation the last.
        listed = list_objects(self.lake.clients.s3, self._place.prefix)
        objects = {item.uri for item in listed if "/_checks/" not in item.uri}
        tables = self.lake.tables(self.dataset.zone)
        own = {self.dataset.history, self.dataset.current}
        return {uri for uri in objects if f"{uri.rpartition('/')[0]}/" not in live} | (tables - own)

    # -- what it is made of

    def _next(self, day: Any) -> int:
        """Land the rows of the next number and, where a product is tried, publish them; the number."""
        self._number += 1
        numbers = self.lake.datasets[NUMBERS]
        lines = "".join(f"{self._number},{n}\n" for n in range(1, ROWS + 1))
        self.lake.land(numbers, day, numbers_csv=f"number,n\n{lines}")
        if self.dataset.id != NUMBERS:
            self.publications += 1
            self.lake.publish(numbers, day)
        return self._number

    def _publish(self, number: int, day: Any) -> None:
        self.publications += 1
        self.lake.publish(self.dataset, day)
        self.truth.is_now(day.key, number)

    def _made(self, what: Any, to: str = "") -> Job:
        run = uuid.uuid4().hex
        return Job(what, self.dataset.id, DAY, run, self.lake.manifest, self.lake.environment, to)

    @property
    def _place(self) -> Any:
        return self.lake.publisher.target(self.dataset.id).place

    def _listed(self) -> list[Any]:
        catalog = self.lake.publisher.target(self.dataset.id).catalog
        return catalog.partitions(self._place.database, self._place.history, columns=True)

    def _tables(self) -> list[object]:
        catalog = self.lake.publisher.target(self.dataset.id).catalog
        names = sorted(self.lake.tables(self.dataset.zone))
        return [_table(catalog.table(self.dataset.database, name) or {}) for name in names]

    def _partitions(self) -> list[object]:
        partitions = []
        for partition in self._listed():
            objects = [item for item in list_objects(self.lake.clients.s3, partition.location) if item.size]
            noted = int(partition.parameters["dapflow.bytes"]) == sum(item.size for item in objects)
            storage = {key: value for key, value in partition.storage.items() if key != "Location"}
            parameters = sorted(partition.parameters)
            rows = partition.parameters["dapflow.rows"]
            partitions.append((partition.values, storage, parameters, rows, len(objects), noted))
        return sorted(partitions, key=str)


class RollingBack(Publishing):
    """The way back of a product to the publication before."""

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake, PRODUCT, "roll back")

    def prepare(self) -> None:
        """Publish twice, so that there is something to go back to."""
        self._publish(self._next(DAY), DAY)
        to, number = self.lake.publications.of(self.dataset.id)[DAY].run_id, self._number
        self._publish(self._next(DAY), DAY)
        self._number, self._before = number, self._number
        self.truth.may_become(DAY.key, number)
        self._job = self._made("roll back", to)

    def run(self, clients: Clients, attempt: int) -> None:
        """One attempt; the second as of someone who was told that the first has failed. Raises DapflowError."""
        self.publications += 1
        try:
            self._job.perform(clients, attempt)
        except DapflowError as error:
            # It was done before it failed: then this is said, and nothing is done.
            if not (attempt > 1 and error.code == "nothing-to-roll-back"):
                raise

    def done(self) -> None:
        """The day is again what it was."""
        super().done()
        self._number = self._before


class Sweeping(Publishing):
    """The removal of what a publication replaced and of what a dead run left."""

    without_grace = True

    def __init__(self, lake: Lake) -> None:
        super().__init__(lake, PRODUCT, "sweep")

    def prepare(self) -> None:
        """Publish, and let another run die just before the switch."""
        self._publish(self._next(DAY), DAY)
        dying = Faults([Fault("killed before", Place("UpdatePartition", 1))])
        self.publications += 1
        try:
            self._made("publish").perform(dying.put_into(connect(boto3.Session(), REGION)), 1)
        except KilledError:
            self._job = self._made("sweep")
        else:
            raise AssertionError("a run that was killed went on")


def _table(table: dict[str, Any]) -> object:
    """A table or view, without what differs from run to run."""
    view = view_definition(table)
    text = re.sub(r"'\d+'", "'…'", str(view["originalSql"])) if view else ""
    storage = table.get("StorageDescriptor", {})
    return (
        table.get("Name"),
        table.get("TableType"),
        storage,
        table.get("PartitionKeys"),
        sorted(table.get("Parameters", {})),
        text,
        table.get("Parameters", {}).get("dapflow.generation"),
    )
