"""A history that begins anew: a first draft keeps neither its name nor its columns for ever."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.aws import Clients
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError, Meanwhile, crashing_publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake, generation_columns

DRAFT, BETTER = "SELECT 1 AS a, 'x' AS b", "SELECT 'y' AS b"


def drafted(lake: Lake, name: str = "local") -> Dataset:
    """Two generations of a product, and another text of it."""
    lake.overrides["name"] = name
    product = lake.product("x", DRAFT)
    for day in (EARLIER, DAY):
        lake.publish(product, day)
    return lake.product("x", BETTER)


def steps(lake: Lake) -> list[str]:
    """The calls of a reset that change something."""
    counter, product = CallCounter(), drafted(lake)
    crashing_publisher(lake, counter).reset(product.id)
    return counter.names


def test_a_changed_product_begins_anew(lake: Lake) -> None:
    product = drafted(lake)
    with pytest.raises(DapflowError, match="column a is gone") as caught:
        lake.publish(product)
    assert caught.value.code == "breaking-change"
    assert "dapflow reset air_traffic.refined.x begins a new history here" in str(caught.value.hint)

    assert lake.publisher.reset(product.id) is None
    assert lake.tables("refined") == {"x_history"}
    assert lake.query('SELECT * FROM "air_traffic_refined_zone"."x_history"') == []
    lake.publish(product)
    assert lake.rows(product) == lake.rows(product, history=True) == [("y",)]
    # What it held is swept after the time of grace, and nothing else is.
    assert len({key.rpartition("/")[0] for key in lake.objects("refined")}) == 1
    with pytest.raises(DapflowError, match="column b is gone"):
        lake.publish(lake.product("x", "SELECT 1 AS c"))


def test_other_generation_columns_begin_anew_too(lake: Lake) -> None:
    lake.overrides["name"] = "local"
    lake.publish(lake.product("x", DRAFT))
    product = lake.product("x", DRAFT, generation=generation_columns(prefix="transform"))
    with pytest.raises(DapflowError, match="is partitioned by import_year"):
        lake.publish(product)
    lake.publisher.reset(product.id)
    lake.publish(product)
    assert lake.query('SELECT a, transform_date FROM "air_traffic_refined_zone"."x"') == [
        {"a": "1", "transform_date": "20131231"}
    ]


def test_where_data_are_live_nothing_is_reset_and_nobody_is_told_to(lake: Lake) -> None:
    product = drafted(lake, "prod")
    with pytest.raises(DapflowError) as caught:
        lake.publisher.reset(product.id)
    assert caught.value.code == "live-environment"
    assert lake.rows(product) == [("1", "x")]
    with pytest.raises(DapflowError, match="column a is gone") as caught:
        lake.publish(product)
    assert "reset" not in str(caught.value.hint)


def test_a_branch_resets_its_own_products_and_not_the_raw_zone_of_others(lake: Lake) -> None:
    lake.overrides["branch"] = "try-abcdef"
    planes = lake.raw("planes")
    with pytest.raises(DapflowError, match="only read there"):
        lake.publisher.reset(planes.id)
    product = drafted(lake, "try-abcdef")
    with pytest.raises(DapflowError, match="column a is gone") as caught:
        lake.publish(product)
    assert "dapflow reset air_traffic.refined.x --branch" in str(caught.value.hint)
    lake.publisher.reset(product.id)
    lake.publish(product)
    assert lake.rows(product) == [("y",)]


def test_what_is_not_there_cannot_be_reset(lake: Lake) -> None:
    lake.overrides["name"] = "local"
    product = lake.product("x", DRAFT)
    with pytest.raises(DapflowError) as caught:
        lake.publisher.reset(product.id)
    assert caught.value.code == "nothing-to-reset"


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_reset_that_is_killed_can_be_repeated(clients: Clients, late: bool) -> None:
    names = steps(empty_lake(clients))
    for crash_at in range(1, len(names) + 1):
        lake = empty_lake(clients)
        product = drafted(lake)
        with pytest.raises(CrashError):
            crashing_publisher(lake, CallCounter(crash_at, late)).reset(product.id)
        try:
            lake.publisher.reset(product.id)
        except DapflowError as error:
            assert error.code == "nothing-to-reset"
        assert lake.tables("refined") == {"x_history"}, f"{crash_at}: {names[crash_at - 1]}"
        lake.publish(product)
        assert lake.rows(product, history=True) == [("y",)]
        lake.publisher.sweep(product.id)
        assert len({key.rpartition("/")[0] for key in lake.objects("refined")}) == 1


@pytest.mark.slow
def test_what_a_run_publishes_meanwhile_stays(clients: Clients) -> None:
    """At any step: it is readable afterwards, or it was taken out with the rest; nothing between."""
    names = steps(empty_lake(clients))
    for at in range(1, len(names) + 1):
        lake = empty_lake(clients)
        drafted(lake)
        product = lake.product("x", DRAFT)
        staged = lake.publisher.stage(product.id, LATER, lake.run)
        lake.publisher.wait(staged)
        meanwhile = Meanwhile(at, partial(lake.publisher.finish, staged))
        current = crashing_publisher(lake, meanwhile).reset(product.id)
        assert current == LATER, f"{at}: {names[at - 1]}"
        assert lake.rows(product) == lake.rows(product, history=True) == [("1", "x")]


def test_a_retry_does_not_take_up_what_was_reset(lake: Lake) -> None:
    lake.overrides["name"] = "local"
    product = lake.product("x", DRAFT)
    first = lake.publisher.publish(product.id, DAY, lake.run, 1)
    lake.publisher.reset(product.id)
    second = lake.publisher.publish(product.id, DAY, lake.run, 2)
    assert second.location != first.location
    lake.publisher.sweep(product.id)
    assert lake.rows(product) == [("1", "x")]


def test_a_product_that_reads_it_waits_for_it(lake: Lake, tmp_path: Path) -> None:
    lake.overrides["name"] = "local"
    files = {
        "air_traffic/service.yml": "title: Air\n",
        "air_traffic/refined/x.sql": DRAFT,
        "air_traffic/refined/y.sql": "SELECT b FROM air_traffic_refined_zone.x",
    }
    lake.compile(tmp_path, files)
    lake.publisher.publish("air_traffic.refined.x", DAY)
    staged = lake.publisher.stage("air_traffic.refined.y", DAY, lake.run)
    lake.publisher.wait(staged)
    lake.publisher.reset("air_traffic.refined.x")
    with pytest.raises(DapflowError) as caught:
        lake.publisher.finish(staged)
    assert caught.value.code == "inputs-changed"
    with pytest.raises(DapflowError) as caught:
        lake.publisher.publish("air_traffic.refined.y", DAY)
    assert caught.value.code == "not-published"
