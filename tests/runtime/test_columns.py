"""Columns that a publication adds: none that failed changes what readers and later runs see."""

from __future__ import annotations

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime import finish
from dapflow.runtime.aws import Clients, PassingError
from dapflow.runtime.catalog import GlueCatalog
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError, Meanwhile, crashing_publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

ONE, TWO, OTHER = "SELECT 1 AS a", "SELECT 1 AS a, 2 AS b", "SELECT 1 AS a, 'x' AS b"


def product(lake: Lake, sql: str) -> Dataset:
    return lake.product("product", sql)


def columns_of(lake: Lake, name: str = "product_history") -> list[str]:
    table = GlueCatalog(lake.clients.glue).table("air_traffic_refined_zone", name)
    return [column["Name"] for column in table["StorageDescriptor"]["Columns"]] if table else []


def partition_types(lake: Lake) -> dict[str, dict[str, str]]:
    partitions = GlueCatalog(lake.clients.glue).partitions("air_traffic_refined_zone", "product_history", columns=True)
    return {partition.values[3]: partition.columns for partition in partitions}


def assert_readable(lake: Lake, dataset: Dataset) -> None:
    """Every column has one type, in the table and in all partitions; and the current view can be read."""
    table = GlueCatalog(lake.clients.glue).table(dataset.database, dataset.history)
    assert table is not None
    types = {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}
    for day, columns in partition_types(lake).items():
        assert {name: types.get(name, kind) for name, kind in columns.items()} == columns, day
    lake.rows(dataset)
    lake.rows(dataset, history=True)


@pytest.mark.parametrize("at", ["accept", "make_visible"])
def test_a_failed_publication_adds_no_columns(lake: Lake, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    lake.publish(product(lake, ONE), EARLIER)
    dataset = product(lake, TWO)

    def fails(*_: object) -> None:
        raise DapflowError("test", "it fails here")

    monkeypatch.setattr(f"dapflow.runtime.publish.{at}", fails)
    with pytest.raises(DapflowError, match="it fails here"):
        lake.publish(dataset)
    monkeypatch.undo()
    assert columns_of(lake) == ["a"]
    dataset = product(lake, ONE)
    assert lake.publish(dataset).added_columns == ()
    assert lake.rows(dataset) == [("1",)]


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("then", [ONE, TWO, OTHER], ids=["reverted", "again", "another type"])
@pytest.mark.parametrize("day", [EARLIER, DAY, LATER], ids=["earlier", "the same", "later"])
@pytest.mark.slow
def test_a_crash_at_every_step_is_mended_by_the_next_run_of_any_generation(
    clients: Clients, late: bool, then: str, day: object
) -> None:
    lake = empty_lake(clients)
    lake.publish(product(lake, ONE), EARLIER)
    counter = CallCounter()
    dataset = product(lake, TWO)
    crashing_publisher(lake, counter).publish(dataset.id, DAY, lake.run)
    for crash_at in range(1, len(counter.names) + 1):
        lake = empty_lake(clients)
        lake.publish(product(lake, ONE), EARLIER)
        dataset = product(lake, TWO)
        crashing = CallCounter(crash_at, late)
        with pytest.raises(CrashError):
            crashing_publisher(lake, crashing).publish(dataset.id, DAY, lake.run)
        where = f"crash at call {crash_at}: {crashing.names[-1]}"
        assert lake.rows(dataset) in ([("1",)], [("1", "2")], [("1", None)]), where
        assert_readable(lake, dataset)

        known = columns_of(lake)
        published = lake.publications.publication(dataset.id, DAY) is not None
        dataset = product(lake, then)
        try:
            lake.publish(dataset, day)  # type: ignore[arg-type]
        except DapflowError as error:
            assert error.code == "breaking-change", where
            # Only what was published stands in the way of another text.
            assert published, where
            assert then != TWO, where
            assert known == ["a", "b"] or (then == OTHER and day != DAY), where
        else:
            assert columns_of(lake) == (["a"] if then == ONE else ["a", "b"]) or known == ["a", "b"], where
        assert_readable(lake, dataset)


def test_the_first_publication_may_fail_and_come_back_with_other_columns(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, there: bool) -> None:
        raise DapflowError("test", "it fails here")

    monkeypatch.setattr(GlueCatalog, "put_partition", fails)
    with pytest.raises(DapflowError, match="it fails here"):
        lake.publish(product(lake, TWO))
    monkeypatch.undo()
    assert columns_of(lake) == ["a", "b"]
    dataset = product(lake, "SELECT 'x' AS b, 1 AS c")
    assert lake.publish(dataset).rows == 1
    assert columns_of(lake) == ["b", "c"]
    assert lake.rows(dataset) == [("x", "1")]


def test_inferred_types_of_a_load_that_failed_are_forgotten(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    table = lake.raw("planes", None)
    lake.land(table, planes_csv="seats\n1\n2\n")

    def fails(*_: object, there: bool) -> None:
        raise DapflowError("test", "it fails here")

    monkeypatch.setattr(GlueCatalog, "put_partition", fails)
    with pytest.raises(DapflowError, match="it fails here"):
        lake.publish(table)
    monkeypatch.undo()
    lake.land(table, planes_csv="seats\nmany\nfew\n")
    assert lake.publish(table).rows == 2
    assert lake.rows(table) == [("few",), ("many",)]


def test_a_type_that_a_partition_has_and_the_table_lacks_counts(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ended between the switch and the change of the table."""
    lake.publish(product(lake, ONE), EARLIER)

    class KilledError(Exception):
        pass

    def killed(*_: object) -> None:
        raise KilledError

    monkeypatch.setattr(finish, "add_columns", killed)
    with pytest.raises(KilledError):
        lake.publish(product(lake, TWO))
    monkeypatch.undo()
    assert (columns_of(lake), partition_types(lake)[DAY.key]) == (["a"], {"a": "int", "b": "int"})
    with pytest.raises(DapflowError, match="column b is int in the generation 20131231") as caught:
        lake.publish(product(lake, OTHER), LATER)
    assert caught.value.code == "breaking-change"
    assert lake.publish(product(lake, ONE), LATER).columns[-1].name == "a"
    assert lake.publish(product(lake, OTHER)).added_columns == ("b",)
    assert_readable(lake, product(lake, OTHER))


def test_two_publications_that_add_columns_of_other_types_at_once(lake: Lake) -> None:
    """The one that comes second to the table stands back, and the generation is what it was."""
    for generation in (EARLIER, DAY):
        lake.publish(product(lake, ONE), generation)
    dataset = product(lake, TWO)
    slow = crashing_publisher(lake, switch := Meanwhile())
    product(lake, OTHER)
    fast = lake.publisher

    def meanwhile() -> None:
        switch.at = None
        fast.publish(dataset.id, DAY)

    staged = slow.stage(dataset.id, EARLIER, lake.run)
    slow.wait(staged)
    switch.at, switch.then = len(switch.names) + 2, meanwhile  # after the journal's entry, before the switch
    with pytest.raises(PassingError, match="in the same moment"):
        slow.finish(staged)
    assert lake.publications.publication(dataset.id, EARLIER).columns[-1].name == "b"  # type: ignore[union-attr]
    assert partition_types(lake) == {EARLIER.key: {"a": "int"}, DAY.key: {"a": "int", "b": "string"}}
    assert_readable(lake, dataset)


def test_one_that_stands_back_leaves_what_another_run_has_published_since(lake: Lake) -> None:
    for generation in (EARLIER, DAY):
        lake.publish(product(lake, ONE), generation)
    dataset = product(lake, TWO)
    slow = crashing_publisher(lake, switch := Meanwhile(late=True))
    product(lake, OTHER)
    fast = lake.publisher

    staged = slow.stage(dataset.id, EARLIER, lake.run)
    slow.wait(staged)
    switch.at, switch.then = "update_partition", lambda: fast.publish(dataset.id, EARLIER)
    with pytest.raises(PassingError, match="in the same moment"):
        slow.finish(staged)
    assert partition_types(lake) == {EARLIER.key: {"a": "int", "b": "string"}, DAY.key: {"a": "int"}}
    assert_readable(lake, product(lake, OTHER))


def test_the_first_of_two_first_publications_with_other_columns(lake: Lake) -> None:
    dataset = product(lake, TWO)
    slow = crashing_publisher(lake, switch := Meanwhile())
    staged = slow.stage(dataset.id, EARLIER, lake.run)
    slow.wait(staged)
    product(lake, OTHER)
    fast = lake.publisher

    def meanwhile() -> None:
        switch.at = None
        fast.publish(dataset.id, DAY)

    switch.at, switch.then = len(switch.names) + 3, meanwhile  # record and table are written, the switch comes next
    with pytest.raises(PassingError, match="in the same moment"):
        slow.finish(staged)
    assert partition_types(lake) == {DAY.key: {"a": "int", "b": "string"}}
    assert_readable(lake, product(lake, OTHER))


def test_a_column_that_another_run_has_just_shown_stays_in_the_current_view(lake: Lake) -> None:
    """The slower of two runs looked at view and table before, and changes the view after."""
    dataset = product(lake, ONE)
    lake.publish(dataset, EARLIER)
    slow = crashing_publisher(lake, switch := Meanwhile())
    product(lake, TWO)
    fast = lake.publisher

    def meanwhile() -> None:
        switch.at = None
        fast.publish(dataset.id, LATER)

    staged = slow.stage(dataset.id, DAY, lake.run)
    slow.wait(staged)
    switch.at, switch.then = len(switch.names) + 3, meanwhile  # after the switch, before the change of the view
    slow.finish(staged)
    assert (switch.names[-2:], switch.names.count("update_table")) == (["update_table", "put_object"], 1)
    assert lake.rows(dataset) == [("1", "2")]
    assert_readable(lake, dataset)


def test_a_history_with_further_partition_columns_is_refused(lake: Lake) -> None:
    dataset = product(lake, ONE)
    lake.publish(dataset)
    glue = lake.clients.glue
    table = GlueCatalog(glue).table(dataset.database, dataset.history)
    assert table is not None
    glue.delete_table(DatabaseName=dataset.database, Name=dataset.history)
    keys = [*table["PartitionKeys"], {"Name": "region", "Type": "string"}]
    made = {"Name": dataset.history, "PartitionKeys": keys, "StorageDescriptor": table["StorageDescriptor"]}
    glue.create_table(DatabaseName=dataset.database, TableInput=made)  # type: ignore[arg-type]
    with pytest.raises(DapflowError, match="has further partition columns, region") as caught:
        lake.publish(dataset)
    assert caught.value.code == "extra-columns"
    assert "publish under a new name" in str(caught.value.hint)
    assert lake.tables("refined") == {"product", "product_history"}
