"""Back to a publication of before: whole, at once, on record, and again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runs.history import PublicationHistory, chosen, history_of
from dapflow.runs.recent import runs_of
from dapflow.runtime.aws import PassingError
from dapflow.runtime.generation import Generation
from dapflow.runtime.publication import Publication
from dapflow.runtime.publish import Publisher
from tests.runtime.crashing import CallCounter, CrashError, Meanwhile
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

PRODUCT = "air_traffic.refined.x"


def text(lake: Lake, root: Path, sql: str) -> Dataset:
    """The project with this text."""
    lake.compile(root, {"air_traffic/service.yml": "title: Air\n", "air_traffic/refined/x.sql": sql})
    return lake.datasets[PRODUCT]


def published(lake: Lake, root: Path, *texts: str, generation: Generation = DAY) -> Dataset:
    """The same generation, published by one text after the other; what is replaced is kept for an hour."""
    lake.overrides["retention_seconds"] = 3600
    for sql in texts:
        lake.publish(text(lake, root, sql), generation)
    return lake.datasets[PRODUCT]


def rolled_back(lake: Lake, to: str | None = None, generation: Generation | None = None) -> Publication:
    dataset = lake.datasets[PRODUCT]
    wanted, instead_of = chosen(lake.publications, dataset, generation, to)
    return Publisher(lake.clients, lake.manifest, lake.environment, by="a person").rollback(
        dataset.id, wanted, instead_of
    )


def history(lake: Lake, generation: Generation | None = None) -> PublicationHistory:
    return history_of(lake.publisher, lake.publications, lake.datasets[PRODUCT], generation)


def states(lake: Lake) -> list[tuple[str, str]]:
    return [(publication.record.kind, publication.state) for publication in history(lake).past]


def test_a_generation_is_again_what_it_was(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    before = history(lake).past
    made = rolled_back(lake)
    assert (made.rows, made.current, lake.rows(product), lake.rows(product, history=True)) == (
        1,
        DAY,
        [("1",)],
        [("1",)],
    )
    assert states(lake) == [("rollback", "published"), ("publish", "kept"), ("publish", "kept")]
    newest, _, first = history(lake).past
    assert (newest.record.ran_by, newest.record.restores) == ("a person", first.record.run_id)
    assert newest.record.sql_sha256 == first.record.sql_sha256 != before[0].record.sql_sha256
    noted = lake.publications.of(PRODUCT)[DAY]
    assert noted.sql_sha == first.record.sql_sha256[:16], "the text that made it, not today's"


def test_back_twice_goes_two_steps_and_forth_by_the_name_of_the_run(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n", "SELECT 3 AS n")
    third = history(lake).past[0].record.run_id
    rolled_back(lake)
    assert lake.rows(product) == [("2",)]
    rolled_back(lake)
    assert lake.rows(product) == [("1",)]
    with pytest.raises(DapflowError, match="no publication on record before") as caught:
        rolled_back(lake)
    assert caught.value.code == "nothing-to-roll-back"
    rolled_back(lake, to=third)
    assert lake.rows(product) == [("3",)]
    with pytest.raises(DapflowError, match="already"):
        rolled_back(lake, to=third)
    with pytest.raises(DapflowError) as unknown:
        rolled_back(lake, to="f" * 16)
    assert unknown.value.code == "unknown-run"


def test_what_was_undone_before_a_run_is_not_what_that_run_replaced(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    rolled_back(lake)
    published(lake, tmp_path, "SELECT 3 AS n")
    rolled_back(lake)
    assert lake.rows(product) == [("1",)], "the second was undone already"
    assert history(lake).past[0].record.restores == history(lake).past[-1].record.run_id
    with pytest.raises(DapflowError, match="no publication on record before"):
        rolled_back(lake)


def test_a_copy_is_gone_back_to_where_the_first_one_is_swept(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    rolled_back(lake)
    lake.overrides["retention_seconds"] = 0
    lake.publisher.sweep(PRODUCT)
    published(lake, tmp_path, "SELECT 3 AS n")
    assert [state for _, state in states(lake)] == ["published", "kept", "swept", "swept"]
    rolled_back(lake)
    assert lake.rows(product) == [("1",)]


def test_a_past_day_goes_back_and_no_other_changes(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n", generation=EARLIER)
    published(lake, tmp_path, "SELECT 3 AS n", "SELECT 4 AS n")
    made = rolled_back(lake, generation=EARLIER)
    assert (made.generation, made.current) == (EARLIER, DAY)
    assert lake.rows(product) == [("4",)]
    assert lake.rows(product, history=True) == [("1",), ("4",)]
    with pytest.raises(DapflowError, match="has no generation 2014-01-01"):
        rolled_back(lake, generation=LATER)


def test_a_later_run_publishes_over_it_and_a_retry_pays_for_its_own_query(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n")
    lake.publish(text(lake, tmp_path, "SELECT 2 AS n"), run_key=lake.run, attempt=1)
    rolled_back(lake)
    again = lake.publish(lake.datasets[PRODUCT], run_key=lake.run, attempt=2)
    assert lake.rows(product) == [("2",)]
    lake.overrides["retention_seconds"] = 0
    lake.publisher.sweep(PRODUCT)
    assert {key.rpartition("/")[0] for key in lake.objects("refined")} == {again.location.split("/", 3)[3].rstrip("/")}
    assert [state for _, state in states(lake)] == ["published", "swept", "swept", "swept"]


def test_what_is_swept_is_said_and_nothing_changes(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    lake.overrides["retention_seconds"] = 0
    lake.publisher.sweep(PRODUCT)
    with pytest.raises(DapflowError, match="is not there any more") as caught:
        rolled_back(lake)
    assert caught.value.code == "swept"
    assert lake.rows(product) == [("2",)]


def test_the_sweep_leaves_what_a_roll_back_shows(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    lake.overrides["retention_seconds"] = 0
    rolled_back(lake)
    lake.publisher.sweep(PRODUCT)
    assert lake.rows(product) == [("1",)]


def test_objects_that_someone_deleted_are_not_published_in_part(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    first = history(lake).past[1].record
    bucket, _, prefix = first.location.removeprefix("s3://").partition("/")
    for item in lake.clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
        lake.clients.s3.delete_object(Bucket=bucket, Key=item["Key"])
    with pytest.raises(DapflowError) as caught:
        rolled_back(lake)
    assert caught.value.code == "swept"
    assert lake.rows(product) == [("2",)]


def test_columns_that_came_later_stay_and_are_null(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n, 'x' AS t")
    rolled_back(lake)
    assert lake.rows(product) == [("1", None)]
    lake.publish(product)
    assert lake.rows(product) == [("2", "x")]


def test_a_withdrawn_generation_comes_back(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n")
    [past] = history(lake).past
    lake.publisher.withdraw(PRODUCT, DAY)
    assert states(lake) == [("withdraw", "withdrawn"), ("publish", "kept")]
    rolled_back(lake, to=past.record.run_id)
    assert lake.rows(product) == [("1",)]


def test_two_attempts_that_publish_the_same_objects_are_one_publication(lake: Lake, tmp_path: Path) -> None:
    published(lake, tmp_path, "SELECT 1 AS n")
    text(lake, tmp_path, "SELECT 2 AS n")
    attempts = [Publisher(lake.clients, lake.manifest, lake.environment) for _ in range(2)]
    staged = [attempt.stage(PRODUCT, DAY, "run", number) for number, attempt in enumerate(attempts, 1)]
    for attempt, made in zip(attempts, staged, strict=True):
        attempt.wait(made)
        attempt.finish(made)
    assert [run.outcome for run in runs_of(lake.publications, lake.datasets[PRODUCT])] == ["published"] * 3
    assert states(lake) == [("publish", "published"), ("publish", "kept")]
    lake.publisher.withdraw(PRODUCT, DAY)
    rolled_back(lake, to=staged[0].run_id)
    assert states(lake) == [
        ("rollback", "published"),
        ("withdraw", "withdrawn"),
        ("publish", "kept"),
        ("publish", "kept"),
    ]


def test_a_run_that_publishes_meanwhile_is_not_undone(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    for at, call in ((1, "put_object"), (2, "put_object"), (3, "copy")):  # the record, the journal, the objects
        text(lake, tmp_path, f"SELECT {at + 2} AS n")
        wanted, instead_of = chosen(lake.publications, product, None, None)
        counter = Meanwhile(at, lambda: lake.publish(lake.datasets[PRODUCT]), late=True)
        publisher = Publisher(counter.clients(lake.clients), lake.manifest, lake.environment)
        with pytest.raises(PassingError) as caught:
            publisher.rollback(PRODUCT, wanted, instead_of)
        assert (caught.value.code, counter.names[at - 1]) == ("superseded", call)
        assert lake.rows(product) == [(f"{at + 2}",)]


def test_a_run_that_reads_it_notices(lake: Lake, tmp_path: Path) -> None:
    """Also where the generation goes there and back while it runs: each publication has a prefix of its own."""
    files = {
        "air_traffic/service.yml": "title: Air\n",
        "air_traffic/refined/y.sql": "SELECT n FROM air_traffic_refined_zone.x",
    }
    lake.overrides["retention_seconds"] = 3600
    for number in (1, 2):
        lake.compile(tmp_path, {**files, "air_traffic/refined/x.sql": f"SELECT {number} AS n"})
        lake.publish(lake.datasets[PRODUCT])
    second = history(lake).past[0].record.run_id
    staged = lake.publisher.stage("air_traffic.refined.y", DAY, lake.run)
    rolled_back(lake)
    rolled_back(lake, to=second)
    publisher = lake.publisher
    publisher.wait(staged)
    with pytest.raises(DapflowError, match="was published again") as caught:
        publisher.finish(staged)
    assert caught.value.code == "inputs-changed"


def test_killed_at_any_step_one_or_the_other_is_read(lake: Lake, tmp_path: Path) -> None:
    product = published(lake, tmp_path, "SELECT 1 AS n", "SELECT 2 AS n")
    second = history(lake).past[0].record.run_id
    steps = CallCounter()
    wanted, instead_of = chosen(lake.publications, product, None, None)
    Publisher(steps.clients(lake.clients), lake.manifest, lake.environment).rollback(PRODUCT, wanted, instead_of)
    assert "copy" in steps.names
    rolled_back(lake, to=second)
    for crash_at in range(1, len(steps.names) + 1):
        wanted, instead_of = chosen(lake.publications, product, None, None)
        counter = CallCounter(crash_at, late=True)
        with pytest.raises(CrashError):
            Publisher(counter.clients(lake.clients), lake.manifest, lake.environment).rollback(
                PRODUCT, wanted, instead_of
            )
        rows = lake.rows(product)
        assert rows in ([("1",)], [("2",)]), counter.names
        assert lake.rows(product, history=True) == rows
        known = history(lake).past[0].record
        assert (known.origin == wanted.run_id) == (rows == [("1",)]), "what was switched is known, whatever came after"
        if rows == [("1",)]:
            rolled_back(lake, to=second)
        assert lake.rows(product) == [("2",)]


def test_only_what_is_published_here_can_be_rolled_back(lake: Lake, tmp_path: Path) -> None:
    product = text(lake, tmp_path, "SELECT 1 AS n")
    with pytest.raises(DapflowError, match="x has no generation"):
        chosen(lake.publications, product, None, None)
    external = lake.dataset("given", external=True)
    with pytest.raises(DapflowError, match="only read"):
        chosen(lake.publications, external, None, None)


def test_what_was_published_before_there_were_records_is_listed(lake: Lake, tmp_path: Path) -> None:
    published(lake, tmp_path, "SELECT 1 AS n")
    bucket = lake.bucket("refined")
    for item in lake.clients.s3.list_objects_v2(Bucket=bucket)["Contents"]:
        if "/dapflow-runs/" in item["Key"]:
            lake.clients.s3.delete_object(Bucket=bucket, Key=item["Key"])
    known = history(lake)
    assert (known.past, list(known.unrecorded), known.shown) == ((), [DAY], DAY)
    assert datetime.fromisoformat(known.unrecorded[DAY].at) > datetime.now(UTC) - timedelta(hours=1)
