"""A hundred days of the example's flights: run day by day, and built later by a backfill."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

import boto3
import duckdb

from dapflow.backfill.building import Backfill
from dapflow.backfill.calendar import days_between
from dapflow.backfill.plan import plan_backfill
from dapflow.backfill.snapshot import Snapshot
from dapflow.environment import Environment
from dapflow.example import land
from dapflow.manifest import Manifest
from dapflow.publications.published import Publications
from dapflow.runtime.aws import connect
from dapflow.runtime.generation import Generation
from dapflow.runtime.objects import list_objects, read_object
from dapflow.runtime.publish import Publisher
from tests.bench.command import peak_memory
from tests.reliability.part import Figures, Part
from tests.reliability.servers import lakes
from tests.runtime.lake import REGION, Lake

DAYS, FIRST, AT_ONCE = 100, date(2013, 1, 2), 4
TRANSFORMS = Path(__file__).parents[2] / "transforms"
PRODUCTS = ("daily_departures", "airline_punctuality", "disruptions")
SOURCES = ("flights", "airlines", "airports")

# By dataset and generation: how many rows, and a sum of the hashes of all of them.
Hashes = dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Way:
    """How the days were published: seconds, and the most memory of the process that did it, in MiB."""

    seconds: float
    memory: float
    hashes: Hashes


def measure(*, one_in: int) -> Part:
    """100 days, or a ``one_in``-th of them; the seconds are of the whole."""
    last = FIRST + timedelta(days=max(3, DAYS // one_in) - 1)
    days = days_between(Generation(FIRST), Generation(last))
    with lakes() as make_lake:
        daily = _published(make_lake(_files()), days, _day_by_day)
        later = _published(make_lake(_files()), days, _backfilled)
    differing = sorted(
        key for key in daily.hashes.keys() | later.hashes.keys() if daily.hashes.get(key) != later.hashes.get(key)
    )
    broken = [f"{dataset} {generation} is not the same" for dataset, generation in differing]
    expected = len(days) * (len(SOURCES) + len(PRODUCTS))
    if len(daily.hashes) != expected:
        broken.append(f"{len(daily.hashes)} generations were published, and not {expected}")
    return Part(
        title="A hundred days, daily and by backfill",
        promise="A generation that is built later, when newer ones are there, has the rows that it would have had on "
        "its day.",
        done=f"{len(days)} nightly exports of the example were published day by day; and, in another lake where all of "
        f"them had landed, by `dapflow backfill`'s own code, {AT_ONCE} at a time: first the raw tables of all days, "
        "then the products. For each generation the rows in the published objects were counted and hashed.",
        figures=[
            Figures(
                "The same generations by both ways",
                ("", "generations", "rows", "seconds", "peak memory, MiB"),
                [
                    _row("day by day", daily),
                    _row("backfilled", later),
                    ("of which equal", expected - len(differing), "", "", ""),
                ],
            )
        ],
        broken=broken,
    )


def _row(name: str, way: Way) -> tuple[str, int, int, float, float]:
    return name, len(way.hashes), sum(rows for rows, _ in way.hashes.values()), way.seconds, way.memory


def _files() -> dict[str, str]:
    files = {"air_traffic/service.yml": (TRANSFORMS / "air_traffic/service.yml").read_text(encoding="utf-8")}
    files["air_traffic/service.yml"] = files["air_traffic/service.yml"].replace("reads: [weather.trusted]", "")
    for name in PRODUCTS:
        file = f"air_traffic/refined/{name}.sql"
        files[file] = (TRANSFORMS / file).read_text(encoding="utf-8")
    return files


def _published(lake: Lake, days: list[Generation], way: Callable[..., tuple[float, float]]) -> Way:
    """Land all days, publish them in a process of its own, and hash what is there."""
    land(lake.clients.s3, lake.environment.zones["landing"], [day.day for day in days])
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        seconds, memory = pool.submit(way, lake.manifest, lake.environment, days).result()
    return Way(seconds, memory, _hashes(lake))


def _datasets(manifest: Manifest, *names: str) -> list[str]:
    return [dataset.id for dataset in manifest.datasets.values() if dataset.name in names]


def _day_by_day(manifest: Manifest, environment: Environment, days: list[Generation]) -> tuple[float, float]:
    """As runs of each day would; seconds and memory."""
    publisher = Publisher(connect(boto3.Session(), REGION), manifest, environment)
    began = time.perf_counter()
    for day in days:
        for dataset_id in _datasets(manifest, *SOURCES, *PRODUCTS):
            publisher.publish(dataset_id, day)
    return time.perf_counter() - began, peak_memory(os.getpid())


def _backfilled(manifest: Manifest, environment: Environment, days: list[Generation]) -> tuple[float, float]:
    """As two commands would; seconds and memory."""
    clients = connect(boto3.Session(), REGION)

    def publisher(project: Manifest, _service: str) -> Publisher:
        return Publisher(clients, project, environment)

    began = time.perf_counter()
    for names in (SOURCES, PRODUCTS):
        snapshot = Snapshot(Publications(clients, manifest, environment))
        wanted = [manifest.dataset(dataset_id) for dataset_id in _datasets(manifest, *names)]
        plan = plan_backfill(snapshot, wanted, days, lambda _: False)
        for outcome in Backfill(snapshot, publisher, AT_ONCE).outcomes(plan):
            if outcome.error is not None:
                raise outcome.error
    return time.perf_counter() - began, peak_memory(os.getpid())


def _hashes(lake: Lake) -> Hashes:
    hashes: Hashes = {}
    for dataset in lake.manifest.datasets.values():
        target = lake.publisher.target(dataset.id)
        for partition in target.catalog.partitions(target.place.database, target.place.history):
            hashes[dataset.id, partition.values[3]] = _hash(lake, partition.location)
    return hashes


def _hash(lake: Lake, location: str) -> tuple[int, int]:
    """Of the rows below a prefix, in whatever order."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, item in enumerate(listed for listed in list_objects(lake.clients.s3, location) if listed.size):
            file = Path(folder) / f"{number}.parquet"
            file.write_bytes(read_object(lake.clients.s3, item.uri))
            files.append(str(file))
        query = "SELECT count(*), sum(hash(rows)::hugeint) FROM read_parquet(?) AS rows"
        row = duckdb.execute(query, [files]).fetchone() if files else (0, 0)
    assert row is not None
    return int(row[0]), int(row[1])
