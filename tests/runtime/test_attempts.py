"""Two attempts of one run at once: one was taken for dead and goes on, or is told to end, beside the one after it.

Airflow begins the next attempt of a task when it misses the heartbeat of the one before, which may be alive.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime import cleanup_journal, finish
from dapflow.runtime.aws import PassingError
from dapflow.runtime.generation import Generation
from dapflow.runtime.publication import Staged
from dapflow.runtime.publish import Publisher
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError, Meanwhile, crashing_publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

LONG = "UNNEST(sequence(1, 10000)) AS a (x), UNNEST(sequence(1, 10000)) AS b (y), UNNEST(sequence(1, 100)) AS c (z)"


def landed(lake: Lake, generation: Generation = DAY) -> Dataset:
    planes = lake.raw("planes")
    lake.land(planes, generation, planes_csv="tailnum,seats\nN1,1\nN2,2\n")
    return planes


def made(lake: Lake, kind: str, generation: Generation = DAY) -> Dataset:
    """A dataset that reads landing files, or another dataset."""
    planes = landed(lake, generation)
    if kind == "ingest":
        return planes
    lake.publish(planes, generation)
    return lake.product("product", "SELECT tailnum, seats FROM planes", [("planes", planes.id)])


def rows_of(lake: Lake, dataset: Dataset, generation: Generation) -> int:
    where = generation.predicate(dataset.generation)
    answer = lake.query(f'SELECT count(*) AS n FROM "{dataset.database}"."{dataset.history}" WHERE {where}')
    return int(answer[0]["n"] or 0)


def told_to_end(publisher: Publisher, staged: Staged | None) -> None:
    """What an Airflow task does in ``on_kill``."""
    publisher.stop()
    if staged is not None:
        publisher.abandon(staged)


@pytest.mark.parametrize("kind", ["ingest", "transform"])
def test_killed_just_after_the_switch(lake: Lake, kind: str) -> None:
    dataset = made(lake, kind)
    publisher = lake.publisher
    staged = publisher.stage(dataset.id, DAY, lake.run)
    publisher.wait(staged)
    publisher.finish(staged)
    told_to_end(publisher, staged)
    assert lake.rows(dataset) == lake.rows(dataset, history=True) == [("N1", "1"), ("N2", "2")]


def test_killed_beside_the_attempt_that_took_up_its_query(lake: Lake) -> None:
    planes = landed(lake)
    zombie, retry = lake.publisher, lake.publisher
    first = zombie.stage(planes.id, DAY, lake.run, 1)
    zombie.wait(first)
    second = retry.stage(planes.id, DAY, lake.run, 2)
    assert second.location == first.location
    told_to_end(zombie, first)
    assert not retry.lost(second)
    assert retry.finish(second).rows == 2
    told_to_end(zombie, first)
    assert lake.rows(planes) == [("N1", "1"), ("N2", "2")]


def test_an_attempt_whose_query_was_stopped_by_the_one_before_runs_its_own(lake: Lake) -> None:
    product = lake.product("product", "SELECT count(*) AS n FROM " + LONG)
    zombie, retry = lake.publisher, lake.publisher
    first = zombie.stage(product.id, DAY, lake.run, 1)
    second = retry.stage(product.id, DAY, lake.run, 2)
    assert (second.query_id, second.own) == (first.query_id, False)
    told_to_end(zombie, first)
    retry.wait(second)
    assert retry.lost(second)
    anew = retry.stage(product.id, DAY, lake.run, 2)
    assert (anew.query_id != first.query_id, anew.own) == (True, True)
    retry.abandon(anew)


def test_a_publication_goes_on_when_the_query_that_it_took_up_is_stopped(lake: Lake) -> None:
    planes = landed(lake)
    lake.publish(planes)
    sql = "SELECT tailnum, count(*) AS n FROM planes, UNNEST(sequence(1, 3000)) AS a (x), "
    sql += "UNNEST(sequence(1, 10000)) AS b (y) GROUP BY tailnum"
    product = lake.product("product", sql, [("planes", planes.id)])
    zombie = lake.publisher
    first = zombie.stage(product.id, DAY, lake.run, 1)
    stopped = Meanwhile("start_query_execution", lambda: told_to_end(zombie, first), late=True)
    retry = crashing_publisher(lake, stopped)
    done = retry.publish(product.id, DAY, lake.run, 2)
    assert done.query_id != first.query_id
    assert lake.rows(product) == [("N1", "30000000"), ("N2", "30000000")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ingest", "transform"])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("end", ["goes on", "is told to end"])
def test_the_next_attempt_publishes_while_one_stands_still(clients: object, kind: str, late: bool, end: str) -> None:
    """At every call of the first attempt the second one runs as a whole; then the first goes on, or is told to end."""
    lake = empty_lake(clients)  # type: ignore[arg-type]
    day = Generation(DAY.day - timedelta(days=200))
    counter = Meanwhile()
    dataset = made(lake, kind, day)
    run(crashing_publisher(lake, counter), dataset, day, lake.run, 1)
    total = len(counter.names)
    assert total > 6
    for at in range(1, total + 1):
        day = Generation(day.day + timedelta(days=1))
        dataset, key = made(lake, kind, day), f"{lake.run} {at}"
        counter = Meanwhile(at, partial(retried, lake, dataset, day, key, end), late)
        first = crashing_publisher(lake, counter)
        where = f"the second attempt {'after' if late else 'before'} call {at} of {total}"
        try:
            run(first, dataset, day, key, 1)
        except Killed:
            told_to_end(first, None)
        except PassingError as error:
            assert error.code in ("busy", "superseded"), where
        assert rows_of(lake, dataset, day) == 2, where
        assert lake.rows(dataset) == [("N1", "1"), ("N2", "2")], where
        swept(lake, dataset)
        assert rows_of(lake, dataset, day) == 2, f"swept; {where}"


class Killed(Exception):
    """The task is told to end."""


def run(publisher: Publisher, dataset: Dataset, generation: Generation, key: str, attempt: int) -> None:
    publisher.publish(dataset.id, generation, key, attempt)


def retried(lake: Lake, dataset: Dataset, generation: Generation, key: str, end: str) -> None:
    assert lake.publisher.publish(dataset.id, generation, key, 2).rows == 2
    if end == "is told to end":
        raise Killed


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ingest", "transform"])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_one_is_told_to_end_while_the_next_publishes(clients: object, kind: str, late: bool) -> None:
    """At every call of the second attempt the first, which had staged all, is killed."""
    lake = empty_lake(clients)  # type: ignore[arg-type]
    day = Generation(DAY.day - timedelta(days=200))
    at, total = 0, 1
    while at < total:
        at, day = at + 1, Generation(day.day + timedelta(days=1))
        dataset, key = made(lake, kind, day), f"{lake.run} {at}"
        zombie = lake.publisher
        staged = zombie.stage(dataset.id, day, key, 1)
        zombie.wait(staged)
        counter = Meanwhile(at, partial(told_to_end, zombie, staged), late)
        done = crashing_publisher(lake, counter).publish(dataset.id, day, key, 2)
        total = len(counter.names)
        assert done.rows == rows_of(lake, dataset, day) == 2, f"call {at}: {counter.names[at - 1]}"
    assert total > 5


def swept(lake: Lake, dataset: Dataset) -> None:
    """Once enough time has passed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cleanup_journal, "UNFINISHED_SECONDS", 0)
        lake.publisher.sweep(dataset.id)


def test_no_sweep_takes_what_a_run_under_way_has_made(lake: Lake) -> None:
    """However short the time of grace for what is replaced: another run of the dataset sweeps while this one waits."""
    planes = landed(lake)
    lake.land(planes, LATER, planes_csv="tailnum,seats\nN3,3\n")
    staged = lake.publisher.stage(planes.id, DAY, lake.run)
    lake.publisher.wait(staged)
    made = lake.objects("raw")
    lake.publish(planes, LATER)
    assert made <= lake.objects("raw")
    assert set(staged.temporary) <= lake.tables()
    assert lake.publisher.finish(staged).rows == 2
    assert rows_of(lake, planes, DAY) == 2


def test_what_a_shared_run_left_is_swept(lake: Lake) -> None:
    planes = landed(lake)
    staged = lake.publisher.stage(planes.id, DAY, lake.run)
    lake.publisher.wait(staged)
    lake.publisher.abandon(staged)
    assert lake.objects("raw")
    swept(lake, planes)
    assert lake.objects("raw") == set()
    assert lake.tables() == set()


@pytest.mark.parametrize("at", ["accept", "make_visible"])
def test_a_run_of_its_own_leaves_nothing_when_it_fails(lake: Lake, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    planes = landed(lake)

    def fails(*_: object) -> None:
        raise DapflowError("test", "it fails here")

    monkeypatch.setattr(f"dapflow.runtime.publish.{at}", fails)
    with pytest.raises(DapflowError, match="it fails here"):
        lake.publish(planes)
    assert lake.objects("raw") == set()
    assert lake.tables() == set()


def test_a_run_of_its_own_that_fails_after_the_switch_keeps_what_is_published(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    planes = landed(lake)
    lake.publish(planes)

    def fails(*_: object) -> None:
        raise DapflowError("test", "it fails here")

    monkeypatch.setattr(finish, "show_newest", fails)
    with pytest.raises(DapflowError, match="it fails here"):
        lake.publish(planes)
    monkeypatch.undo()
    assert lake.rows(planes) == lake.rows(planes, history=True) == [("N1", "1"), ("N2", "2")]
    lake.publish(planes)
    assert lake.rows(planes) == [("N1", "1"), ("N2", "2")]


def test_an_attempt_that_comes_hours_late_stands_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    planes = landed(lake)
    staged = lake.publisher.stage(planes.id, DAY, lake.run)
    lake.publisher.wait(staged)
    monkeypatch.setattr(finish, "LATE_SECONDS", -1)
    with pytest.raises(PassingError) as caught:
        lake.publisher.finish(staged)
    assert caught.value.code == "late"
    assert lake.publications.generations(planes.id) == []
    monkeypatch.undo()
    assert lake.publisher.publish(planes.id, DAY, lake.run, 2).rows == 2


def test_an_attempt_does_not_bring_back_what_was_replaced_since(lake: Lake) -> None:
    lake.overrides["retention_seconds"] = 3600
    planes = landed(lake)
    zombie, retry = lake.publisher, lake.publisher
    first = zombie.stage(planes.id, DAY, lake.run, 1)
    zombie.wait(first)
    retry.publish(planes.id, DAY, lake.run, 2)
    newer = lake.publish(planes)
    with pytest.raises(PassingError) as caught:
        zombie.finish(first)
    assert caught.value.code == "superseded"
    published = lake.publications.publication(planes.id, DAY)
    assert published is not None
    assert published.location == newer.location != first.location


def staged_product(lake: Lake, generation: Generation = DAY, run: str = "") -> tuple[Dataset, Staged]:
    """A product that has a generation, and another one that is staged: its switch and its view are to come."""
    product = lake.product("product", "SELECT 1 AS a")
    if not lake.publications.generations(product.id):
        lake.publish(product, EARLIER)
    staged = lake.publisher.stage(product.id, generation, lake.run + run)
    lake.publisher.wait(staged)
    return product, staged


def test_the_view_shows_what_a_run_published_that_died_while_this_one_wrote_it(lake: Lake) -> None:
    product, staged = staged_product(lake)
    _, later = staged_product(lake, LATER, "later")

    def dies_after_its_switch() -> None:
        with pytest.raises(CrashError):
            crashing_publisher(lake, died).finish(later)

    died = CallCounter(crash_at="update_table")
    slow = crashing_publisher(lake, counter := Meanwhile("update_table", dies_after_its_switch))
    assert slow.finish(staged).current == LATER
    assert died.names[-2:] == ["create_partition", "update_table"]
    assert [name for name in counter.names if name != "put_object"] == [
        "create_partition",
        "update_table",
        "update_table",
    ]
    assert lake.query("SELECT DISTINCT import_date FROM air_traffic_refined_zone.product") == [
        {"import_date": LATER.key}
    ]
    assert rows_of(lake, product, DAY) == 1


def test_the_view_of_a_newer_generation_is_not_written_over(lake: Lake) -> None:
    _, staged = staged_product(lake)
    _, later = staged_product(lake, LATER, "later")
    slow = crashing_publisher(lake, Meanwhile("update_table", partial(lake.publisher.finish, later)))
    assert slow.finish(staged).current == LATER
    assert lake.query("SELECT DISTINCT import_date FROM air_traffic_refined_zone.product") == [
        {"import_date": LATER.key}
    ]


@pytest.mark.parametrize("change", ["published", "withdrawn"])
def test_a_generation_that_comes_or_goes_at_the_switch_is_the_last_run_s(lake: Lake, change: str) -> None:
    """It was not there, or was, when this run looked; the last one to switch wins."""
    product, staged = staged_product(lake, DAY if change == "published" else EARLIER)

    def meanwhile() -> None:
        if change == "published":
            lake.publish(product)
        else:
            lake.publisher.withdraw(product.id, EARLIER)

    switches = ["create_partition", "update_partition"][:: 1 if change == "published" else -1]
    slow = crashing_publisher(lake, counter := Meanwhile(switches[0], meanwhile))
    done = slow.finish(staged)
    assert [name for name in counter.names if name.endswith("_partition")] == switches
    there = lake.publications.publication(product.id, done.generation)
    assert there is not None
    assert there.location == staged.location
    assert rows_of(lake, product, done.generation) == 1


def test_a_location_above_a_prefix_keeps_it(lake: Lake) -> None:
    """Someone pointed a partition by hand, without the last slash."""
    planes = landed(lake)
    done = lake.publish(planes)
    target = lake.publisher.target(planes.id)
    assert target.journal.discard([done.location], lambda: {done.location.rstrip("/")}) == []
    assert target.journal.discard([done.location], lambda: {done.location.rstrip("/").rpartition("/")[0]}) == []
    assert target.journal.discard([done.location], lambda: {f"{done.location.rstrip('/')}2/"}) == [done.location]


def test_calls_of_a_publication(lake: Lake) -> None:
    """What a publication changes, in order: before the switch nothing that a reader depends on."""
    planes = landed(lake)
    lake.publish(planes)
    product = lake.product("product", "SELECT tailnum FROM planes", [("planes", planes.id)])
    counter = CallCounter()
    crashing_publisher(lake, counter).publish(product.id, DAY)
    assert counter.names == [
        "put_object",  # the record begins
        "put_object",  # the journal
        "start_query_execution",  # the view that describes the columns
        "delete_table",
        "start_query_execution",  # the UNLOAD
        "put_object",  # what is about to be published
        "create_table",  # the history
        "create_partition",  # the switch
        "create_table",  # the current view
        "put_object",  # the record ends
    ]
