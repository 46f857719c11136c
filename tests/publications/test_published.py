"""What is published, asked of the catalog: by whom, since when, what read it, and what a current view shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.runtime.lake import DAY, EARLIER, LATER, Lake
from tests.runtime.test_inputs import BOTH, prepared, publish_planes


def test_what_is_published_can_be_looked_up(lake: Lake) -> None:
    product = lake.product("one", "SELECT 1 AS one")
    assert lake.publications.publication(product.id, DAY) is None
    done = lake.publish(product)
    noted = lake.publications.publication(product.id, DAY)
    assert noted is not None
    assert (noted.rows, noted.bytes, noted.location) == (done.rows, done.bytes, done.location)
    assert (noted.seconds, noted.bytes_scanned, noted.query_id) == (done.seconds, done.bytes_scanned, done.query_id)
    assert lake.publications.generations(product.id) == [DAY]
    assert lake.publications.publication(product.id, LATER) is None


def test_of_which_run_and_since_when_a_generation_is(lake: Lake) -> None:
    product = lake.product("one", "SELECT 1 AS one UNION ALL SELECT 2")
    before = datetime.now(UTC).replace(microsecond=0)
    later, earlier = lake.publish(product, DAY), lake.publish(product, EARLIER)
    generations = lake.publications.of(product.id)
    assert list(generations) == [EARLIER, DAY]
    assert lake.publications.all() == {product.id: generations}
    for done in (later, earlier):
        noted = generations[done.generation]
        assert (noted.rows, noted.bytes) == (2, done.bytes)
        assert done.location.endswith(f"/{noted.run_id}/")
        assert product.transform is not None
        assert noted.sql_sha == product.transform.sha
        assert before <= datetime.fromisoformat(noted.at) <= datetime.now(UTC)


def test_a_generation_that_something_else_made_is_there_and_not_published(lake: Lake) -> None:
    product = lake.product("one", "SELECT 1 AS one")
    lake.publish(product)
    foreign: Any = {"Values": list(LATER.values), "StorageDescriptor": {"Columns": []}}
    lake.clients.glue.create_partition(DatabaseName=product.database, TableName=product.history, PartitionInput=foreign)
    assert lake.publications.generations(product.id) == [DAY, LATER]
    assert list(lake.publications.of(product.id)) == [DAY]
    assert lake.publications.publication(product.id, LATER) is None


def test_what_the_current_view_shows(lake: Lake, tmp_path: Path) -> None:
    prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    planes = "air_traffic.raw.planes"
    assert lake.publications.shown(planes) is None
    publish_planes(lake, EARLIER, DAY)
    assert lake.publications.shown(planes) == DAY
    lake.publisher.withdraw(planes, DAY)
    assert lake.publications.shown(planes) == EARLIER


def test_who_read_it_is_known(lake: Lake, tmp_path: Path) -> None:
    lake.compile(tmp_path, BOTH)
    publish_planes(lake, EARLIER, DAY)
    current, history = "air_traffic.refined.x", "air_traffic.refined.y"
    for product in (current, history):
        for day in (EARLIER, DAY):
            lake.publisher.publish(product, day)
    assert lake.publications.readers("air_traffic.raw.planes", EARLIER) == [
        (current, EARLIER),
        (history, EARLIER),
        (history, DAY),
    ]
    assert lake.publications.readers(current, DAY) == []


def test_what_landed_can_be_listed(lake: Lake) -> None:
    table = lake.raw("notes", None)
    for day in (LATER, EARLIER):
        lake.land(table, day, notes_csv="id,note,last\n1,a,b\n")
    assert lake.publications.landed(table.id) == [EARLIER, LATER]
