"""Every run leaves a record: what it read and asked, what became of it, also when it was killed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.athena import QueryExecution
from dapflow.runtime.attempts import published_runs
from dapflow.runtime.aws import PassingError
from dapflow.runtime.price import USD_PER_TB, usd
from dapflow.runtime.publication import Staged
from dapflow.runtime.publish import Publisher
from dapflow.runtime.record import RunRecord
from dapflow.runtime.records import ended_as, read_records, records_prefix, write_record
from tests.docs.markdown import ROOT
from tests.runtime.crashing import CallCounter, CrashError
from tests.runtime.lake import DAY, Lake

PROJECT = {
    "air_traffic/service.yml": "sources: {planes: {columns: {tailnum: string, seats: integer}}}\n",
    "air_traffic/refined/seats.sql": "SELECT tailnum, seats FROM planes WHERE seats > 1",
}
PLANES, SEATS = "air_traffic.raw.planes", "air_traffic.refined.seats"


def project(lake: Lake, tmp_path: Path) -> Dataset:
    lake.compile(tmp_path, PROJECT)
    lake.land(lake.datasets[PLANES], DAY, planes_csv="tailnum,seats\nN1,1\nN2,2\n")
    return lake.datasets[SEATS]


def records(lake: Lake, dataset: str = SEATS, most: int | None = None) -> list[RunRecord]:
    product = lake.datasets[dataset]
    prefix = records_prefix(lake.environment, product.zone, product.service)
    return list(islice(read_records(lake.clients.s3, prefix, product.name), most))


def seen(lake: Lake, record: RunRecord) -> str:
    """What a reader says became of a run."""
    partition = lake.publisher.target(record.dataset).partition(DAY)
    return ended_as(record, published_runs(partition))


def test_a_publication_is_recorded_with_all_that_made_it(lake: Lake, tmp_path: Path) -> None:
    product = project(lake, tmp_path)
    raw = lake.publish(lake.datasets[PLANES])
    publisher = Publisher(lake.clients, lake.manifest, lake.environment, by="a person", commit="c0ffee")
    made = publisher.publish(product.id, DAY, "scheduled__x", 2)
    [record] = records(lake)
    assert (record.outcome, record.generation, record.run, record.attempt) == (
        "published", "2013-12-31", "scheduled__x", 2,
    )  # fmt: skip
    assert (record.ran_by, record.commit, record.environment) == ("a person", "c0ffee", "test")
    assert record.sql_sha256 == hashlib.sha256(PROJECT["air_traffic/refined/seats.sql"].encode()).hexdigest()
    assert (record.rows, record.bytes, record.location) == (1, made.bytes, made.location)
    assert record.location.endswith(f"/{record.run_id}/")
    [read] = record.inputs
    assert (read.dataset, read.generation, read.version) == (PLANES, "2013-12-31", raw.location)
    assert read.run_id == records(lake, PLANES)[0].run_id
    assert made.query_id in [query.id for query in record.queries]
    assert record.usd == pytest.approx(10 * USD_PER_TB / 1024**2)  # one query, ten megabytes at least; DDL is free
    assert record.seconds is not None
    assert record.ended is not None
    assert [column.name for column in record.columns] == ["tailnum", "seats"]


def test_a_failure_is_recorded_with_its_code_and_place(lake: Lake, tmp_path: Path) -> None:
    lake.compile(tmp_path, {**PROJECT, "air_traffic/refined/seats.sql": "SELECT 1 / 0 AS a FROM planes"})
    lake.land(lake.datasets[PLANES], DAY, planes_csv="tailnum,seats\nN1,1\n")
    with pytest.raises(PassingError):
        lake.publisher.publish(SEATS, DAY)
    lake.publish(lake.datasets[PLANES])
    with pytest.raises(DapflowError):
        lake.publisher.publish(SEATS, DAY)
    failed, waiting = records(lake)
    assert waiting.error is not None
    assert (waiting.error.code, waiting.error.passing, waiting.queries) == ("not-published", True, ())
    assert failed.error is not None
    assert (failed.outcome, failed.error.code, failed.error.passing) == ("failed", "query-failed", False)
    assert failed.error.file == "transforms/air_traffic/refined/seats.sql"
    assert [query.state for query in failed.queries if query.usd == 0.0].count("FAILED") == 1
    assert records(lake, most=1) == [failed]


def test_two_processes_write_one_record(lake: Lake, tmp_path: Path) -> None:
    """As when Airflow defers; and a query that an earlier attempt lost does not begin another record."""
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    first = lake.publisher.stage(product.id, DAY, lake.run)
    [begun] = records(lake)
    assert (begun.outcome, begun.ended) == ("running", None)
    again = lake.publisher.stage(product.id, DAY, lake.run, lost=first)
    publisher = lake.publisher
    staged = Staged.of_dict(json.loads(json.dumps(again.as_dict())))
    publisher.wait(staged)
    publisher.finish(staged)
    [record] = records(lake)
    assert (record.outcome, record.started) == ("published", begun.started)
    assert len({query.id for query in record.queries}) == len(record.queries)
    assert staged.query_id in [query.id for query in record.queries]


def test_what_a_release_before_staged_has_a_record_too(lake: Lake, tmp_path: Path) -> None:
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    data = lake.publisher.stage(product.id, DAY, lake.run).as_dict()
    del data["record"]
    staged = Staged.of_dict(data)
    lake.publisher.target(product.id).athena.wait(staged.query_id)
    lake.publisher.finish(staged)
    assert [record.outcome for record in records(lake)] == ["published", "running"]


def test_a_run_that_is_told_to_end_says_so(lake: Lake, tmp_path: Path) -> None:
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    publisher = lake.publisher
    staged = publisher.stage(product.id, DAY, lake.run)
    publisher.stop()
    publisher.abandon(staged)
    [record] = records(lake)
    assert record.outcome == "stopped"
    assert staged.query_id in [query.id for query in record.queries]


def test_nothing_is_asked_of_athena_before_the_record_is_there(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    refuse(monkeypatch, writes=1)
    with pytest.raises(PassingError):
        lake.publisher.publish(product.id, DAY)
    monkeypatch.undo()
    assert lake.publications.publication(product.id, DAY) is None
    assert records(lake) == []


def test_without_the_record_before_the_switch_nothing_is_switched(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next attempt pays for no second query."""
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    refuse(monkeypatch, writes=2)
    with pytest.raises(PassingError):
        lake.publisher.publish(product.id, DAY, lake.run, 1)
    assert lake.publications.publication(product.id, DAY) is None
    monkeypatch.undo()
    lake.publisher.publish(product.id, DAY, lake.run, 2)
    second, first = records(lake)
    assert (first.outcome, second.outcome) == ("failed", "published")
    unloads = {query.id for query in second.queries if query.usd}
    assert unloads == {query.id for query in first.queries if query.usd}


def test_a_publication_whose_last_words_are_lost_stays_and_is_known(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    refuse(monkeypatch, writes=3)
    made = lake.publisher.publish(product.id, DAY)
    monkeypatch.undo()
    [record] = records(lake)
    assert (record.outcome, record.rows, record.location) == ("publishing", 1, made.location)
    assert seen(lake, record) == "published"


def refuse(monkey: pytest.MonkeyPatch, *, writes: int) -> None:
    """Let S3 refuse the n-th write of a record."""
    counted = [0]

    def refusing(*arguments: Any) -> None:
        counted[0] += 1
        if counted[0] == writes:
            answer: Any = {"Error": {"Code": "SlowDown", "Message": "slow down"}}
            raise ClientError(answer, "PutObject")
        write_record(*arguments)

    monkey.setattr("dapflow.runtime.recording.write_record", refusing)


def test_a_killed_run_is_known_as_one(lake: Lake, tmp_path: Path) -> None:
    """Killed at any call that changes something: it is on record, and what it published is known as published."""
    steps = CallCounter()
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    Publisher(steps.clients(lake.clients), lake.manifest, lake.environment).publish(product.id, DAY, "all")
    later = datetime.now(UTC) + timedelta(days=2)
    for crash_at in range(1, len(steps.names) + 1):
        counter = CallCounter(crash_at, late=True)
        with pytest.raises(CrashError):
            Publisher(counter.clients(lake.clients), lake.manifest, lake.environment).publish(
                product.id, DAY, f"run {crash_at}"
            )
        [record] = [record for record in records(lake) if record.run == f"run {crash_at}"]
        partition = lake.publisher.target(product.id).partition(DAY)
        switched = bool(record.run_id) and record.run_id in published_runs(partition)
        said = ended_as(record, published_runs(partition), later)
        assert said == ("published" if switched else "killed"), counter.names
        assert switched == bool({"create_partition", "update_partition"} & set(counter.names)), counter.names


@pytest.mark.parametrize(
    ("kind", "state", "scanned", "megabytes"),
    [
        ("DML", "SUCCEEDED", 0, 10),
        ("DML", "SUCCEEDED", 10 * 1024**2 + 1, 11),
        ("DML", "CANCELLED", 1, 1),
        ("DML", "CANCELLED", 0, 0),
        ("DML", "FAILED", 10**9, 0),
        ("DDL", "SUCCEEDED", 0, 0),
    ],
)
def test_a_query_costs_what_athena_charges(kind: str, state: str, scanned: int, megabytes: int) -> None:
    execution = QueryExecution("x", state, "", False, scanned, 1, None, kind)
    assert usd(execution) == pytest.approx(megabytes * USD_PER_TB / 1024**2)


def test_the_guide_to_costs_has_the_price_that_records_are_made_with() -> None:
    assert f"Athena costs {USD_PER_TB:g} a TB, at least 10 MB a query" in (ROOT / "docs/costs.md").read_text()


def test_a_record_of_a_later_release_can_be_read(lake: Lake, tmp_path: Path) -> None:
    product = project(lake, tmp_path)
    lake.publish(lake.datasets[PLANES])
    lake.publish(product)
    [record] = records(lake)
    data = {
        **record.as_dict(),
        "weather": "fine",
        "queries": [{**query, "x": 1} for query in record.as_dict()["queries"]],
    }
    assert RunRecord.of_dict(data) == record
