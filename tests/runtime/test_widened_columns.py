"""Columns that get a wider type: accepted without a word, and readable at every moment, in every generation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.runtime.aws import Clients
from dapflow.runtime.column_changes import widens
from dapflow.runtime.publish import Publisher
from tests.runtime.conftest import empty_lake
from tests.runtime.crashing import CallCounter, CrashError, crashing_publisher
from tests.runtime.lake import DAY, EARLIER, LATER, Lake

SQL = "air_traffic/refined/totals.sql"
NARROW = "SELECT 1 AS n, REAL '0.5' AS share, DECIMAL '1.25' AS price"
WIDE = "SELECT BIGINT '5000000000' AS n, 0.1e0 AS share, DECIMAL '12345.125' AS price"


def totals(lake: Lake, root: Path, sql: str) -> Dataset:
    lake.compile(root, {"air_traffic/service.yml": "title: Air", SQL: sql})
    return lake.datasets["air_traffic.refined.totals"]


class Watched(CallCounter):
    """Looks, around every call that changes something, as a reader does."""

    def __init__(self, look: Callable[[], None], crash_at: int | None = None, late: bool = False) -> None:
        super().__init__(crash_at, late)
        self.look = look

    def made(self, name: str, call: Callable[[], Any]) -> Any:
        result = super().made(name, call)
        self.look()
        return result


def test_every_reader_reads_both_types_at_every_moment(lake: Lake, tmp_path: Path) -> None:
    lake.publish(totals(lake, tmp_path, NARROW), EARLIER)
    dataset = totals(lake, tmp_path, WIDE)
    old, new = ("1", "0.5", "1.250"), ("5000000000", "0.1", "12345.125")
    seen: list[list[tuple[str | None, ...]]] = []

    def look() -> None:
        seen.append(lake.rows(dataset))
        assert len(lake.rows(dataset, history=True)) in (1, 2)

    crashing_publisher(lake, Watched(look)).publish(dataset.id, DAY)
    assert [new] in seen
    assert all(rows in ([("1", "0.5", "1.25")], [old], [new]) for rows in seen), seen
    assert lake.rows(dataset) == [new]
    assert sorted(lake.rows(dataset, history=True)) == [old, new]


def test_views_that_people_made_over_it_are_named(lake: Lake, tmp_path: Path) -> None:
    """Nobody writes them anew, and Athena refuses one whose columns have other types than it says."""
    dataset = totals(lake, tmp_path, NARROW)
    assert lake.publish(dataset, EARLIER).stale_views == ()
    database = "air_traffic_refined_zone"
    for name, sql in (("ours", "SELECT n FROM Totals"), ("theirs", "SELECT 1 AS totals_x"), ("old", "SELECT 2 AS a")):
        lake.query(f"CREATE VIEW {database}.{name} AS {sql}")
    assert lake.publish(dataset, DAY).stale_views == ()
    said: list[str] = []
    publisher = Publisher(lake.clients, totals_manifest(lake, tmp_path), lake.environment, said.append)
    assert publisher.publish(dataset.id, LATER).stale_views == (f"{database}.ours",)
    assert any("created again: air_traffic_refined_zone.ours" in line for line in said)
    with pytest.raises(DapflowError, match="VIEW_IS_STALE"):
        lake.query(f"SELECT * FROM {database}.ours")


def totals_manifest(lake: Lake, root: Path) -> Manifest:
    """The project with the wider types."""
    totals(lake, root, WIDE)
    return lake.manifest


def test_a_past_day_with_the_narrow_type_again(lake: Lake, tmp_path: Path) -> None:
    lake.publish(totals(lake, tmp_path, NARROW), EARLIER)
    lake.publish(totals(lake, tmp_path, WIDE), DAY)
    dataset = totals(lake, tmp_path, "SELECT 2 AS n, REAL '0.25' AS share, DECIMAL '2.50' AS price")
    lake.publish(dataset, EARLIER)
    assert lake.rows(dataset) == [("5000000000", "0.1", "12345.125")]
    assert ("2", "0.25", "2.500") in lake.rows(dataset, history=True)
    lake.publish(dataset, LATER)
    assert lake.rows(dataset) == [("2", "0.25", "2.500")]
    assert [column.type for column in lake.publish(dataset, LATER).columns] == ["bigint", "double", "decimal(8,3)"]


@pytest.mark.slow
@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_crash_at_every_step_leaves_all_readable(clients: Clients, tmp_path: Path, late: bool) -> None:
    crash_at = 0
    while True:
        crash_at += 1
        lake = empty_lake(clients)
        lake.publish(totals(lake, tmp_path, NARROW), EARLIER)
        dataset = totals(lake, tmp_path, WIDE)
        try:
            crashing_publisher(lake, CallCounter(crash_at, late)).publish(dataset.id, DAY, lake.run)
        except CrashError:
            lake.rows(dataset)
            lake.rows(dataset, history=True)
            for sql in (NARROW, WIDE):
                lake.publish(totals(lake, tmp_path, sql), LATER)
                assert len(lake.rows(dataset)) == 1
                lake.rows(dataset, history=True)
        else:
            break
    assert crash_at > 10


@pytest.mark.parametrize(
    ("was", "now"),
    [("SELECT BIGINT '1' AS n", "SELECT 1e0 AS n"), ("SELECT DECIMAL '1.25' AS n", "SELECT DECIMAL '125.0' AS n"),
     ("SELECT 1 AS n", "SELECT '1' AS n"), ("SELECT ARRAY[1] AS n", "SELECT ARRAY[BIGINT '1'] AS n")],
)  # fmt: skip
def test_what_would_change_a_value_is_refused(lake: Lake, tmp_path: Path, was: str, now: str) -> None:
    lake.publish(totals(lake, tmp_path, was), EARLIER)
    with pytest.raises(DapflowError, match="column n was") as caught:
        lake.publish(totals(lake, tmp_path, now), DAY)
    assert caught.value.code == "breaking-change"


def test_decimals_widen_on_both_sides_of_the_point() -> None:
    assert widens("decimal(5,2)", "decimal(6,3)")
    assert widens("decimal(5,2)", "decimal(6,2)")
    assert not widens("decimal(5,2)", "decimal(5,3)")
    assert not widens("decimal(5,2)", "decimal(6,1)")
    assert not widens("decimal(5,2)", "decimal(5,2)")


def test_columns_of_service_yml_may_be_reordered_and_added_anywhere(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {id: int, day: date}")
    lake.land(table, EARLIER, notes_csv="id,day\n1,2013-12-30\n")
    lake.publish(table, EARLIER)
    table = lake.source(tmp_path, "columns: {note: string, day: date, id: bigint}")
    lake.land(table, notes_csv="DAY,Note,Id\n2013-12-31,x,5000000000\n")
    lake.publish(table)
    assert lake.rows(table) == [("5000000000", "2013-12-31", "x")]
    assert ("1", "2013-12-30", None) in lake.rows(table, history=True)
