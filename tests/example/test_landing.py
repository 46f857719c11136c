"""The exports of the example: what lands, that it is right, and that landing twice writes nothing."""

import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from dapflow.errors import DapflowError
from dapflow.example import Landed, LandedObject, land, snapshots
from dapflow.example.package_data import parse, text_lines

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "landing-bucket"
LAST = date(2013, 12, 31)


@pytest.fixture(scope="module")
def s3() -> Iterator["S3Client"]:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-2")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        yield client


@pytest.fixture(scope="module")
def landed(s3: "S3Client") -> Landed:
    return land(s3, f"s3://{BUCKET}/")


def content(s3: "S3Client", item: LandedObject) -> str:
    body = s3.get_object(Bucket=BUCKET, Key=item.uri.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    return (gzip.decompress(body) if item.uri.endswith(".gz") else body).decode()


def records(s3: "S3Client", landed: Landed, table: str, night: date) -> list[dict[str, str]]:
    item = next(found for found in landed.objects if (found.table, found.generation) == (table, night))
    return list(csv.DictReader(io.StringIO(content(s3, item))))


def test_three_nights_of_five_tables_land_under_service_table_and_date(landed: Landed) -> None:
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


def test_the_last_night_holds_the_whole_package(landed: Landed) -> None:
    rows = {item.table: item.rows for item in landed.objects if item.generation == LAST}
    assert rows == {"flights": 336776, "planes": 3322, "airlines": 16, "airports": 1458, "observations": 26115}


def test_every_generation_of_every_table_differs_from_the_one_before(s3: "S3Client", landed: Landed) -> None:
    for table in {item.table for item in landed.objects}:
        texts = [content(s3, item) for item in landed.objects if item.table == table]
        assert len(set(texts)) == len(snapshots()), table


def test_flights_are_those_of_the_package_up_to_the_night(s3: "S3Client", landed: Landed) -> None:
    original = parse(text_lines("flights"))
    wanted = Counter(
        tuple(r"\N" if field == "NA" else field for field in record)
        for record in original[1:]
        if (int(record[1]), int(record[2])) <= (12, 30)
    )
    exported = records(s3, landed, "flights", date(2013, 12, 30))
    assert Counter(tuple(record[name] for name in original[0]) for record in exported) == wanted


def test_null_empty_and_quoted_text_are_told_apart(s3: "S3Client", landed: Landed) -> None:
    item = next(found for found in landed.objects if (found.table, found.generation) == ("flights", LAST))
    lines = content(s3, item).splitlines()
    assert lines[1] == (
        '2013,1,1,517,515,2,830,819,11,"UA",1545,"N14228","EWR","IAH",227,1400,5,15,"2013-01-01T10:00:00Z",""'
    )
    assert any(line.endswith(r"\N") for line in lines)
    assert any(line.endswith('"Diverted, no air time recorded for ""LGA-XNA"""') for line in lines)
    assert len(lines) == item.rows + 1, "no field holds a line break"


def test_a_record_is_open_on_its_night_and_closed_on_the_next(s3: "S3Client", landed: Landed) -> None:
    def remarks(night: date) -> set[str]:
        return {
            record["remarks"]
            for record in records(s3, landed, "flights", night)
            if (record["month"], record["day"]) == ("12", "30")
        }

    assert remarks(date(2013, 12, 30)) == {r"\N"}
    assert remarks(LAST) >= {"", "Cancelled"}
    assert r"\N" not in remarks(LAST)


def test_planes_carry_the_day_they_last_flew(s3: "S3Client", landed: Landed) -> None:
    flown: dict[str, tuple[int, int]] = {}
    for record in parse(text_lines("flights"))[1:]:
        when = (int(record[1]), int(record[2]))
        if record[3] != "NA" and when <= (12, 30):
            flown[record[11]] = max(when, flown.get(record[11], when))
    planes = records(s3, landed, "planes", date(2013, 12, 30))
    assert len(planes) == 3322
    for plane in planes:
        last = flown.get(plane["tailnum"])
        assert plane["last_flown"] == (date(2013, *last).isoformat() if last else r"\N")


def test_weather_arrives_a_day_late(s3: "S3Client", landed: Landed) -> None:
    observations = records(s3, landed, "observations", date(2013, 12, 29))
    assert max((int(row["month"]), int(row["day"])) for row in observations) == (12, 28)
    assert {row["wind_gust"] for row in observations} >= {"", "23.0156"}


def test_landing_again_writes_nothing_and_mends_what_was_changed(s3: "S3Client", landed: Landed) -> None:
    s3.put_object(Bucket=BUCKET, Key="air_traffic/planes/2013-12-31/planes.csv", Body=b"tailnum\n")
    seen: list[str] = []
    again = land(s3, f"s3://{BUCKET}/", [LAST], progress=lambda item: seen.append(item.table))
    assert [item.table for item in again.written] == ["planes"]
    assert [item.table for item in again.unchanged] == ["flights", "airlines", "airports", "observations"]
    assert seen == ["flights", "planes", "airlines", "airports", "observations"]
    assert land(s3, f"s3://{BUCKET}/", [LAST]).written == ()


def test_a_night_without_data_is_refused(s3: "S3Client") -> None:
    with pytest.raises(DapflowError, match="no export of 2014-01-01") as caught:
        land(s3, f"s3://{BUCKET}/", [date(2014, 1, 1)])
    assert caught.value.code == "example-date"
    assert caught.value.hint == "it has one for each night from 2013-01-02 to 2013-12-31"
