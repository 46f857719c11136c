"""The exports of the example: what lands, that it is right, and that landing twice writes nothing."""

import gzip
import zipfile
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pytest

from dapflow.errors import DapflowError
from dapflow.example import LandedExports, land, snapshots
from dapflow.example.package_data import data_directory
from tests.aws_servers import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The exports land once, not once per worker.
pytestmark = pytest.mark.xdist_group("example-landing")

BUCKET = "landing-bucket"
LAST = date(2013, 12, 31)


@pytest.fixture(scope="module")
def s3(aws: LocalAws) -> "S3Client":
    aws.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    return aws.s3


@pytest.fixture(scope="module")
def landed(s3: "S3Client") -> LandedExports:
    return land(s3, f"s3://{BUCKET}/")


@pytest.fixture(scope="module")
def lines(s3: "S3Client", landed: LandedExports) -> dict[tuple[str, date], list[str]]:
    """The lines of each export."""
    exported = {}
    for item in landed.objects:
        body = s3.get_object(Bucket=BUCKET, Key=item.uri.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
        text = (gzip.decompress(body) if item.uri.endswith(".gz") else body).decode()
        exported[item.table, item.generation] = text.splitlines()
    return exported


@pytest.fixture(scope="module")
def tables(
    lines: dict[tuple[str, date], list[str]], tmp_path_factory: pytest.TempPathFactory
) -> duckdb.DuckDBPyConnection:
    """Each export as a table of text, such as ``flights_31``, beside the package's own ``flights`` and ``planes``."""
    folder = tmp_path_factory.mktemp("tables")
    connection = duckdb.connect()
    with zipfile.ZipFile(data_directory() / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    files = {"flights": folder / "flights.csv"}
    for (table, night), exported in lines.items():
        file = folder / f"{table}_{night:%d}.csv"
        file.write_text("\n".join(exported) + "\n", encoding="utf-8")
        files[file.stem] = file
    for name, file in files.items():
        connection.execute(f"""CREATE TABLE {name} AS SELECT * FROM read_csv('{file}', all_varchar=true, nullstr='',
            allow_quoted_nulls=false, quote='"', escape='"')""")
    return connection


def test_three_nights_of_five_tables_land_under_service_table_and_date(landed: LandedExports) -> None:
    assert [item.uri for item in landed.objects if item.generation == LAST] == [
        f"s3://{BUCKET}/air_traffic/flights/2013-12-31/flights.csv.gz",
        f"s3://{BUCKET}/air_traffic/planes/2013-12-31/planes.csv",
        f"s3://{BUCKET}/air_traffic/airlines/2013-12-31/airlines.csv",
        f"s3://{BUCKET}/air_traffic/airports/2013-12-31/airports.csv",
        f"s3://{BUCKET}/weather/observations/2013-12-31/observations.csv.gz",
    ]
    assert sorted({item.generation for item in landed.objects}) == snapshots()
    assert len(landed.objects) == 15
    assert all(item.written for item in landed.objects)


def test_the_last_night_holds_the_whole_package(
    landed: LandedExports, lines: dict[tuple[str, date], list[str]]
) -> None:
    rows = {item.table: item.rows for item in landed.objects if item.generation == LAST}
    assert rows == {"flights": 336776, "planes": 3322, "airlines": 16, "airports": 1458, "observations": 26115}
    # As many lines as rows and a header: no field holds a line break, which Athena's CSV reader could not read.
    assert all(len(lines[item.table, item.generation]) == item.rows + 1 for item in landed.objects)


@pytest.mark.slow
def test_every_generation_of_every_table_differs_from_the_one_before(
    landed: LandedExports, lines: dict[tuple[str, date], list[str]]
) -> None:
    for table in {item.table for item in landed.objects}:
        first, second, third = (lines[table, night] for night in snapshots())
        assert first != second != third, table


@pytest.mark.parametrize("day", [29, *(pytest.param(day, marks=pytest.mark.slow) for day in (30, 31))])
def test_flights_are_those_of_the_package_up_to_the_night(tables: duckdb.DuckDBPyConnection, day: int) -> None:
    exported = tables.execute(
        f"SELECT count(*), sum(hash(e)) FROM (SELECT * EXCLUDE (remarks) FROM flights_{day}) e"
    ).fetchall()
    original = tables.execute(f"""
        SELECT count(*), sum(hash(o)) FROM (SELECT if(COLUMNS(*) = 'NA', '\\N', COLUMNS(*)) FROM flights
                                            WHERE month::int < 12 OR day::int <= {day}) o""").fetchall()
    assert exported == original


def test_null_empty_and_quoted_text_are_told_apart(lines: dict[tuple[str, date], list[str]]) -> None:
    flights = lines["flights", LAST]
    assert flights[1] == (
        '2013,1,1,517,515,2,830,819,11,"UA",1545,"N14228","EWR","IAH",227,1400,5,15,"2013-01-01T10:00:00Z",""'
    )
    assert any(line.endswith(r"\N") for line in flights)
    assert any(line.endswith('"Diverted, no air time recorded for ""LGA-XNA"""') for line in flights)


def test_a_record_is_open_on_its_night_and_closed_on_the_next(tables: duckdb.DuckDBPyConnection) -> None:
    remarks = "SELECT DISTINCT remarks FROM flights_{} WHERE month = '12' AND day = '30'"
    assert tables.execute(remarks.format(30)).fetchall() == [(r"\N",)]
    closed = {text for (text,) in tables.execute(remarks.format(31)).fetchall()}
    assert closed >= {"", "Cancelled"}
    assert r"\N" not in closed


@pytest.mark.parametrize("day", [29, *(pytest.param(day, marks=pytest.mark.slow) for day in (30, 31))])
def test_planes_carry_the_day_they_last_flew(tables: duckdb.DuckDBPyConnection, day: int) -> None:
    assert tables.execute(f"""
        WITH flown AS (
          SELECT tailnum, max(make_date(2013, month::int, day::int)) FILTER (dep_time <> 'NA') AS last
          FROM flights WHERE month::int < 12 OR day::int <= {day} GROUP BY tailnum)
        SELECT count(*) FILTER (last_flown IS DISTINCT FROM coalesce(last::varchar, '\\N')),
               count(*) FILTER (last IS NULL), count(*)
        FROM planes_{day} FULL JOIN flown USING (tailnum)
        WHERE planes_{day}.tailnum IS NOT NULL""").fetchall() == [(0, 6, 3321 if day == 29 else 3322)]


def test_weather_arrives_a_day_late(tables: duckdb.DuckDBPyConnection) -> None:
    assert tables.execute(
        "SELECT max(make_date(2013, month::int, day::int)), count(*) - count(wind_gust) > 0 FROM observations_29"
    ).fetchall() == [(date(2013, 12, 28), True)]


def test_landing_again_writes_nothing_and_mends_what_was_changed(s3: "S3Client") -> None:
    early = f"s3://{BUCKET}/early/"
    night = date(2013, 1, 3)
    assert all(item.uri.startswith(early) for item in land(s3, early, [night]).written)
    s3.put_object(Bucket=BUCKET, Key="early/air_traffic/planes/2013-01-03/planes.csv", Body=b"tailnum\n")
    seen: list[str] = []
    again = land(s3, early, [night], progress=lambda item: seen.append(item.table))
    assert [item.table for item in again.written] == ["planes"]
    assert [item.table for item in again.unchanged] == ["flights", "airlines", "airports", "observations"]
    assert seen == ["flights", "planes", "airlines", "airports", "observations"]


def test_an_export_is_the_same_whatever_other_nights_are_asked_for(s3: "S3Client") -> None:
    nights = [date(2013, 1, 5), date(2013, 1, 2)]
    together = land(s3, f"s3://{BUCKET}/together/", nights)
    alone = land(s3, f"s3://{BUCKET}/together/", nights[:1])
    assert [item.generation for item in together.objects[::5]] == sorted(nights)
    assert alone.written == ()


def test_a_night_without_data_is_refused(s3: "S3Client") -> None:
    with pytest.raises(DapflowError, match="no export of 2014-01-01") as caught:
        land(s3, f"s3://{BUCKET}/", [date(2014, 1, 1)])
    assert caught.value.code == "example-date"
    assert caught.value.hint == "it has one for each night from 2013-01-02 to 2013-12-31"
