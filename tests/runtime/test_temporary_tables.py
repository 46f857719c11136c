"""Temporary tables that a killed run left: found by their names and removed, and never taken for someone else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dapflow.manifest import Dataset
from dapflow.runtime import cleanup_journal
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.temporary import is_temporary, temporary_name
from tests.runtime.lake import DAY, Lake

MIGRATED = "SELECT 1 AS a, '2013' AS import_year, '12' AS import_month, '31' AS import_day, '20131231' AS import_date"


class KilledError(Exception):
    """The process ends here."""


def left(lake: Lake, monkeypatch: pytest.MonkeyPatch, kind: str) -> Dataset:
    """A dataset whose publication was killed before it removed its temporary table of a kind."""
    if kind == "landing":
        dataset = lake.raw("planes")
        lake.land(dataset, planes_csv="tailnum,seats\nN1,1\n")
    else:
        dataset = lake.product("product", MIGRATED)
    delete = GlueCatalog.delete_table

    def killed(catalog: GlueCatalog, database: str, name: str) -> None:
        if f"__{kind}_" in name:
            raise KilledError
        delete(catalog, database, name)

    monkeypatch.setattr(GlueCatalog, "delete_table", killed)
    with pytest.raises(KilledError):
        lake.publish(dataset)
    monkeypatch.undo()
    return dataset


def forget_notes(lake: Lake, zone: str) -> None:
    """Remove what runs wrote down before they made anything."""
    bucket = lake.bucket(zone)
    for item in lake.clients.s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
        if "/_runs/" in item["Key"]:
            lake.clients.s3.delete_object(Bucket=bucket, Key=item["Key"])


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "not noted"])
@pytest.mark.parametrize("kind", ["landing", "columns", "staged"])
def test_what_a_killed_run_left_is_swept(lake: Lake, monkeypatch: pytest.MonkeyPatch, kind: str, noted: bool) -> None:
    dataset = left(lake, monkeypatch, kind)
    if not noted:
        forget_notes(lake, dataset.zone)
    lake.publisher.sweep(dataset.id)
    assert [table for table in lake.tables(dataset.zone) if f"__{kind}_" in table], "a run may still need it"
    monkeypatch.setattr(cleanup_journal, "UNFINISHED_SECONDS", 0)
    lake.publisher.sweep(dataset.id)
    assert not [table for table in lake.tables(dataset.zone) if "__" in table]


def test_tables_of_others_stay(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = lake.product("planes", "SELECT 1 AS a")
    near = lake.product("planes__staged_backup", "SELECT 1 AS a")
    elsewhere = replace(dataset, service="weather")
    mine = {"planes__landing_notes", "planes__staged_0123456789ab", "planes__columns_0123456789abcdef01234567"}
    theirs = {temporary_name(near, "staged"), temporary_name(elsewhere, "staged")}
    for name in mine | theirs:
        lake.clients.glue.create_table(DatabaseName=dataset.database, TableInput={"Name": name})
    lake.publish(near)
    monkeypatch.setattr(cleanup_journal, "UNFINISHED_SECONDS", 0)
    lake.publish(dataset)
    stay = {"planes", "planes_history", "planes__staged_backup", "planes__staged_backup_history"}
    assert lake.tables("refined") == stay | mine | theirs


def test_a_sweep_lists_tables_once(lake: Lake) -> None:
    dataset = lake.product("planes", "SELECT 1 AS a")
    lake.publish(dataset)
    calls: list[str] = []

    def count(model: Any, **_: object) -> None:
        calls.append(model.name)

    lake.clients.glue.meta.events.register("before-call.glue", count)
    try:
        lake.publisher.sweep(dataset.id)
    finally:
        lake.clients.glue.meta.events.unregister("before-call.glue", count)
    assert calls == ["GetTables"]


def test_names(lake: Lake) -> None:
    dataset = lake.raw("planes")
    name = temporary_name(dataset, "landing", "0123456789abcdef")
    assert name == temporary_name(dataset, "landing", "0123456789abffff")
    assert is_temporary(dataset, name)
    assert not is_temporary(dataset, name.replace("landing", "staged"))
    assert not is_temporary(lake.raw("planes_2"), name)
    assert temporary_name(dataset, "columns") != temporary_name(dataset, "columns")
    longest = lake.raw("x" * 200)
    assert len(temporary_name(longest, "landing")) <= 255
    assert is_temporary(dataset, temporary_name(dataset, "staged", DAY.key + "0" * 8))


def test_a_table_that_another_attempt_made_stays_and_counts_as_new(lake: Lake) -> None:
    planes = lake.raw("planes")
    lake.land(planes, planes_csv="tailnum,seats\nN1,1\n")
    first = lake.publisher.stage(planes.id, DAY, lake.run, 1)
    catalog = GlueCatalog(lake.clients.glue)
    before = catalog.table(planes.database, first.temporary[0])
    second = lake.publisher.stage(planes.id, DAY, lake.run, 2)
    after = catalog.table(planes.database, first.temporary[0])
    assert second.temporary == first.temporary
    assert before is not None
    assert after is not None
    assert before["CreateTime"] == after["CreateTime"] < after["UpdateTime"]
