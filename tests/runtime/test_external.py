"""Tables that something else makes, on the embedded platform: compiled from files, made by DDL as a Glue job would."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
import yaml

from dapflow.branch import BranchNames, branch_slug
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.platform import Platform, describe, describe_branch, hosting
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.found_table import find_table
from dapflow.runtime.generation import Generation
from dapflow.runtime.pinning import pinned_sql
from dapflow.runtime.publish import Publisher
from dapflow.runtime.reading import Inputs, Reading
from tests.project.writing import compile_files
from tests.runtime.lake import ACCOUNT, DAY, EARLIER, LATER, REGION, Lake, parquet

SERVICE = """\
external:
  raw:
    meters: {generations: true}
  refined:
    areas: {columns: {area: string, ward: string}}
"""
KEYS = "import_year string, import_month string, import_day string, import_date string"
SQL = "SELECT m.id, a.ward FROM meters m JOIN air_traffic_refined_zone.areas a ON a.area = m.area"


class Outside:
    """What stands outside of dapflow and writes into its lake."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def say(self, sql: str) -> None:
        athena = self.lake.publisher.target("air_traffic.refined.x").athena
        athena.run(sql, "air_traffic_raw_zone", uuid.uuid4().hex)

    def make_areas(self, ward: str = "north") -> None:
        bucket = self.lake.bucket("refined")
        body = parquet({"area": ["a"], "ward": [ward]})
        self.lake.clients.s3.put_object(Bucket=bucket, Key="air_traffic/areas/part-0", Body=body)
        self.say(
            "CREATE EXTERNAL TABLE air_traffic_refined_zone.areas (area string, ward string) "
            f"STORED AS PARQUET LOCATION 's3://{bucket}/air_traffic/areas/'"
        )

    def make_meters(self, partitions: str = KEYS) -> None:
        self.say(
            f"CREATE EXTERNAL TABLE meters_history (id int, area string) PARTITIONED BY ({partitions}) "
            f"STORED AS PARQUET LOCATION 's3://{self.lake.bucket('raw')}/air_traffic/meters/'"
        )

    def add_meters(self, day: str, *ids: int, month: str | None = None) -> None:
        rows = ", ".join(f"({meter}, 'a', '{day[:4]}', '{month or day[4:6]}', '{day[6:]}', '{day}')" for meter in ids)
        self.say(f"INSERT INTO meters_history SELECT * FROM (VALUES {rows}) AS t (a, b, c, d, e, f)")


@pytest.fixture
def outside(lake: Lake, tmp_path: Path) -> Outside:
    use(lake, tmp_path)
    return Outside(lake)


def use(lake: Lake, root: Path, service: str = SERVICE, sql: str = SQL) -> Manifest:
    """Let the lake hold a project of these files."""
    files: dict[str, str | bytes] = {"air_traffic/service.yml": service, "air_traffic/refined/x.sql": sql}
    manifest = compile_files(root, files)
    lake.services = {"air_traffic": manifest.services["air_traffic"]}
    lake.datasets = {name: dataset for name, dataset in manifest.datasets.items() if dataset.service == "air_traffic"}
    return manifest


def rows(lake: Lake, day: Any = DAY) -> list[tuple[str | None, ...]]:
    lake.publish(lake.datasets["air_traffic.refined.x"], day)
    where = day.predicate(lake.datasets["air_traffic.refined.x"].generation)
    answer = lake.query(f"SELECT id, ward FROM air_traffic_refined_zone.x_history WHERE {where} ORDER BY id")
    return [tuple(row.values()) for row in answer]


def test_a_table_without_generations_is_read_as_it_is_and_the_other_generation_by_generation(outside: Outside) -> None:
    outside.make_areas()
    outside.make_meters()
    outside.add_meters("20131230", 1)
    outside.add_meters("20131231", 1, 2)
    # Nothing has made the current view: the history is read.
    assert rows(outside.lake, EARLIER) == [("1", "north")]
    assert rows(outside.lake, DAY) == [("1", "north"), ("2", "north")]
    said: list[str] = []
    lake = outside.lake
    publisher = Publisher(lake.clients, lake.manifest, lake.environment, said.append)
    assert publisher.show("air_traffic.raw.meters", DAY) == DAY
    assert lake.query("SELECT count(*) AS n FROM air_traffic_raw_zone.meters") == [{"n": "2"}]
    outside.add_meters("20140101", 3)
    assert publisher.show("air_traffic.raw.meters", LATER) == LATER
    assert rows(lake, DAY) == [("1", "north"), ("2", "north")]
    publisher.publish("air_traffic.refined.x", LATER)
    assert any("reads air_traffic.refined.areas as it is (" in line for line in said)


def look_at(lake: Lake, dataset: Dataset, day: Generation) -> Inputs:
    """What a run would read."""
    assert dataset.transform is not None
    catalog = GlueCatalog(lake.clients.glue)
    return Reading(catalog, lake.manifest, lake.environment, dataset, day, dataset.transform.references).inputs()


def test_what_was_read_as_it_is_names_its_version(outside: Outside) -> None:
    outside.make_areas()
    outside.make_meters()
    outside.add_meters("20131231", 1)
    lake = outside.lake

    def look() -> Any:
        dataset = lake.datasets["air_traffic.refined.x"]
        return look_at(lake, dataset, DAY)

    before = look()
    outside.say("DROP TABLE air_traffic_refined_zone.areas")
    outside.make_areas("south")
    lake.clients.glue.update_table(
        DatabaseName="air_traffic_refined_zone",
        TableInput=table_input(lake.clients.glue.get_table(DatabaseName="air_traffic_refined_zone", Name="areas")),
    )
    after = look()
    changed = [read.dataset for read, now in zip(before.read, after.read, strict=True) if read.difference(now)]
    assert changed == ["air_traffic.refined.areas"]
    assert before.identity(1) != after.identity(1)
    # It may have changed without a sign: no attempt takes up the query of another.
    assert after.identity(1) != after.identity(2)


def table_input(answer: Any) -> Any:
    kept = ("Name", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
    return {name: value for name, value in answer["Table"].items() if name in kept}


def test_what_is_not_there_is_said(outside: Outside) -> None:
    lake = outside.lake
    with pytest.raises(DapflowError, match="external-table"):
        rows(lake)
    with pytest.raises(DapflowError, match="external-table"):
        lake.publisher.show("air_traffic.raw.meters", DAY)
    outside.make_areas()
    outside.make_meters()
    with pytest.raises(DapflowError, match=r"air_traffic\.raw\.meters, which has no generation 2013-12-31"):
        rows(lake)
    with pytest.raises(PassingError, match="external-missing"):
        lake.publisher.show("air_traffic.raw.meters", DAY)


def test_a_current_view_that_something_else_made_is_left_and_not_relied_on(outside: Outside) -> None:
    outside.make_areas()
    outside.make_meters()
    outside.add_meters("20131231", 1)
    outside.say("CREATE VIEW meters AS SELECT 7 AS id, 'a' AS area")
    assert outside.lake.publisher.show("air_traffic.raw.meters", DAY) is None
    assert outside.lake.query("SELECT id FROM air_traffic_raw_zone.meters") == [{"id": "7"}]
    assert rows(outside.lake) == [("1", "north")]


@pytest.mark.parametrize(
    ("written", "month"), [("20130605", "6"), ("2013-06-05", "6"), ("2013-06-05", "06"), ("date unknown", "6")]
)
def test_generations_that_are_written_oddly_are_read_and_shown(outside: Outside, written: str, month: str) -> None:
    lake, day = outside.lake, DAY.parse("2013-06-05")
    outside.make_areas()
    outside.make_meters()
    outside.add_meters("20130604", 7)
    outside.say(f"INSERT INTO meters_history SELECT 1, 'a', '2013', '{month}', '5', '{written}'")
    assert rows(lake, day) == [("1", "north")]
    assert lake.publisher.show("air_traffic.raw.meters", day) == day
    shown = lake.query("SELECT id, import_month, import_date FROM air_traffic_raw_zone.meters")
    assert shown == [{"id": "1", "import_month": month, "import_date": written}]
    # What is shown is what a run reads, so that it reads the view as it is, and a newer generation takes its place.
    dataset = lake.datasets["air_traffic.refined.x"]
    assert not look_at(lake, dataset, day).pins
    outside.add_meters("20130606", 8, 9)
    assert lake.publisher.show("air_traffic.raw.meters", DAY.parse("2013-06-06")) == DAY.parse("2013-06-06")
    assert lake.query("SELECT count(*) AS n FROM air_traffic_raw_zone.meters") == [{"n": "2"}]


@pytest.mark.parametrize("keys", [KEYS.replace("year string", "year int"), "day string"])
def test_a_history_that_is_partitioned_otherwise_is_refused(outside: Outside, keys: str) -> None:
    outside.make_areas()
    outside.make_meters(keys)
    with pytest.raises(DapflowError, match="generation-columns"):
        rows(outside.lake)


def test_generations_that_nobody_declared_are_not_read_all_at_once(outside: Outside, tmp_path: Path) -> None:
    outside.make_meters()
    outside.add_meters("20131230", 1)
    service = "external: {raw: {meters: {current: meters_history}}}"
    use(outside.lake, tmp_path, service, "SELECT m.id, m.area AS ward FROM meters_history m")
    with pytest.raises(DapflowError, match=r"generations: \{prefix: import\}"):
        rows(outside.lake)


@pytest.mark.parametrize(
    ("keys", "before", "newest"),
    [
        ("import_date string", "'20131230'", "'20131231'"),
        ("import_date date", "DATE '2013-12-30'", "DATE '2013-12-31'"),
        ("import_year int, import_month int, import_day int", "2013, 12, 30", "2013, 12, 31"),
    ],
)
def test_newer_days_of_a_table_without_generations_are_not_read(
    outside: Outside, tmp_path: Path, keys: str, before: str, newest: str
) -> None:
    lake, names = outside.lake, [key.split()[0] for key in keys.split(", ")]
    service = "external: {raw: {readings: {}}}"
    newest_rows = " AND ".join(f"{name} = (SELECT max({name}) FROM readings)" for name in names)
    use(lake, tmp_path, service, f"SELECT id, area AS ward FROM readings WHERE {newest_rows}")
    outside.say(
        f"CREATE EXTERNAL TABLE readings (id int, area string) PARTITIONED BY ({keys}) "
        f"STORED AS PARQUET LOCATION 's3://{lake.bucket('raw')}/air_traffic/readings/'"
    )
    outside.say(f"INSERT INTO readings SELECT 1, 'a', {before}")
    assert rows(lake, EARLIER) == [("1", "a")]
    outside.say(f"INSERT INTO readings SELECT 2, 'b', {newest}")
    with pytest.raises(DapflowError, match="has rows of 2013-12-31, and a run of 2013-12-30") as caught:
        rows(lake, EARLIER)
    assert caught.value.code == "newer-partitions"
    assert rows(lake, DAY) == [("2", "b")]


def branch_of(manifest: Manifest, platform: Platform) -> Environment:
    """The environment of a branch beside another one, whose raw zone it reads."""
    host = hosting(platform, platform.environment).environment
    return describe_branch(manifest, BranchNames.of(branch_slug("fix")), host).environment


def test_a_branch_reads_them_where_they_are(lake: Lake, tmp_path: Path) -> None:
    manifest = use(lake, tmp_path)
    platform = describe(manifest, name="staging", account=ACCOUNT, region=REGION, database_prefix="stg_")
    branch = branch_of(manifest, platform)
    transform = manifest.datasets["air_traffic.refined.x"].transform
    assert transform is not None
    text = pinned_sql(transform, manifest, branch)
    assert 'FROM "stg_air_traffic_raw_zone"."meters" m' in text
    assert 'JOIN "stg_air_traffic_refined_zone"."areas" a' in text
    assert branch.databases["air_traffic_refined_zone"] != "stg_air_traffic_refined_zone"


def test_names_without_a_database_are_found_where_the_table_is(lake: Lake, tmp_path: Path) -> None:
    manifest = use(lake, tmp_path, "database: air_traffic_refined_zone\n" + SERVICE, "SELECT a.ward FROM areas a")
    platform = describe(manifest, name="prod", account=ACCOUNT, region=REGION)
    host, branch = platform.environment, branch_of(manifest, platform)
    transform = manifest.datasets["air_traffic.refined.x"].transform
    assert transform is not None
    assert pinned_sql(transform, manifest, host) == "SELECT a.ward FROM areas a"
    assert 'FROM "air_traffic_refined_zone"."areas" a' in pinned_sql(transform, manifest, branch)


def test_a_database_that_is_called_otherwise_here_is_read_here(lake: Lake, tmp_path: Path) -> None:
    service = "databases: {refined: {prod: air-prod, test: air-test}}"
    sql = """SELECT t.n AS id, 'air-prod' AS ward FROM "air-prod".y t JOIN "air-test".y u ON u.n = t.n -- "air-prod" """
    (tmp_path / "transforms/air_traffic/refined").mkdir(parents=True)
    (tmp_path / "transforms/air_traffic/refined/y.sql").write_text("SELECT 1 AS n")
    manifest = use(lake, tmp_path, service, sql)
    lake.provision()
    lake.publish(lake.datasets["air_traffic.refined.y"])
    lake.publish(lake.datasets["air_traffic.refined.x"])
    assert lake.query('SELECT id, ward FROM "air-test".x') == [{"id": "1", "ward": "air-prod"}]
    transform = manifest.datasets["air_traffic.refined.x"].transform
    assert transform is not None
    sent = pinned_sql(transform, manifest, lake.environment)
    assert sent.startswith("""SELECT t.n AS id, 'air-prod' AS ward FROM "air-test"."y" t JOIN "air-test".y u""")
    assert sent.endswith('-- "air-prod" ')


@pytest.mark.parametrize(
    ("table", "entry"),
    [
        ("meters_history", "external: {raw: {meters: {generations: true, columns: {id: int, area: string}}}}"),
        ("areas", "external: {refined: {areas: {columns: {area: string, ward: string}}}}"),
    ],
)
def test_what_glue_knows_is_what_service_yml_takes(outside: Outside, tmp_path: Path, table: str, entry: str) -> None:
    lake = outside.lake
    outside.make_areas()
    outside.make_meters()
    zone = "raw" if table == "meters_history" else "refined"
    catalog = GlueCatalog(lake.clients.glue)
    described = find_table(catalog, lake.manifest, lake.environment, f"air_traffic.{zone}.{table}")
    assert yaml.safe_load(described.as_yaml()) == yaml.safe_load(entry)
    written = compile_files(tmp_path / "anew", {"air_traffic/service.yml": described.as_yaml()})
    name = table.removesuffix("_history")
    assert written.datasets[f"air_traffic.{zone}.{name}"].columns == described.columns


def test_a_table_of_an_odd_name_and_odd_columns(lake: Lake, tmp_path: Path) -> None:
    use(lake, tmp_path, "title: Air", "SELECT 1 AS n")
    columns = [("null", "struct<a:int,b:array<string>>"), ("a b", "decimal(10,2)"), ("c", "varchar(3)")]
    keys = ["transform_year", "transform_month", "transform_day", "transform_date", "area"]
    table: Any = {
        "Name": "odd-table",
        "StorageDescriptor": {"Columns": [{"Name": name, "Type": kind, "Comment": "x: y"} for name, kind in columns]},
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in keys],
    }
    lake.clients.glue.create_table(DatabaseName="air_traffic_trusted_zone", TableInput=table)
    catalog = GlueCatalog(lake.clients.glue)
    described = find_table(catalog, lake.manifest, lake.environment, "air_traffic.trusted.odd-table")
    manifest = compile_files(tmp_path / "anew", {"air_traffic/service.yml": described.as_yaml()})
    made = manifest.datasets["air_traffic.trusted.odd_table"]
    assert (made.current, made.history) == ("odd_table", "odd-table")
    assert made.generation.partition_names == tuple(keys)
    assert [(column.name, column.type, column.comment) for column in made.columns or ()] == [
        (name, kind, "x: y") for name, kind in columns
    ]
    with pytest.raises(DapflowError, match="external-table"):
        find_table(catalog, lake.manifest, lake.environment, "air_traffic.trusted.gone")
    with pytest.raises(DapflowError, match="unknown-name"):
        find_table(catalog, lake.manifest, lake.environment, "air_traffic.odd-table")
