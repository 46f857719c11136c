"""Landing files that cannot be loaded: what is wrong and where is said, and nothing is published."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pytest

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Dataset, SourceColumn
from dapflow.runtime.aws import PassingError
from tests.runtime.lake import DAY, EARLIER, LATER, Lake, parquet

COLUMNS = [SourceColumn("id", "int"), SourceColumn("day", "date"), SourceColumn("note", "string")]
GOOD = "id,day,note\n1,2013-12-31,a\n"


def refused(lake: Lake, dataset: Dataset) -> DapflowError:
    """The error that the ingest ends with; checks that nothing else is left of it."""
    before, tables = lake.objects("raw"), lake.tables()
    with pytest.raises(DapflowError) as caught:
        lake.publish(dataset)
    assert lake.objects("raw") == before
    assert lake.tables() == tables
    assert lake.publications.publication(dataset.id, DAY) is None
    return caught.value


@pytest.mark.parametrize(
    ("content", "code", "line", "message"),
    [
        ("id,day\n1,2013-12-31\n", "landing-header", 1, "the file lacks note"),
        ("id,day,note,more\n1,2013-12-31,a,b\n", "landing-header", 1, "has more, which service.yml does not name"),
        ("id,day,remark\n1,2013-12-31,a\n", "landing-header", 1, "lacks note and has remark"),
        ("1,2013-12-31,a\n2,2013-12-31,b\n", "landing-header", 1, "lacks id, day, note"),
        ("id;day;note\n1;2013-12-31;a\n", "landing-header", 1, "lacks id, day, note"),
        ("id,day,note,note\n", "landing-header", 1, "note is named twice"),
        ("id,,day,note\n", "landing-header", 1, "column 2 has no name"),
        ("\nid,day,note\n", "landing-header", 1, "the first line is blank"),
        (GOOD + "2,2013-12-31\n3,2013-12-31,c\n", "landing-ragged", 3, "1 row has fewer fields than the header"),
        (GOOD + "2,2013-12-31,b,c\n3,4,5,6,7\n", "landing-ragged", 3, "2 rows have more fields than the header"),
        (GOOD + '2,2013-12-31,"a\nb",c\n', "landing-ragged", 3, "more fields"),
        (GOOD + "two,2013-12-31,b\n", "landing-value", 3, "column id: 'two' is no integer"),
        (GOOD + "2,31/12/2013,b\n", "landing-value", 3, "column day: '31/12/2013' is no date"),
        (GOOD + "99999999999,,\n", "landing-value", 3, "column id: '99999999999' is no integer"),
        (GOOD + "2,2013-02-30,b\n", "landing-value", 3, "column day: '2013-02-30' is no date"),
        (GOOD.encode("utf-16"), "landing-encoding", None, "UTF-16"),
        (GOOD.encode("utf-16-le"), "landing-encoding", None, "UTF-16"),
        (GOOD.replace("a\n", "caf\xe9\n").encode("latin-1"), "landing-encoding", 2, "byte 0xe9"),
        ("id,day,note\n", "landing-no-rows", None, "no rows"),
        ("id,day,note", "landing-no-rows", None, "no rows"),
        ("", "landing-empty-file", None, "the file is empty"),
        (gzip.compress(b"x", mtime=0), "landing-format", None, "the file is not text"),
        (b"PK\x03\x04 zip", "landing-format", None, "the file is not text"),
    ],
)
def test_bad_csv(lake: Lake, content: bytes | str, code: str, line: int | None, message: str) -> None:
    table = lake.raw("notes", COLUMNS)
    uri = lake.put_landing(table, DAY, "notes.csv", content)
    error = refused(lake, table)
    assert (error.code, error.line) == (code, line), error
    assert message in error.message
    assert error.file in (uri, uri.removesuffix("notes.csv"))
    assert error.hint or error.source


def test_bad_byte_far_behind_the_first_lines(lake: Lake) -> None:
    """Not in the part that is looked at beforehand: Athena sees it, and then its line is looked up."""
    table = lake.raw("notes", COLUMNS)
    rows = 20_000
    lake.land(table, notes_csv=GOOD.encode() + b"2,,b\n" * rows + b"3,,\xe9\n")
    error = refused(lake, table)
    assert (error.code, error.line) == ("landing-encoding", rows + 3)


def test_good_generation_stays_when_the_next_landing_is_bad(lake: Lake) -> None:
    table = lake.raw("notes", COLUMNS)
    lake.land(table, notes_csv=GOOD)
    lake.publish(table)
    before = lake.objects("raw")
    lake.land(table, notes_csv="id,day,note\nx,y,z\n")
    with pytest.raises(DapflowErrors) as caught:
        lake.publish(table)
    assert [error.message for error in caught.value.errors] == [
        "column id: 'x' is no integer",
        "column day: 'y' is no date",
    ]
    assert lake.rows(table) == [("1", "2013-12-31", "a")]
    assert lake.objects("raw") == before
    assert lake.tables() == {"notes", "notes_history"}


def test_the_file_at_fault_is_named_among_many(lake: Lake) -> None:
    table = lake.raw("notes", COLUMNS)
    lake.put_landing(table, DAY, "1.csv", GOOD)
    uri = lake.put_landing(table, DAY, "2.csv.gz", gzip.compress((GOOD + "2,x,b\n3,y,\n").encode()))
    error = refused(lake, table)
    assert (error.code, error.file, error.line) == ("landing-value", uri, 3)
    assert error.message == "column day: 'x' is no date, nor are 1 other values"


def test_files_of_one_generation_have_one_header(lake: Lake) -> None:
    table = lake.raw("notes", COLUMNS)
    lake.put_landing(table, DAY, "1.csv", GOOD)
    uri = lake.put_landing(table, DAY, "2.csv", "day,id,note\n2013-12-31,1,a\n")
    error = refused(lake, table)
    assert (error.code, error.file) == ("landing-header", uri)
    assert "another order than in 1.csv" in error.message


def test_a_missing_day_says_which_days_there_are(lake: Lake) -> None:
    table = lake.raw("notes", COLUMNS)
    lake.land(table, EARLIER, notes_csv=GOOD)
    lake.land(table, LATER, notes_csv=GOOD)
    error = refused(lake, table)
    assert error.code == "landing-missing"
    assert isinstance(error, PassingError)  # it may be late: another attempt may find it
    assert error.file == f"s3://{lake.bucket('landing')}/air_traffic/notes/2013-12-31/"
    assert error.hint == "the newest that landed: 2013-12-30, 2014-01-01"


def test_nothing_has_landed_ever(lake: Lake) -> None:
    error = refused(lake, lake.raw("notes", COLUMNS))
    assert (error.code, error.hint) == ("landing-missing", "nothing has landed so far")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv.gz", b"", "the file is empty"),
        ("a.csv.gz", gzip.compress(b"", mtime=0), "the file is empty"),
        ("a.csv.gz", GOOD, "named .gz, but is not gzip"),
        ("a.zip", b"PK", "compressed in a way that is not read here"),
    ],
)
def test_bad_compression(lake: Lake, name: str, content: bytes | str, message: str) -> None:
    table = lake.raw("notes", COLUMNS)
    uri = lake.put_landing(table, DAY, name, content)
    error = refused(lake, table)
    assert message in error.message
    assert error.file == uri


@pytest.mark.parametrize(
    ("content", "code", "line", "message"),
    [
        ('{"id": 1}\n{"id": 2\n', "landing-json", 2, "not JSON"),
        ('{"id": 1}\n[1]\n', "landing-json", 2, "not a JSON object"),
        ("id,day\n1,2\n", "landing-json", 1, "not JSON"),
        ('{"id": "x"}\n', "landing-value", 1, "column id: 'x' is no integer"),
        ('{"nr": 1}\n', "landing-header", None, "lacks id, day, note and has nr"),
        ('{"id": 1, "more": 2}\n', "landing-header", None, "has more, which"),
        ('{"note": "caf\xe9"}\n'.encode("latin-1"), "landing-encoding", 1, "byte 0xe9"),
        ("\n", "landing-no-rows", None, "no rows"),
    ],
)
def test_bad_json(lake: Lake, content: bytes | str, code: str, line: int | None, message: str) -> None:
    table = lake.raw("notes", COLUMNS, format="json")
    uri = lake.put_landing(table, DAY, "notes.json", content)
    error = refused(lake, table)
    assert (error.code, error.line) == (code, line), error
    assert message in error.message
    assert error.file in (uri, uri.removesuffix("notes.json"))


def test_bad_json_far_behind_the_first_lines(lake: Lake) -> None:
    table = lake.raw("notes", COLUMNS, format="json")
    rows = 10_000
    lake.land(table, notes_json='{"id": 1}\n' * rows + "{oops\n")
    error = refused(lake, table)
    assert (error.code, error.line) == ("landing-json", rows + 1)


def test_bad_parquet(lake: Lake) -> None:
    table = lake.raw("planes", format="parquet")
    uri = lake.put_landing(table, DAY, "a.parquet", "not parquet at all, but long enough")
    error = refused(lake, table)
    assert (error.code, error.file) == ("parquet", uri)


@pytest.mark.parametrize(
    ("columns", "code", "message"),
    [
        ({"tailnum": ["N1"]}, "landing-header", "lacks seats"),
        ({"tailnum": ["N1"], "seats": [1], "more": [1]}, "landing-header", "has more"),
        ({"tailnum": ["N1"], "seats": ["many"]}, "landing-value", "column seats: 'many' is no integer"),
        ({"tailnum": [], "seats": []}, "landing-no-rows", "no rows"),
    ],
)
def test_parquet_that_does_not_fit(lake: Lake, columns: dict[str, list[object]], code: str, message: str) -> None:
    table = lake.raw("planes", format="parquet")
    types = None if any(columns.values()) else {"tailnum": pa.string(), "seats": pa.int32()}
    lake.put_landing(table, DAY, "a.parquet", parquet(columns, types))
    error = refused(lake, table)
    assert error.code == code, error
    assert message in error.message


def test_parquet_files_that_differ(lake: Lake) -> None:
    table = lake.raw("planes", format="parquet")
    lake.put_landing(table, DAY, "a.parquet", parquet({"tailnum": ["N1"], "seats": [1]}))
    uri = lake.put_landing(table, DAY, "b.parquet", parquet({"tailnum": ["N1"], "seats": [1.5]}))
    error = refused(lake, table)
    assert (error.code, error.file) == ("landing-header", uri)
    assert "seats" in error.message


def test_text_that_is_too_long(lake: Lake) -> None:
    table = lake.raw("notes", [SourceColumn("id", "int"), SourceColumn("note", "varchar(3)")])
    lake.land(table, notes_csv="id,note\n1,abc\n2,abcd\n")
    assert "'abcd' is no varchar(3)" in refused(lake, table).message


def test_a_type_that_is_none(lake: Lake) -> None:
    table = lake.raw("notes", [SourceColumn("id", "json")])
    lake.land(table, notes_csv="id\n1\n")
    assert refused(lake, table).code == "unsupported-type"


def test_types_of_service_yml_may_not_change_under_the_history(lake: Lake) -> None:
    table = lake.raw("notes", COLUMNS)
    lake.land(table, EARLIER, notes_csv=GOOD)
    lake.publish(table, EARLIER)
    table = lake.raw("notes", [SourceColumn("id", "string"), *COLUMNS[1:]])
    lake.land(table, notes_csv=GOOD)
    error = refused(lake, table)
    assert (error.code, "column id was int and is now string" in error.message) == ("breaking-change", True)
