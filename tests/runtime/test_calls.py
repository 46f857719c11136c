"""What a publication asks of AWS: a number of calls that does not grow with the history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dapflow.manifest import Dataset
from dapflow.runtime import attempts
from dapflow.runtime.generation import Generation
from tests.runtime.lake import DAY, Lake

PROJECT = {
    "air_traffic/service.yml": """
        sources:
          planes: {columns: {tailnum: string, seats: integer}}
          carriers: {columns: {tailnum: string, carrier: string}}""",
    "air_traffic/refined/one.sql": "SELECT tailnum FROM planes",
    "air_traffic/refined/two.sql": "SELECT tailnum, carrier FROM planes JOIN carriers USING (tailnum)",
}
# What is counted beside looks at a running query, and without what a sweep does when it finds something: four calls for
# each prefix, and one for all partitions. Five of the ingest's calls are for its one landing file.
# Three are for the record. Two for each input see whether all of its objects are there, before the query and after it.
NEW = {"raw.planes": 33, "refined.one": 29, "refined.two": 35}
# The current view stays as it is, and what is replaced is noted.
AGAIN = {"raw.planes": 32, "refined.one": 28, "refined.two": 34}
# The same for a day that is not the newest: each input is read from its history, whose columns are asked for.
PAST = {"raw.planes": 32, "refined.one": 29, "refined.two": 36}


def test_a_publication_costs_the_same_after_a_day_and_after_a_year(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On AWS no query is done when it was just started; here some are, and then their objects are looked at.
    monkeypatch.setattr(attempts, "_usable", lambda *_, **__: True)
    lake.overrides["retention_seconds"] = 3600
    lake.compile(tmp_path, PROJECT)
    land(lake, DAY)
    for name in NEW:
        lake.publish(lake.datasets[f"air_traffic.{name}"], DAY)
    for past, day in ((0, 1), (363, 2)):
        for dataset in lake.datasets.values():
            fill_history(lake, dataset, past)
        newest = Generation(DAY.day + timedelta(days=day))
        land(lake, newest)
        assert {name: calls(lake, name, newest) for name in NEW} == NEW, past
        assert {name: calls(lake, name, newest) for name in AGAIN} == AGAIN, past
        assert {name: calls(lake, name, DAY) for name in PAST} == PAST, past


def land(lake: Lake, generation: Generation) -> None:
    """Both raw tables have landed, and one of them is published."""
    lake.land(lake.datasets["air_traffic.raw.planes"], generation, planes_csv="tailnum,seats\nN1,1\n")
    lake.land(lake.datasets["air_traffic.raw.carriers"], generation, carriers_csv="tailnum,carrier\nN1,UA\n")
    lake.publish(lake.datasets["air_traffic.raw.carriers"], generation)


def calls(lake: Lake, name: str, generation: Generation) -> int:
    """How many calls a publication makes, beside looks at a query."""
    with counted(lake) as made:
        lake.publish(lake.datasets[f"air_traffic.{name}"], generation)
    return len([call for call in made if call != "GetQueryExecution"])


@contextmanager
def counted(lake: Lake) -> Iterator[list[str]]:
    made: list[str] = []

    def answered(model: Any, **_: Any) -> None:
        made.append(model.name)

    clients = {"glue": lake.clients.glue, "s3": lake.clients.s3, "athena": lake.clients.athena}
    for name, client in clients.items():
        client.meta.events.register(f"after-call.{name}.*", answered)
    try:
        yield made
    finally:
        for name, client in clients.items():
            client.meta.events.unregister(f"after-call.{name}.*", answered)


def fill_history(lake: Lake, dataset: Dataset, past: int) -> None:
    """Generations before DAY, as partitions; of those that are there already Glue says so and leaves them."""
    names: Any = {"DatabaseName": dataset.database, "TableName": dataset.history}
    partition: Any = lake.clients.glue.get_partition(**names, PartitionValues=list(DAY.values))["Partition"]
    days = [Generation(DAY.day - timedelta(days=back)) for back in range(1, past + 1)]
    made: Any = [{"Values": list(day.values), "StorageDescriptor": partition["StorageDescriptor"]} for day in days]
    for start in range(0, past, 100):
        lake.clients.glue.batch_create_partition(**names, PartitionInputList=made[start : start + 100])
