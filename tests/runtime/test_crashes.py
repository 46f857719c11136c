"""Whatever happens in the middle: the old generation stays readable, and the next run completes."""

from __future__ import annotations

import threading

import boto3
import pytest
from botocore.config import Config

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime import cleanup_journal
from dapflow.runtime.aws import Clients, PassingError
from dapflow.runtime.publish import Publisher
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError, crashing_publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

OLD, NEW = "tailnum,seats\nOLD,1\n", "tailnum,seats\nNEW,2\n"


def prepared(lake: Lake, kind: str) -> Dataset:
    """A dataset with an old generation and new input for it."""
    planes = lake.raw("planes")
    lake.land(planes, planes_csv=OLD)
    lake.publish(planes)
    product = lake.product("product", "SELECT tailnum, seats FROM planes", [("planes", planes.id)])
    lake.publish(product)
    lake.land(planes, planes_csv=NEW)
    if kind == "ingest":
        return planes
    lake.publish(planes)
    return product


def steps(lake: Lake, kind: str) -> int:
    """How many changing calls a publication makes."""
    counter = CallCounter()
    dataset = prepared(lake, kind)
    crashing_publisher(lake, counter).publish(dataset.id, DAY, lake.run)
    return len(counter.names)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ingest", "transform"])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_crash_at_every_step(clients: Clients, kind: str, late: bool) -> None:
    """Before and after every call that changes something: S3, Glue and Athena."""
    total = steps(empty_lake(clients), kind)
    assert total > 6
    for crash_at in range(1, total + 1):
        lake = empty_lake(clients)
        dataset = prepared(lake, kind)
        counter = CallCounter(crash_at, late)
        with pytest.raises(CrashError):
            crashing_publisher(lake, counter).publish(dataset.id, DAY, lake.run, 1)
        where = f"crash {'after' if late else 'before'} call {crash_at}: {counter.names[-1]}"
        seen = lake.rows(dataset)
        assert seen in ([("OLD", "1")], [("NEW", "2")]), where
        assert lake.rows(dataset, history=True) == seen, where

        again = lake.publisher.publish(dataset.id, DAY, lake.run, 2)
        assert again.rows == 1, where
        assert lake.rows(dataset) == lake.rows(dataset, history=True) == [("NEW", "2")], where
        assert_swept(lake, dataset, where)


def assert_swept(lake: Lake, dataset: Dataset, where: str) -> None:
    """Once enough time has passed, the next publication leaves nothing of the crashed run."""
    unfinished = cleanup_journal.UNFINISHED_SECONDS
    cleanup_journal.UNFINISHED_SECONDS = 0
    try:
        lake.publisher.sweep(dataset.id)
    finally:
        cleanup_journal.UNFINISHED_SECONDS = unfinished
    published = lake.publications.publication(dataset.id, DAY)
    assert published is not None
    prefixes = {
        f"s3://{lake.bucket(dataset.zone)}/{key}".rpartition("/")[0] + "/" for key in lake.objects(dataset.zone)
    }
    assert {prefix for prefix in prefixes if f"/{dataset.name}/" in prefix} == {published.location}, where
    assert {table for table in lake.tables(dataset.zone) if table.startswith(dataset.name)} == {
        dataset.current,
        dataset.history,
    }, where


def test_crash_before_the_first_generation_leaves_nothing_to_read(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv=NEW)
    crashing = CallCounter(crash_at=6)
    with pytest.raises(CrashError):
        crashing_publisher(lake, crashing).publish(planes.id, DAY)
    assert "planes" not in lake.tables()
    lake.publish(planes)
    assert lake.rows(planes) == [("NEW", "2")]


def test_retried_attempt_takes_up_its_own_query(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a")
    first = lake.publisher.stage(product.id, DAY, lake.run, 1)
    lake.publisher.wait(first)
    second = lake.publisher.stage(product.id, DAY, lake.run, 2)
    assert (second.query_id, second.location) == (first.query_id, first.location)
    assert lake.publisher.finish(second).rows == 1


def test_retried_attempt_starts_anew_after_a_cancelled_query(lake: Lake) -> None:
    product = lake.product("product", "SELECT count(*) AS n FROM " + LONG)
    first = lake.publisher.stage(product.id, DAY, lake.run, 1)
    lake.clients.athena.stop_query_execution(QueryExecutionId=first.query_id)
    lake.publisher.wait(first)
    with pytest.raises(PassingError, match="cancelled"):
        lake.publisher.finish(first)
    second = lake.publisher.stage(product.id, DAY, lake.run, 2)
    assert second.query_id != first.query_id
    lake.publisher.abandon(second)


LONG = "UNNEST(sequence(1, 10000)) AS a (x), UNNEST(sequence(1, 10000)) AS b (y), UNNEST(sequence(1, 100)) AS c (z)"


def test_task_that_is_cleared_runs_anew(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a")
    first = lake.publisher.publish(product.id, DAY, lake.run, 1)
    second = lake.publisher.publish(product.id, DAY, lake.run, 2)
    third = lake.publisher.publish(product.id, DAY, lake.run, 3)
    assert len({first.query_id, second.query_id, third.query_id}) == 3
    assert lake.rows(product, history=True) == [("1",)]


def test_retry_does_not_publish_what_was_read_before_the_input_changed(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv=OLD)
    lake.publish(planes)
    product = lake.product("product", "SELECT tailnum FROM planes", [("planes", planes.id)])
    lake.publisher.wait(lake.publisher.stage(product.id, DAY, lake.run, 1))
    lake.land(planes, planes_csv=NEW)
    lake.publish(planes)
    lake.publisher.publish(product.id, DAY, lake.run, 2)
    assert lake.rows(product) == [("NEW",)]


def test_retry_notices_that_staged_objects_are_gone(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a")
    staged = lake.publisher.stage(product.id, DAY, lake.run, 1)
    lake.publisher.wait(staged)
    for key in lake.objects("refined"):
        lake.clients.s3.delete_object(Bucket=lake.bucket("refined"), Key=key)
    with pytest.raises(PassingError, match="are gone"):
        lake.publisher.finish(staged)
    assert lake.publisher.publish(product.id, DAY, lake.run, 2).rows == 1


def test_landing_files_that_change_while_they_are_read(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv=OLD)
    publishing = lake.publisher
    athena = publishing.target(planes.id).athena
    real = athena.start

    def start(statement: str, database: str, token: str) -> str:
        if statement.startswith("UNLOAD"):
            lake.put_landing(planes, DAY, "late.csv", "tailnum,seats\nN9,9\n")
        return real(statement, database, token)

    athena.start = start  # type: ignore[method-assign]
    with pytest.raises(DapflowError) as caught:
        publishing.publish(planes.id, DAY)
    assert caught.value.code == "landing-changed"
    assert lake.objects("raw") == set()
    assert lake.publish(planes).rows == 2


def test_interrupted_run_stops_its_query_and_leaves_nothing(lake: Lake) -> None:
    product = lake.product("product", "SELECT count(*) AS n FROM " + LONG)
    publishing = lake.publisher
    athena = publishing.target(product.id).athena
    started: list[str] = []
    start, sleep = athena.start, athena.sleep

    def starts(statement: str, database: str, token: str) -> str:
        query_id = start(statement, database, token)
        if statement.startswith("UNLOAD"):
            started.append(query_id)
            athena.sleep = interrupt
        return query_id

    def interrupt(_: float) -> None:
        athena.sleep = sleep
        raise KeyboardInterrupt

    athena.start = starts  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        publishing.publish(product.id, DAY)
    assert athena.look(started[0]).state == "CANCELLED"
    assert lake.objects("refined") == set()
    assert lake.tables("refined") == set()


def test_two_runs_of_one_generation_at_once(lake: Lake) -> None:
    lake.overrides["retention_seconds"] = 3600
    product = lake.product("product", "SELECT 1 AS a")
    lake.publish(product)
    errors: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(3):
                lake.publish(product)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert lake.rows(product) == [("1",)]
    for thread in threads:
        thread.join()
    assert errors == []
    assert lake.rows(product, history=True) == lake.rows(product) == [("1",)]


def test_two_generations_at_once_show_the_newer(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a")
    staged = [lake.publisher.stage(product.id, day, lake.run) for day in (EARLIER, LATER, DAY)]
    for publication in staged:
        lake.publisher.wait(publication)
    threads = [threading.Thread(target=lake.publisher.finish, args=(publication,)) for publication in staged]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lake.publications.generations(product.id) == [EARLIER, DAY, LATER]
    assert lake.query("SELECT DISTINCT import_date FROM air_traffic_refined_zone.product") == [
        {"import_date": LATER.key}
    ]


def test_athena_out_of_reach_is_a_passing_error(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS a")
    lake.publish(product)
    away = boto3.client(
        "athena", endpoint_url="http://127.0.0.1:9", region_name="eu-west-2", aws_access_key_id="x",
        aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    clients = Clients(away, lake.clients.glue, lake.clients.s3)
    with pytest.raises(PassingError) as caught:
        Publisher(clients, lake.manifest, lake.environment).publish(product.id, DAY)
    assert caught.value.code == "aws-unreachable"
    assert lake.rows(product) == [("1",)]
