"""Columns of landing files that are gone or of another type: the load stops, is accepted, and every day stays right."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Dataset
from dapflow.runtime.acceptance import pending_changes
from dapflow.runtime.accepted_changes import AcceptedChange, AcceptedChanges, accept_changes
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.generation import Generation
from dapflow.runtime.schema_comparison import SchemaChangedError, schema_error
from tests.runtime.lake import DAY, EARLIER, LATER, Lake, parquet

PLANES = "air_traffic.raw.planes"
PROJECT = {
    "air_traffic/service.yml": "sources: {planes: {}}",
    "air_traffic/refined/large.sql": "SELECT tailnum,\n  seats\nFROM planes -- year\n",
    "air_traffic/refined/all_planes.sql": "SELECT * FROM planes",
}
OLD = "tailnum,seats,year\nN1,10,1999\n"
NEW = "Year,SEATS,tailnum,extra\n2001,many,N2,x\n"


def planes(lake: Lake, root: Path, **files: str) -> Dataset:
    lake.compile(root, PROJECT | {name.replace("__", "/"): text for name, text in files.items()})
    return lake.datasets[PLANES]


def stopped(lake: Lake, dataset: Dataset, generation: Generation = DAY) -> tuple[DapflowError, SchemaChangedError]:
    with pytest.raises(DapflowError) as caught:
        lake.publish(dataset, generation)
    schema = schema_error(caught.value)
    assert schema is not None, str(caught.value)
    return caught.value, schema


def accept(lake: Lake, dataset: Dataset, generation: Generation = DAY) -> list[AcceptedChange]:
    """What ``dapflow accept-schema`` does once it was confirmed."""
    target, before = lake.publisher.target(dataset.id), lake.tables()
    schema = pending_changes(target, lake.manifest, lake.environment, generation, lambda _: None)
    assert schema is not None
    assert lake.tables() == before
    return accept_changes(target.catalog, dataset, target.place, schema.changed, "ann", "2013-12-31T06:00:00+00:00")


def history(lake: Lake, columns: str) -> list[tuple[str | None, ...]]:
    rows = lake.query(f"SELECT {columns} FROM air_traffic_raw_zone.planes_history ORDER BY import_date, tailnum")
    return [tuple(row.values()) for row in rows]


def test_a_column_of_another_type_stops_the_load_and_goes_on_beside_the_old_one(lake: Lake, tmp_path: Path) -> None:
    dataset = planes(lake, tmp_path)
    lake.land(dataset, EARLIER, planes_csv=OLD)
    lake.publish(dataset, EARLIER)
    lake.land(dataset, planes_csv=NEW)
    error, schema = stopped(lake, dataset)
    assert isinstance(error, DapflowErrors)
    value = error.errors[0]
    assert (value.code, value.line, "column seats: 'many' is no bigint" in value.message) == ("landing-value", 2, True)
    assert schema.message == "air_traffic.raw.planes would break its readers: column seats was bigint and is now string"
    assert [line.split() for line in schema.detail.splitlines()][:5] == [
        ["column", "table", "now"],
        ["tailnum", "string", "string"],
        ["seats", "bigint", "string", "another", "type"],
        ["year", "bigint", "bigint"],
        ["extra", "-", "string", "new"],
    ]
    assert (
        "seats is read by air_traffic.refined.large (transforms/air_traffic/refined/large.sql:2:3), which breaks"
        in (schema.detail)
    )
    assert (
        "all_planes (transforms/air_traffic/refined/all_planes.sql:1:15), which passes all columns on" in schema.detail
    )
    assert "dapflow accept-schema air_traffic.raw.planes" in (schema.hint or "")
    assert json.loads(json.dumps(schema.as_dict()))["columns"][1] == {
        "name": "seats",
        "table": "bigint",
        "now": "string",
    }
    assert lake.rows(dataset) == [("N1", "10", "1999")]

    [accepted] = accept(lake, dataset)
    assert (accepted.successor, accepted.by) == ("seats_string", "ann")
    lake.publish(dataset)
    assert lake.rows(dataset) == [("N2", None, "2001", "many", "x")]
    assert history(lake, "tailnum, seats, seats_string") == [("N1", "10", None), ("N2", None, "many")]
    # A past day once more, whose files are as they were, and a later one with numbers again.
    lake.publish(dataset, EARLIER)
    lake.land(dataset, LATER, planes_csv="tailnum,seats,year,extra\nN3,30,2002,\n")
    lake.publish(dataset, LATER)
    assert history(lake, "seats, seats_string") == [("10", "10"), (None, "many"), ("30", "30")]


def test_a_column_that_is_gone(lake: Lake, tmp_path: Path) -> None:
    dataset = planes(lake, tmp_path)
    lake.land(dataset, EARLIER, planes_csv=OLD)
    lake.publish(dataset, EARLIER)
    lake.land(dataset, planes_csv="seats,tailnum\n20,N2\n")
    _, schema = stopped(lake, dataset)
    assert "column year is gone" in schema.message
    assert "nobody in the project reads year" not in schema.detail  # a star may be all columns
    accept(lake, dataset)
    assert accept_is_noted(lake) == [("year", None)]
    for generation in (DAY, EARLIER, DAY):
        lake.publish(dataset, generation)
    assert history(lake, "tailnum, seats, year") == [("N1", "10", "1999"), ("N2", "20", None)]
    lake.land(dataset, LATER, planes_csv="seats,year\n20,2000\n")
    assert "column tailnum is gone" in stopped(lake, dataset, LATER)[1].message


def accept_is_noted(lake: Lake) -> list[tuple[str, str | None]]:
    table = GlueCatalog(lake.clients.glue).table("air_traffic_raw_zone", "planes_history")
    return [(entry.column, entry.successor) for entry in AcceptedChanges.of(table).entries]


def test_accepted_twice_is_accepted_once_and_a_third_type_follows_the_second(lake: Lake, tmp_path: Path) -> None:
    dataset = planes(lake, tmp_path)
    lake.land(dataset, EARLIER, planes_csv=OLD)
    lake.publish(dataset, EARLIER)
    lake.land(dataset, planes_csv="tailnum,seats,year\nN2,2001-01-01,2001\n")
    target = lake.publisher.target(dataset.id)
    schema = pending_changes(target, lake.manifest, lake.environment, DAY, lambda _: None)
    assert schema is not None
    first = accept_changes(target.catalog, dataset, target.place, schema.changed, "ann", "1")
    assert accept_changes(target.catalog, dataset, target.place, schema.changed, "bob", "2") == first
    lake.publish(dataset)
    lake.land(dataset, LATER, planes_csv="tailnum,seats,year\nN3,many,2001\n")
    accept(lake, dataset, LATER)
    lake.publish(dataset, LATER)
    assert accept_is_noted(lake) == [("seats", "seats_date"), ("seats_date", "seats_date_string")]
    assert history(lake, "seats, seats_date, seats_date_string") == [
        ("10", None, None), (None, "2001-01-01", None), (None, None, "many")
    ]  # fmt: skip


def test_json_keys_and_parquet_columns(lake: Lake, tmp_path: Path) -> None:
    service = "sources: {planes: {format: json}, seats: {format: parquet}}"
    lake.compile(tmp_path, {"air_traffic/service.yml": service})
    dataset, seats = lake.datasets[PLANES], lake.datasets["air_traffic.raw.seats"]
    lake.put_landing(dataset, EARLIER, "a.json", '{"tailnum": "N1", "seats": 10, "year": 1999}\n')
    lake.publish(dataset, EARLIER)
    lake.put_landing(dataset, DAY, "a.json", '{"Extra": 1, "seats": {"a": 1}, "Tailnum": "N2"}\n')
    assert {change.name for change in stopped(lake, dataset)[1].changed} == {"seats", "year"}
    accept(lake, dataset)
    lake.publish(dataset)
    assert history(lake, "tailnum, seats, year, seats_string, extra") == [
        ("N1", "10", "1999", None, None), ("N2", None, None, '{"a":1}', "1")
    ]  # fmt: skip

    kinds = {"n": pa.int32(), "items": pa.list_(pa.int64())}
    lake.put_landing(seats, EARLIER, "a.parquet", parquet({"n": [1], "items": [[1]]}, kinds))
    lake.publish(seats, EARLIER)
    lake.put_landing(
        seats, DAY, "a.parquet", parquet({"items": ["x"], "n": [2**40]}, {"items": pa.string(), "n": pa.int64()})
    )
    assert [str(change) for change in stopped(lake, seats)[1].changed] == [
        "column items was array<bigint> and is now string"
    ]
    accept(lake, seats)
    lake.publish(seats)
    lake.publish(seats, EARLIER)
    assert sorted(lake.rows(seats, history=True)) == [("1", "[1]", None), ("1099511627776", None, "x")]


def test_types_of_service_yml(lake: Lake, tmp_path: Path) -> None:
    dataset = lake.source(tmp_path, "columns: {id: int, day: date}")
    lake.land(dataset, EARLIER, notes_csv="id,day\n1,2013-12-30\n")
    lake.publish(dataset, EARLIER)
    dataset = lake.source(tmp_path, "columns: {id: string}")
    lake.land(dataset, notes_csv="id\nA1\n")
    assert len(stopped(lake, dataset)[1].changed) == 2
    accept(lake, dataset)
    lake.publish(dataset)
    assert lake.rows(dataset) == [(None, None, "A1")]
    lake.land(dataset, notes_csv="id\n12\n")
    lake.publish(dataset)
    assert sorted(lake.rows(dataset, history=True), key=str) == [("1", "2013-12-30", None), ("12", None, "12")]


def test_the_type_that_service_yml_names_again_is_kept(lake: Lake, tmp_path: Path) -> None:
    dataset = lake.source(tmp_path, "columns: {id: int}")
    lake.land(dataset, EARLIER, notes_csv="id\n1\n")
    lake.publish(dataset, EARLIER)
    dataset = lake.source(tmp_path, "columns: {id: string}")
    lake.land(dataset, notes_csv="id\nA1\n")
    accept(lake, dataset)
    lake.publish(dataset)
    dataset = lake.source(tmp_path, "columns: {id: int}")
    with pytest.raises(DapflowError, match="column id: 'A1' is no integer") as caught:
        lake.publish(dataset)
    assert caught.value.code == "landing-value"
    lake.publish(dataset, EARLIER)
    assert sorted(lake.rows(dataset, history=True), key=str) == [("1", "1"), (None, "A1")]


def test_a_file_of_other_columns_altogether_is_no_change(lake: Lake, tmp_path: Path) -> None:
    dataset = planes(lake, tmp_path)
    lake.land(dataset, EARLIER, planes_csv=OLD)
    lake.publish(dataset, EARLIER)
    lake.land(dataset, planes_csv="N1,10,1999\nN2,20,2001\n")
    with pytest.raises(DapflowError, match="the file lacks tailnum, seats, year") as caught:
        lake.publish(dataset)
    assert caught.value.code == "landing-header"
