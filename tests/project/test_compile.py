"""What a project compiles to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Column, GenerationColumns, SourceColumn, read_manifest
from dapflow.project import compile_project, load_project, write_manifest
from tests.project.writing import SERVICE, compile_files, transform_of, write_project

EXAMPLE = Path(__file__).parents[2]


def test_a_sql_file_is_a_data_product(tmp_path: Path) -> None:
    manifest = compile_files(tmp_path, {"air/refined/delays.sql": "select year, carrier from flights\n"})
    dataset = manifest.dataset("air.refined.delays")
    assert (dataset.database, dataset.history, dataset.current) == ("air_refined_zone", "delays_history", "delays")
    assert dataset.depends_on == ("air.raw.flights",)
    assert dataset.task_id == "refined.delays"
    transform = dataset.transform
    assert transform is not None
    assert transform.file == "transforms/air/refined/delays.sql"
    assert transform.columns == ("year", "carrier")
    assert (transform.contract, transform.computes_generation) == ("new", False)


def test_sources_are_datasets(tmp_path: Path) -> None:
    service = """\
    sources:
      flights:
        description: Every flight.
        null: '\\N'
        delimiter: "|"
        columns:
          year: integer
          moment: {type: timestamp, format: "%Y-%m-%dT%H:%i:%sZ", description: UTC.}
      events: {format: json}
    """
    manifest = compile_files(tmp_path, {"air/service.yml": service})
    flights = manifest.dataset("air.raw.flights")
    assert flights.description == "Every flight."
    assert flights.columns == (Column("year", "int"), Column("moment", "timestamp", "UTC."))
    assert flights.source is not None
    assert flights.source.columns == (
        SourceColumn("year", "int"),
        SourceColumn("moment", "timestamp", "UTC.", format="%Y-%m-%dT%H:%i:%sZ"),
    )
    assert (flights.source.null, flights.source.delimiter) == (("\\N",), "|")
    events = manifest.dataset("air.raw.events")
    assert events.columns is None
    assert events.source is not None
    assert (events.source.format, events.source.columns) == ("json", None)


def test_service_terms(tmp_path: Path) -> None:
    service = """\
    title: Flights from New York
    description: All of them.
    owner: someone@example.org
    schedule: "0 5 * * mon-fri"
    timezone: America/New_York
    retries: 0
    database: weather_trusted_zone
    databases: {raw: "air-raw-zone"}
    naming: latest
    generation_columns: {prefix: transform}
    reads: [weather.trusted]
    grants: {weather: [raw.flights, trusted]}
    limits: {bytes_scanned_per_query: 1.5 GB}
    sources: {flights: }
    """
    files: dict[str, str | bytes] = {
        "air/service.yml": service,
        "weather/service.yml": "grants: {air: [trusted]}",
    }
    manifest = compile_files(tmp_path, files)
    air = manifest.services["air"]
    assert (air.title, air.description, air.owner) == ("Flights from New York", "All of them.", "someone@example.org")
    assert (air.schedule, air.timezone, air.retries) == ("0 5 * * mon-fri", "America/New_York", 0)
    assert air.database == "weather_trusted_zone"
    assert air.databases == {"raw": "air-raw-zone", "refined": "air_refined_zone", "trusted": "air_trusted_zone"}
    assert air.reads == ("weather.trusted",)
    assert air.grants == {"weather": ("raw.flights", "trusted")}
    assert air.bytes_scanned_cutoff == 1_610_612_736
    flights = manifest.dataset("air.raw.flights")
    assert (flights.history, flights.current) == ("flights", "flights_latest")
    assert flights.generation == GenerationColumns("transform")
    weather = manifest.services["weather"]
    assert (weather.title, weather.database, weather.schedule) == ("Weather", "weather_raw_zone", None)
    assert (weather.timezone, weather.retries, weather.reads) == ("UTC", 2, ())
    assert weather.grants == {"air": ("trusted",)}
    assert weather.bytes_scanned_cutoff == 107_374_182_400


def test_the_pattern_of_databases_is_a_setting(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.dapflow]\ndatabase = "{zone}-of-{service}"\n')
    manifest = compile_files(tmp_path, {"air/refined/x.sql": 'select year from "raw-of-air".flights'})
    assert manifest.services["air"].databases["refined"] == "refined-of-air"
    assert manifest.dataset("air.refined.x").depends_on == ("air.raw.flights",)


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ('[tool.dapflow]\ndatabase = "{service}"\n', "both {service} and {zone}"),
        ('[tool.dapflow]\ndatabase = "{service}_{zone}_{team}"\n', "only {service} and {zone}"),
        ('[tool.dapflow]\ndatabase = "{service}_{zone"\n', "only {service} and {zone}"),
        ('[tool.dapflow]\ndatabase = "{service}{zone} db"\n', "only lower-case letters"),
        ("[tool.dapflow]\ndatabase = 5\n", "it must be text"),
        ('[tool.dapflow]\ndatabse = "x"\n', "unknown key 'databse'"),
        ("[tool.dapflow\n", "not TOML"),
        ("tool = 5\n", "[tool] must be a table"),
        ("tool = {dapflow = 5}\n", "[tool.dapflow] must be a table"),
    ],
)
def test_wrong_settings(tmp_path: Path, toml: str, problem: str) -> None:
    (tmp_path / "pyproject.toml").write_text(toml)
    with pytest.raises(DapflowError) as caught:
        compile_files(tmp_path, {})
    assert caught.value.code == "bad-settings"
    assert problem in caught.value.message


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (b"\xef\xbb\xbfselect 1 as a", "select 1 as a"),
        (b"select 1 as a;", "select 1 as a"),
        (b"select 1 as a ;; -- end\n;\n", "select 1 as a "),
        (b"select 1 as a -- ; no end", "select 1 as a -- ; no end"),
        (b"-- first\r\n\tselect 1 as a\r\n;\r\n", "-- first\r\n\tselect 1 as a\r\n"),
        ("select '😀;' as a\n".encode(), "select '😀;' as a\n"),
    ],
)
def test_the_text_is_kept_as_it_is_written(tmp_path: Path, written: bytes, sent: str) -> None:
    assert transform_of(tmp_path, written).sql == sent


def test_references_slice_the_text(tmp_path: Path) -> None:
    sql = """\ufeff-- 😀\r
with flights as (select * from flights f where carrier in (select "CARRIER" from "air_raw_zone" . Airlines))
select f.year, h.year as before from flights f cross join FLIGHTS_HISTORY h
cross join air_refined_zone."x_history$partitions" p
"""
    transform = transform_of(tmp_path, sql)
    references = [
        (
            transform.sql[reference.start : reference.end],
            reference.dataset,
            reference.kind,
            reference.alias,
            reference.suffix,
        )
        for reference in transform.references
    ]
    assert references == [
        ("flights", "air.raw.flights", "current", True, ""),
        ('"air_raw_zone" . Airlines', "air.raw.airlines", "current", False, ""),
        ("FLIGHTS_HISTORY", "air.raw.flights", "history", True, ""),
        ('air_refined_zone."x_history$partitions"', "air.refined.x", "history", True, "$partitions"),
    ]


def test_notes_beside_the_sql(tmp_path: Path) -> None:
    notes = "description: What it is.\ncolumns: {Year: The year.}\ntags: [daily, public]\n"
    manifest = compile_files(tmp_path, {"air/refined/x.sql": "select year from flights", "air/refined/x.yml": notes})
    dataset = manifest.dataset("air.refined.x")
    assert dataset.description == "What it is."
    assert dataset.transform is not None
    assert (dataset.transform.tags, dataset.transform.comments) == (("daily", "public"), {"year": "The year."})


def test_order_is_that_of_publishing(tmp_path: Path) -> None:
    manifest = compile_files(
        tmp_path,
        {
            "air/refined/a.sql": "select n from air_refined_zone.z",
            "air/refined/z.sql": "select count(*) as n from flights cross join weather_trusted_zone.hourly",
            "air/trusted/b.sql": "select n from air_refined_zone.a",
            "air/service.yml": f"reads: [weather.trusted]\n{SERVICE}",
            "weather/service.yml": "grants: {air: [trusted]}\nsources: {hours: {columns: {h: integer}}}",
            "weather/trusted/hourly.sql": "select h from hours",
        },
    )
    order = list(manifest.datasets)
    for dataset in manifest.datasets.values():
        assert all(order.index(read) < order.index(dataset.id) for read in dataset.depends_on)
    assert order == [
        "air.raw.airlines",
        "air.raw.airports",
        "air.raw.flights",
        "weather.raw.hours",
        "weather.trusted.hourly",
        "air.refined.z",
        "air.refined.a",
        "air.trusted.b",
    ]
    assert manifest.services["air"].datasets == tuple(name for name in order if name.startswith("air."))


def test_own_history_may_be_read(tmp_path: Path) -> None:
    sql = "select year, (select count(*) from air_refined_zone.x_history) as before from flights"
    manifest = compile_files(tmp_path, {"air/refined/x.sql": sql})
    dataset = manifest.dataset("air.refined.x")
    assert dataset.depends_on == ("air.raw.flights",)
    assert dataset.transform is not None
    assert [(reference.dataset, reference.kind) for reference in dataset.transform.references] == [
        ("air.refined.x", "history"),
        ("air.raw.flights", "current"),
    ]


def test_catalog_tables_are_no_datasets(tmp_path: Path) -> None:
    sql = (
        "select table_name from information_schema.tables union select 'x' from awsdatacatalog.information_schema.views"
    )
    assert transform_of(tmp_path, sql).references == ()


def test_services_may_read_each_other_when_one_has_a_schedule(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": "{reads: [b.refined], grants: {b: [refined]}}",
        "air/refined/x.sql": "select a from b_refined_zone.x",
        "air/refined/y.sql": "select 1 as a",
        "b/service.yml": '{reads: [air.refined.y], grants: {air: [refined]}, schedule: "0 5 * * *"}',
        "b/refined/x.sql": "select 1 as a",
        "b/refined/z.sql": "select a from air_refined_zone.y",
    }
    assert list(compile_files(tmp_path, files).services) == ["air", "b"]


@pytest.mark.parametrize(
    ("reads", "grants", "places"),
    [
        ("[b.refined]", "{air: [refined]}", []),
        ("[b.refined.x]", "{air: [refined.x]}", []),
        ("[b.refined.x]", "{air: [refined]}", []),
        # Asked for and not granted: the request is at fault.
        ("[b.refined]", "", ["air/service.yml:1:9"]),
        ("[b.refined]", "{}", ["air/service.yml:1:9"]),
        ("[b.refined]", "{air: }", ["air/service.yml:1:9"]),
        ("[b.refined]", "{air: [refined.x]}", ["air/service.yml:1:9"]),
        ("[b.refined.x]", "{air: [refined.y, trusted]}", ["air/service.yml:1:9"]),
        ("[b.refined.x]", "{c: [refined]}", ["air/service.yml:1:9"]),
        # Granted and not asked for: the SQL is.
        ("[]", "{air: [refined]}", ["air/refined/x.sql:1:15"]),
        ("", "{air: [refined]}", ["air/refined/x.sql:1:15"]),
        ("[b.refined.y]", "{air: [refined]}", ["air/refined/x.sql:1:15"]),
        # Neither.
        ("", "", ["air/refined/x.sql:1:15"]),
    ],
)
def test_what_is_read_of_others_is_asked_for_and_granted(
    tmp_path: Path, reads: str, grants: str, places: list[str]
) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": f"reads: {reads}\n",
        "air/refined/x.sql": "select a from b_refined_zone.x",
        "b/service.yml": f"grants: {grants}\n",
        "b/refined/x.sql": "select 1 as a",
        "b/refined/y.sql": "select 1 as a",
        "c/service.yml": "",
    }
    try:
        compile_files(tmp_path, files)
    except DapflowErrors as caught:
        refused = [(error.code, error.place) for error in caught.errors]
    else:
        refused = []
    assert refused == [("not-granted", f"transforms/{place}") for place in places]


def test_an_empty_project_compiles(tmp_path: Path) -> None:
    (tmp_path / "transforms").mkdir()
    manifest = compile_project(tmp_path)
    assert (manifest.services, manifest.datasets) == ({}, {})


def test_load_project_gives_what_was_read(tmp_path: Path) -> None:
    project = load_project(write_project(tmp_path, {"air/trusted/x.sql": "select year from flights"}))
    assert [product.file for product in project.services["air"].products] == ["transforms/air/trusted/x.sql"]


def test_load_project_raises_all_mistakes(tmp_path: Path) -> None:
    write_project(tmp_path, {"air/refined/x.sql": "selct", "air/refined/y.sql": "", "b/refined/z.sql": "select 1 as a"})
    with pytest.raises(DapflowErrors) as caught:
        load_project(tmp_path)
    assert [error.code for error in caught.value.errors] == ["sql-syntax", "sql-empty", "no-service-file"]


def test_the_manifest_survives_writing_and_reading(tmp_path: Path) -> None:
    manifest = compile_project(EXAMPLE)
    file = tmp_path / "deep" / "manifest.json"
    write_manifest(manifest, file)
    assert read_manifest(file) == manifest
    assert [path.name for path in file.parent.iterdir()] == ["manifest.json"]


def test_the_example_compiles_as_its_files_say() -> None:
    manifest = compile_project(EXAMPLE)
    contracts = {d.id: d.transform.contract for d in manifest.datasets.values() if d.transform is not None}
    assert contracts["air_traffic.refined.disruptions"] == "migrated"
    assert contracts["air_traffic.refined.flight_details"] == "new"
