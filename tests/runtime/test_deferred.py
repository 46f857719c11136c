"""Products that a branch leaves to its base: read there, and neither copied nor written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.publications.published import Publications
from dapflow.runtime.aws import Clients
from dapflow.runtime.publish import Publisher
from dapflow.runtime.reset import reset
from tests.aws_servers import HeldAws
from tests.runtime.branches import Branch
from tests.runtime.conftest import empty_lake
from tests.runtime.lake import DAY, EARLIER, Lake
from tests.runtime.permissions import recorded, refused

FILES = {
    "air_traffic/service.yml": "sources:\n  planes:\n    columns: {tailnum: string, seats: int}\n",
    "air_traffic/refined/large.sql": "SELECT tailnum, seats FROM planes WHERE seats > 100",
    "air_traffic/refined/largest.sql": "SELECT max(seats) AS seats FROM air_traffic_refined_zone.large",
    "air_traffic/trusted/grown.sql": """\
SELECT count(*) AS planes, count(DISTINCT h.import_date) AS days
FROM air_traffic_refined_zone.large_history h
CROSS JOIN air_traffic_refined_zone.largest l
""",
}
LARGE, LARGEST, GROWN = "air_traffic.refined.large", "air_traffic.refined.largest", "air_traffic.trusted.grown"


def publish_two_days(lake: Lake) -> None:
    """Let the base have two days of everything."""
    for day, rows in ((EARLIER, "a,99\nb,150\n"), (DAY, "a,99\nb,150\nc,300\n")):
        lake.put_landing(lake.datasets["air_traffic.raw.planes"], day, "planes.csv", f"tailnum,seats\n{rows}")
        for name in ("air_traffic.raw.planes", LARGE, LARGEST, GROWN):
            lake.publish(lake.datasets[name], day)


def of(branch: Branch, *deferred: str, **files: str) -> Publisher:
    """A publisher of the branch; ``files`` are its products' texts where they are others."""
    manifest = branch.lake.manifest
    for name, sql in files.items():
        dataset = next(dataset for dataset in manifest.datasets.values() if dataset.name == name)
        assert dataset.transform is not None
        assert len(sql) == len(dataset.transform.sql), "the places of references stay"
        changed = replace(dataset, transform=replace(dataset.transform, sql=sql, sha=sql))
        manifest = replace(manifest, datasets={**manifest.datasets, dataset.id: changed})
    return branch.publisher(replace(manifest, deferred=frozenset(deferred)))


@pytest.fixture(scope="module")
def two_days(clients: Clients, tmp_path_factory: pytest.TempPathFactory) -> HeldAws:
    """The base, published once for all tests."""
    lake = empty_lake(clients)
    lake.compile(tmp_path_factory.mktemp("base"), FILES)
    publish_two_days(lake)
    return HeldAws.now()


@pytest.fixture
def branch(two_days: HeldAws, lake: Lake, clients_of_branch: Clients, tmp_path: Path) -> Iterator[Branch]:
    made = Branch(lake, clients_of_branch)
    lake.compile(tmp_path, FILES)
    lake.have_again(two_days)
    with recorded(clients_of_branch) as calls:
        yield made
    assert refused(calls, lake.manifest, made.platform(lake.manifest)) == []


def everything(lake: Lake) -> dict[str, Any]:
    """All that the base holds."""
    tables = {zone: lake.tables(zone) for zone in ("raw", "refined", "trusted")}
    return {**tables, **{f"{zone} objects": lake.objects(zone) for zone in ("raw", "refined", "trusted")}}


def test_it_is_read_from_the_base_and_nothing_there_changes(branch: Branch) -> None:
    lake = branch.lake
    before = everything(lake)
    publisher = of(branch, LARGE)
    publisher.publish(LARGEST, DAY)
    assert branch.rows(publisher, LARGEST) == [("300",)]
    assert branch.rows(publisher, LARGE) == [("b", "150"), ("c", "300")]
    assert everything(lake) == before
    own = publisher.environment.databases["air_traffic_refined_zone"]
    pages = lake.clients.glue.get_paginator("get_tables").paginate(DatabaseName=own)
    assert {table["Name"] for page in pages for table in page["TableList"]} == {"largest", "largest_history"}


def test_a_past_day_is_read_as_of_it_and_history_up_to_it(branch: Branch) -> None:
    publisher = of(branch, LARGE, LARGEST)
    publisher.publish(GROWN, EARLIER)
    assert branch.rows(publisher, GROWN) == [("1", "1")]
    publisher.publish(GROWN, DAY)
    assert branch.rows(publisher, GROWN) == [("3", "2")]


def test_what_is_built_is_read_from_the_branch(branch: Branch) -> None:
    changed = branch.lake.datasets[LARGE].transform
    assert changed is not None
    publisher = of(branch, large=changed.sql.replace("100", "200"))
    publisher.publish(LARGE, DAY)
    publisher.publish(LARGEST, DAY)
    assert branch.rows(publisher, LARGE) == [("c", "300")]
    # What is missing in the branch is missing, though the base has it.
    with pytest.raises(DapflowError, match="no generation"):
        publisher.publish(GROWN, EARLIER)


def test_the_base_that_moves_on_meanwhile_is_seen_for_the_generation(branch: Branch) -> None:
    publisher, lake = of(branch, LARGE), branch.lake
    publisher.publish(LARGEST, DAY)
    planes = lake.datasets["air_traffic.raw.planes"]
    lake.put_landing(planes, DAY, "planes.csv", "tailnum,seats\nd,500\n")
    lake.publish(planes, DAY)
    lake.publish(lake.datasets[LARGE], DAY)
    publisher.publish(LARGEST, DAY)
    assert branch.rows(publisher, LARGEST) == [("500",)]


@pytest.mark.parametrize("dataset", [LARGE, "air_traffic.raw.planes"])
def test_it_cannot_be_published_from_the_branch(branch: Branch, dataset: str) -> None:
    before, publisher = everything(branch.lake), of(branch, LARGE)
    for attempt in (
        lambda: publisher.publish(dataset, DAY),
        lambda: publisher.stage(dataset, DAY, "a run"),
        lambda: reset(publisher.target(dataset), publisher.environment, "somebody"),
    ):
        with pytest.raises(DapflowError) as caught:
            attempt()
        assert caught.value.code in {"not-published-here", "nothing-to-reset"}
    assert everything(branch.lake) == before


def test_what_is_current_is_known_of_both(branch: Branch) -> None:
    publisher = of(branch, LARGE)
    publisher.publish(LARGEST, DAY)
    publications = Publications(branch.lake.clients, publisher.manifest, publisher.environment)
    assert publications.generations(LARGE) == [EARLIER, DAY]
    assert publications.generations(LARGEST) == [DAY]


def test_the_manifest_says_what_is_deferred(branch: Branch) -> None:
    manifest: Manifest = replace(branch.lake.manifest, deferred=frozenset({LARGE}))
    environment = branch.platform(manifest).environment
    assert [environment.publishes(name) for name in (LARGE, LARGEST, GROWN)] == [False, True, True]
    assert branch.lake.manifest.sha != manifest.sha
