"""The way back: a generation that ought not to be there is taken out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.runtime.generation import Generation
from dapflow.runtime.publish import Publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake
from tests.runtime.test_inputs import prepared, publish_planes, published


def test_the_current_view_goes_back_to_the_newest_that_remains(lake: Lake, tmp_path: Path) -> None:
    prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    planes = lake.datasets["air_traffic.raw.planes"]
    publish_planes(lake, EARLIER, DAY, LATER)
    assert lake.publisher.withdraw(planes.id, LATER) == DAY
    assert lake.rows(planes) == [("DAY", "1")]
    assert lake.publications.generations(planes.id) == [EARLIER, DAY]
    assert lake.publisher.withdraw(planes.id, EARLIER) == DAY
    lake.publisher.sweep(planes.id)
    assert len({key.rpartition("/")[0] for key in lake.objects("raw")}) == 1
    publish_planes(lake, LATER)
    assert lake.rows(planes) == [("ZLATER", "1")]


def test_the_only_generation_leaves_nothing_to_read(lake: Lake, tmp_path: Path) -> None:
    prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    planes = lake.datasets["air_traffic.raw.planes"]
    publish_planes(lake, DAY)
    assert lake.publisher.withdraw(planes.id, DAY) is None
    assert "planes" not in lake.tables()
    publish_planes(lake, DAY)
    assert lake.rows(planes) == [("DAY", "1")]


def test_what_is_not_there_cannot_be_withdrawn(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, DAY)
    for dataset, hint in (("air_traffic.raw.planes", "its newest: 2013-12-31"), (product.id, "nothing of it")):
        with pytest.raises(DapflowError, match="has no generation 2014-01-01") as caught:
            lake.publisher.withdraw(dataset, LATER)
        assert caught.value.code == "nothing-to-withdraw"
        assert hint in str(caught.value.hint)


def test_a_retry_does_not_take_up_what_was_withdrawn(lake: Lake, tmp_path: Path) -> None:
    """The sweep will delete those objects."""
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, DAY)
    first = lake.publisher.publish(product.id, DAY, lake.run, 1)
    lake.publisher.withdraw(product.id, DAY)
    second = lake.publisher.publish(product.id, DAY, lake.run, 2)
    assert (second.location != first.location, second.query_id != first.query_id) == (True, True)
    lake.publisher.sweep(product.id)
    assert published(lake, product) == ["DAY"]


def test_a_withdrawn_input_is_missing_and_stops_a_run_that_reads_it(lake: Lake, tmp_path: Path) -> None:
    product = prepared(lake, tmp_path, "SELECT tailnum FROM planes")
    publish_planes(lake, EARLIER, DAY)
    staged = lake.publisher.stage(product.id, DAY, lake.run)
    lake.publisher.wait(staged)
    lake.publisher.withdraw("air_traffic.raw.planes", DAY)
    with pytest.raises(DapflowError, match=r"while the query ran, .* has no generation 2013-12-31") as caught:
        lake.publisher.finish(staged)
    assert caught.value.code == "inputs-changed"


def test_a_future_generation_is_refused(lake: Lake, tmp_path: Path) -> None:
    """By the clock of the service; and there is a way to publish it, and a way back."""
    product = prepared(lake, tmp_path, "SELECT 'x' AS tailnum", service="timezone: Pacific/Auckland\n")
    lake.overrides["retention_seconds"] = 0

    def publisher(*, allow_future: bool = False) -> Publisher:
        return Publisher(
            lake.clients, lake.manifest, lake.environment,
            clock=lambda: datetime(2013, 12, 30, 12, tzinfo=UTC), allow_future=allow_future,
        )  # fmt: skip

    # It is the 31st in Auckland already.
    publisher().publish(product.id, LATER)
    future = Generation.parse("2014-01-02")
    with pytest.raises(DapflowError, match="it is 2013-12-31 in Pacific/Auckland") as caught:
        publisher().publish(product.id, future)
    assert caught.value.code == "future-generation"
    publisher(allow_future=True).publish(product.id, future)
    assert publisher().withdraw(product.id, future) == LATER
