"""What a publication and a read cost after one day, a hundred and a thousand."""

from __future__ import annotations

import statistics
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import boto3
import pytest

from dapflow.manifest import Dataset
from dapflow.runtime import attempts
from dapflow.runtime.aws import connect
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import copy_object, list_objects
from dapflow.runtime.publish import Publisher
from tests.reliability.faults import Faults
from tests.reliability.part import Figures, Part
from tests.reliability.servers import lakes
from tests.runtime.lake import DAY, REGION, Lake

LENGTHS, RUNS = (1, 100, 1_000), 10
NUMBERS, PRODUCT = "air_traffic.raw.numbers", "air_traffic.refined.product"
FILES = {
    "air_traffic/service.yml": "sources: {numbers: {columns: {n: integer, text: string}}}\n",
    "air_traffic/refined/product.sql": "SELECT n, upper(text) AS text FROM numbers\n",
}
_AT_ONCE = 100


@dataclass(frozen=True)
class Cost:
    """Of histories of so many generations: of the newest one's publications the calls and the median times."""

    length: int
    calls: dict[str, int]
    planning: float
    publishing: float
    scanned: dict[str, float]

    def row(self) -> tuple[str | int, ...]:
        """For the table."""
        times = (f"{1000 * seconds:.0f}" for seconds in (self.planning, self.publishing))
        ratios = (f"{self.scanned[name]:.2f}" for name in (NUMBERS, PRODUCT))
        return self.length, *ratios, self.calls[NUMBERS], self.calls[PRODUCT], *times


def measure(*, one_in: int) -> Part:
    """Histories of 1, 100 and 1,000 generations, or a ``one_in``-th of them."""
    # On AWS no query is done when it was just started; here some are, and then their objects are looked at.
    with lakes() as make_lake, pytest.MonkeyPatch.context() as patch:
        patch.setattr(attempts, "_usable", lambda *_, **__: True)
        lake = make_lake(FILES)
        lake.overrides["retention_seconds"] = 3600
        lines = "".join(f"{n},row {n}\n" for n in range(2_000))
        lake.land(lake.datasets[NUMBERS], DAY, numbers_csv=f"n,text\n{lines}")
        for name in (NUMBERS, PRODUCT):
            lake.publish(lake.datasets[name])
        costs = [_cost(lake, length) for length in sorted({max(1, length // one_in) for length in LENGTHS})]
    broken = [f"after {cost.length} generations a publication takes {cost.calls} calls, after one {costs[0].calls}"
              for cost in costs if cost.calls != costs[0].calls]  # fmt: skip
    broken += [f"after {cost.length} generations the current view scans {cost.scanned} of one generation"
               for cost in costs if any(ratio != 1 for ratio in cost.scanned.values())]  # fmt: skip
    return Part(
        title="Long histories",
        promise="What a publication asks of AWS, and what a read of the current view scans, does not grow with the "
        "history: the calls are the same in number, and the view scans one generation.",
        done=f"A raw table and a product of it, with histories of {', '.join(f'{cost.length:,}' for cost in costs)} "
        f"generations, each with an object of its own; the newest one was published again {RUNS} times. Calls are "
        "without the looks at running queries; planning is all until the UNLOAD is started, publishing all after it is "
        "done, both of the product, as medians in milliseconds.",
        figures=[
            Figures(
                "After so many generations",
                (
                    "generations",
                    "raw view scans",
                    "product's view scans",
                    "calls, ingest",
                    "calls, publish",
                    "planning",
                    "publishing",
                ),
                [cost.row() for cost in costs],
            ),
            Figures(
                "Against the shortest history",
                ("generations", "planning", "publishing"),
                [
                    (
                        cost.length,
                        f"{cost.planning / costs[0].planning:.2f}",
                        f"{cost.publishing / costs[0].publishing:.2f}",
                    )
                    for cost in costs[1:]
                ],
            ),
        ],
        broken=broken,
    )


def _cost(lake: Lake, length: int) -> Cost:
    for name in (NUMBERS, PRODUCT):
        _fill(lake, lake.datasets[name], length)
    # Once, so that what is asked for the first time is not what is measured.
    calls = {name: _calls(lake, name) for name in (NUMBERS, PRODUCT)}
    planning, publishing = [], []
    for _ in range(RUNS):
        publisher = Publisher(lake.clients, lake.manifest, lake.environment)
        began = time.perf_counter()
        staged = publisher.stage(PRODUCT, DAY, uuid.uuid4().hex)
        planning.append(time.perf_counter() - began)
        publisher.wait(staged)
        began = time.perf_counter()
        publisher.finish(staged)
        publishing.append(time.perf_counter() - began)
    scanned = {name: _scanned(lake, lake.datasets[name]) for name in (NUMBERS, PRODUCT)}
    return Cost(length, calls, statistics.median(planning), statistics.median(publishing), scanned)


def _calls(lake: Lake, name: str) -> int:
    watched = Faults()
    Publisher(watched.put_into(connect(boto3.Session(), REGION)), lake.manifest, lake.environment).publish(name, DAY)
    return sum(place.operation != "GetQueryExecution" for place in watched.calls)


def _fill(lake: Lake, dataset: Dataset, length: int) -> None:
    """Generations before DAY, each a copy of it with objects of its own."""
    glue, s3 = lake.clients.glue, lake.clients.s3
    target = lake.publisher.target(dataset.id)
    there = len(lake.publications.generations(dataset.id))
    names: Any = {"DatabaseName": dataset.database, "TableName": dataset.history}
    newest: Any = glue.get_partition(**names, PartitionValues=list(DAY.values))["Partition"]
    location = newest["StorageDescriptor"]["Location"]
    made: list[Any] = []
    for back in range(there, length):
        day = Generation(DAY.day - timedelta(days=back))
        own = target.place.location(dataset, day, f"{back:016x}")
        for item in list_objects(s3, location):
            copy_object(s3, item.uri, own + item.name)
        storage = {**newest["StorageDescriptor"], "Location": own}
        made.append({"Values": list(day.values), "StorageDescriptor": storage, "Parameters": newest["Parameters"]})
    for start in range(0, len(made), _AT_ONCE):
        glue.batch_create_partition(**names, PartitionInputList=made[start : start + _AT_ONCE])


def _scanned(lake: Lake, dataset: Dataset) -> float:
    """What the current view scans, over what the newest generation in the history does."""
    athena = lake.publisher.target(dataset.id).athena
    columns = "count(n) AS n, max(text) AS most"
    read = f'SELECT {columns} FROM "{dataset.database}"."{dataset.current}"'
    alone = f'SELECT {columns} FROM "{dataset.database}"."{dataset.history}" WHERE import_date = \'{DAY.key}\''
    scanned = [athena.run(sql, dataset.database, uuid.uuid4().hex).bytes_scanned for sql in (read, alone)]
    assert scanned[1] > 0
    return scanned[0] / scanned[1]
