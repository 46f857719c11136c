"""What Athena's readers drop, overwrite or round without a word stops the load, or is loaded whole."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.runtime.publish import Publisher
from tests.runtime.lake import DAY, EARLIER, Lake, parquet
from tests.runtime.landing.refusal import refused

TWO = "columns: {note: string, id: int}"


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        ('note,id\na,1\n"b,2\nc,3\n', "landing-quotes", 3),
        ('note,id\na,1\n"A', "landing-quotes", 3),
        ('note,id\na,1\n"A"x,2\n', "landing-quotes", 3),
        ('note,id\na,1\na, "2"\n', "landing-quotes", 3),
        ("note,id\na,1\n \n", "landing-ragged", 3),
        ("note,id\na,1\n,\n,,\n", "landing-ragged", 4),
    ],
)
def test_csv_that_cannot_be_read(lake: Lake, tmp_path: Path, content: str, code: str, line: int) -> None:
    table = lake.source(tmp_path, TWO)
    uri = lake.put_landing(table, DAY, "notes.csv", content)
    error = refused(lake, table)
    assert (error.code, error.line, error.file) == (code, line, uri), error


def test_only_empty_lines_are_blank(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TWO)
    lake.land(table, notes_csv='note,id\n\n,\n"",""\n\r\na,1\n\n')
    assert lake.publish(table).rows == 3
    assert lake.rows(table) == [("a", "1"), (None, None), (None, None)]


def test_a_row_of_one_empty_text(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {note: string}\nnull: '-'")
    lake.land(table, notes_csv='note\n""\n\n-\na\n')
    assert lake.publish(table).rows == 3
    assert lake.rows(table) == [("",), ("a",), (None,)]


def test_an_object_of_nulls_is_a_row(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, f"format: json\n{TWO}")
    lake.land(table, notes_json='{"id": 1}\n{"id": null, "note": null}\n{}\n\n')
    assert lake.publish(table).rows == 3


@pytest.mark.parametrize(
    ("kind", "heading"), [("csv", "Import Date"), ("json", "IMPORT_YEAR"), ("parquet", "import_date")]
)
def test_headings_of_generation_columns(lake: Lake, tmp_path: Path, kind: str, heading: str) -> None:
    table = lake.source(tmp_path, f"format: {kind}")
    content: dict[str, Any] = {
        "csv": f"id,{heading}\n1,2\n",
        "json": f'{{"id": 1, "{heading}": 2}}\n',
        "parquet": parquet({"id": [1], heading: [2]}),
    }
    uri = lake.put_landing(table, DAY, f"notes.{kind}", content[kind])
    error = refused(lake, table)
    assert (error.code, error.file) == ("reserved-column", uri)
    assert error.hint is not None


NARROW = [
    ("int", "1.5"), ("int", "1.0"), ("tinyint", "128"), ("bigint", "9223372036854775808"),
    ("'decimal(10,2)'", "2.999"), ("'decimal(10,2)'", "123456789.00"), ("'decimal(4,0)'", "0.5"),
    ("'decimal(10,2)'", "NaN"), ("'decimal(10,2)'", "1.234E-1"), ("'decimal(10,2)'", "1E-35"),
    ("double", "1e400"), ("double", "1e-400"), ("double", "12345678901234567890"), ("real", "1e39"),
    ("real", "123456789"), ("date", "2024-06-01 12:00:00"), ("date", "2024-06-01T00:00:00"),
    ("timestamp", "2024-06-01 12:00:00.1234"), ("timestamp", "2024-06-01 12:00:00 Europe/London"),
    ("timestamp", "2024-06-01 12:00:00.1234Z"), ("{type: date, format: '%d/%m/%Y %H:%i'}", "01/06/2024 12:00"),
    ("{type: date, format: '%d/%m/%Y'}", "01/06/24"),
    ("{type: timestamp, format: '%Y-%m-%d %H:%i:%s.%f'}", "2024-06-01 12:00:00.123456"),
    ("varchar(3)", "abcd"), ("boolean", "ja"), ("int", "1e3"), ("int", " "), ("date", "2024-02-30"), ("binary", "é"),
    ("'decimal(38,0)'", "1.5"), ("timestamp", "12:00"),
    ("timestamp", "2024-06-01 12:00:00+25:00"), ("timestamp", "2024-06-01T12:00:00+14:01"),
    ("timestamp", "2024-06-01 24:00:00"), ("timestamp", "2024-06-01 23:59:60"), ("timestamp", "2024-06-01T24:00:00Z"),
    ("{type: date, format: '%Y%m%d'}", "202461"), ("{type: date, format: '%Y%m%d'}", "2024061"),
    ("{type: date, format: '%W %e %M %Y'}", "Monday 1 June 2024"),
    ("{type: timestamp, format: '%Y%m%d%H%i%s%f'}", "202406011200001234567"),
    ("{type: date, format: '%Y-%j'}", "2024-400"),
    ("array<int>", "[1.5]"), ("'struct<x:int>'", '{"x": 1, "y": 2}'), ("'struct<x:int>'", '{"x": 1, "X": 2}'),
    ("'struct<at:timestamp>'", '{"at": "2024-06-01 12:00:00+01:00"}'), ("'array<decimal(3,1)>'", "[1.25]"),
    ("array<timestamp>", '["2024-06-01 24:00:00"]'), ("array<date>", '["24-06-01"]'),
    ("array<double>", "[12345678901234567]"), ("array<double>", "[1e-400]"), ("array<float>", "[1e39]"),
    ("array<float>", "[123456789]"),
]  # fmt: skip


FIT = [
    ("int", "+5", "5"), ("int", "012", "12"), ("'decimal(10,2)'", "2.500", "2.50"),
    ("'decimal(10,2)'", ".5", "0.50"), ("'decimal(10,2)'", "1E2", "100.00"), ("'decimal(10,2)'", "1.5E-1", "0.15"),
    ("'decimal(3,0)'", "7.000", "7"), ("double", "1e3", "1000.0"), ("double", "0.10", "0.1"), ("double", "0e5", "0.0"),
    ("double", "NaN", "NaN"), ("timestamp", "2024-06-01", "2024-06-01 00:00:00.000"),
    ("timestamp", "2024-06-01 12:00:00.123000", "2024-06-01 12:00:00.123"),
    ("{type: date, format: '%d/%m/%Y %H:%i'}", "01/06/2024 00:00", "2024-06-01"),
    ("{type: date, format: '%d/%m/%y'}", "01/06/24", "2024-06-01"),
    ("{type: date, format: '%W %e %M %Y'}", "Saturday 1 June 2024", "2024-06-01"),
    ("{type: timestamp, format: '%a %Y-%j %r'}", "SAT 2024-153 1:02:03 pm", "2024-06-01 13:02:03.000"),
    ("{type: timestamp, format: '%Y%m%d%H%i%s%f'}", "20240601120000123000", "2024-06-01 12:00:00.123"),
    ("{type: date, format: '(%d|%m) 100%% [%Y]'}", "(1|6) 100% [2024]", "2024-06-01"),
    ("date", "0000-01-01", "0000-01-01"), ("timestamp", "2024-06-01 12:00:00+1400", "2024-05-31 22:00:00.000"),
    ("array<int>", "[1.0, null]", "[1, null]"), ("'struct<x:int>'", '{"X": 1}', "{x=1}"),
    ("'map<string,int>'", '{"Id": 1, "id": 2}', "{Id=1, id=2}"),
    ("array<double>", "[1e22, 0, 0.1]", "[1.0E22, 0.0, 0.1]"),
    ("array<string>", "[1.10, 1E2, true, null]", "[1.10, 1E2, true, null]"),
]  # fmt: skip


def content_of(kind: str, texts: list[str]) -> str:
    """A file whose third line holds these texts in the columns a0, a1 …; its second row is empty but for ``id``."""
    if kind == "csv":
        names = ",".join(f"a{number}" for number in range(len(texts)))
        quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
        return f"id,{names}\n1{',' * len(texts)}\n2,{','.join(quoted)}\n"
    values = [text if text.startswith(("{", "[")) else f'"{text}"' for text in texts]
    return '{"id": 1}\n\n{"id": 2, ' + ", ".join(f'"a{number}": {text}' for number, text in enumerate(values)) + "}\n"


def columns_of(kinds: list[str]) -> str:
    """The columns of that file."""
    return "columns:\n  id: int\n" + "".join(f"  a{number}: {kind}\n" for number, kind in enumerate(kinds))


# As many as a load names at once; the nested ones are found before Athena is asked for the others.
PLAIN = [case for case in NARROW if case[1][0] not in "[{"]
INNER = NARROW[len(PLAIN) :]
GROUPS = [cases[start : start + 10] for cases in (PLAIN, INNER) for start in range(0, len(cases), 10)]


@pytest.mark.parametrize("cases", GROUPS)
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_values_that_do_not_fit(lake: Lake, tmp_path: Path, kind: str, cases: list[tuple[str, str]]) -> None:
    table = lake.source(tmp_path, f"format: {kind}\n" + columns_of([declared for declared, _ in cases]))
    uri = lake.put_landing(table, DAY, "notes", content_of(kind, [text for _, text in cases]))
    error = refused(lake, table)
    errors = error.errors if isinstance(error, DapflowErrors) else [error]
    assert {(mistake.code, mistake.file, mistake.line) for mistake in errors} == {("landing-value", uri, 3)}
    assert [mistake.message.split(":")[0] for mistake in errors] == [
        f"column a{number}" for number in range(len(cases))
    ]
    assert all(mistake.hint for mistake in errors)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_values_that_fit(lake: Lake, tmp_path: Path, kind: str) -> None:
    table = lake.source(tmp_path, f"format: {kind}\n" + columns_of([declared for declared, _, _ in FIT]))
    lake.land(table, notes=content_of(kind, [text for _, text, _ in FIT]))
    lake.publish(table)
    assert lake.rows(table)[1] == ("2", *(printed for _, _, printed in FIT))


def test_numbers_that_are_none_beside_others(lake: Lake, tmp_path: Path) -> None:
    """The statistics of a Parquet file, which this one has for its timestamps, leave NaN out."""
    table = lake.source(tmp_path, "columns: {d: double, r: real, t: timestamp}")
    lake.land(table, notes_csv="d,r,t\n100000.0,1.5,\nNaN,NaN,\n")
    lake.publish(table)
    assert lake.rows(table) == [("100000.0", "1.5", None), ("NaN", "NaN", None)]
    assert lake.query(f"SELECT count(*) AS n FROM {table.database}.notes WHERE d < 1e9 AND r < 9") == [{"n": "1"}]


PARQUET_NARROW: list[tuple[str, Any, pa.DataType]] = [
    ("int", 100.75, pa.float64()),
    ("int", 2**31, pa.int64()),
    ("date", datetime(2024, 6, 1, 12), pa.timestamp("ms")),
    ("'decimal(10,2)'", 2.999, pa.float64()),
    ("'decimal(10,2)'", float("nan"), pa.float64()),
    ("'decimal(10,2)'", float("inf"), pa.float64()),
    ("real", 0.1, pa.float64()),
    ("double", 2**53 + 1, pa.int64()),
    ("varchar(3)", 12345, pa.int32()),
    ("string", b"\xff", pa.binary()),
]


def test_parquet_values_that_do_not_fit(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet\n" + columns_of([kind for kind, _, _ in PARQUET_NARROW]))
    values = {"id": [1]} | {f"a{number}": [value] for number, (_, value, _) in enumerate(PARQUET_NARROW)}
    types = {"id": pa.int32()} | {f"a{number}": kind for number, (_, _, kind) in enumerate(PARQUET_NARROW)}
    lake.put_landing(table, DAY, "a.parquet", parquet(values, types))
    error = refused(lake, table)
    assert isinstance(error, DapflowErrors)
    assert [mistake.message.split(":")[0] for mistake in error.errors] == [f"column a{number}" for number in range(10)]


def test_nested_parquet_values_are_not_rounded(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet\ncolumns: {it: array<int>}")
    lake.put_landing(table, DAY, "a.parquet", parquet({"it": [[1.5]]}))
    assert refused(lake, table).code == "landing-value"


PARQUET_FIT: list[tuple[str, Any, pa.DataType, str]] = [
    ("int", 100.0, pa.float64(), "100"),
    ("date", datetime(2024, 6, 1), pa.timestamp("ms"), "2024-06-01"),
    ("'decimal(10,2)'", 100.75, pa.float64(), "100.75"),
    ("real", float("nan"), pa.float64(), "NaN"),
    ("string", b"caf\xc3\xa9", pa.binary(), "café"),
    ("bigint", 7, pa.int8(), "7"),
]


def test_parquet_values_that_fit(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet\n" + columns_of([kind for kind, _, _, _ in PARQUET_FIT]))
    values = {"id": [1]} | {f"a{number}": [value] for number, (_, value, _, _) in enumerate(PARQUET_FIT)}
    types = {"id": pa.int32()} | {f"a{number}": kind for number, (_, _, kind, _) in enumerate(PARQUET_FIT)}
    lake.put_landing(table, DAY, "a.parquet", parquet(values, types))
    lake.publish(table)
    assert lake.rows(table) == [("1", *(printed for _, _, _, printed in PARQUET_FIT))]


SUMMER = [
    "2024-06-01 12:00:00+01", "2024-06-01T12:00:00+01:00", "2024-06-01 12:00:00 +0100", "2024-06-01T11:00:00Z",
    "2024-06-01 11:00:00 UTC", "2024-06-01 11:00:00.000Z", "2024-06-01 12:00+01",
]  # fmt: skip


@pytest.mark.parametrize("declared", [True, False])
def test_text_with_a_zone_is_one_moment(lake: Lake, tmp_path: Path, declared: bool) -> None:
    table = lake.source(tmp_path, columns_of(["timestamp"] * len(SUMMER)) if declared else "")
    lake.land(table, notes_csv=content_of("csv", SUMMER))
    assert {column.type for column in lake.publish(table).columns[1:]} == {"timestamp"}
    assert set(lake.rows(table)[1][1:]) == {"2024-06-01 11:00:00.000"}


def test_moments_of_parquet_are_in_utc(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    moment = datetime(2024, 6, 1, 11, tzinfo=UTC)
    kinds = {"zoned": pa.timestamp("ms", "Europe/London"), "local": pa.timestamp("ms")}
    body = parquet({"zoned": [moment], "local": [moment.replace(tzinfo=None)]}, kinds)
    lake.put_landing(table, DAY, "a.parquet", body)
    lake.publish(table)
    assert lake.rows(table) == [("2024-06-01 11:00:00.000", "2024-06-01 11:00:00.000")]


@pytest.mark.parametrize(
    "content",
    [
        '{"_id": 1, "id": 2}\n',
        '{"Id": 1, "id": 2}\n',
        '{"a-b": 1, "a_b": 2}\n',
        '{"Id": 1}\n{"id": 2}\n',
    ],
)
def test_keys_that_would_be_one_column(lake: Lake, tmp_path: Path, content: str) -> None:
    table = lake.source(tmp_path, "format: json\ncolumns: {id: int, a_b: int}" if "_id" in content else "format: json")
    uri = lake.put_landing(table, DAY, "notes.json", content)
    error = refused(lake, table)
    assert (error.code, error.file, error.line) == ("landing-keys", uri, content.count("\n"))


def test_one_key_twice(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: json")
    lake.land(table, notes_json='{"a": {"b": 1, "b": 2}}\n')
    assert (refused(lake, table)).code == "landing-json"


def test_nested_keys_keep_their_case(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: json\ncolumns: {it: string}")
    lake.land(table, notes_json='{"it": {"Id": 1.50, "id": 1E2, "ID": [12345678901234567890]}}\n')
    lake.publish(table)
    assert lake.rows(table) == [('{"Id":1.50,"id":1E2,"ID":[12345678901234567890]}',)]


def test_keys_that_appear_late_and_long_lines(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: json")
    long = "x" * 100_000
    lake.land(table, notes_json='{"a": 1}\n' * 10_000 + f'{{"a": 2, "long": "{long}", "late": true}}\n')
    done = lake.publish(table)
    assert [column.name for column in done.columns] == ["a", "long", "late"]
    [row] = lake.query(f"SELECT length(long) AS l, late FROM {table.database}.notes WHERE a = 2")
    assert row == {"l": "100000", "late": "true"}


def test_a_late_key_that_no_column_has(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: json\ncolumns: {a: int}")
    lake.land(table, notes_json='{"a": 1}\n' * 10_000 + '{"b": 2}\n')
    error = refused(lake, table)
    assert (error.code, "has b" in error.message) == ("landing-header", True)


# Two rows each.
TEXTS = [
    ("1E2", "1"), ("3.10", "3.2"), ("3.1", "3"), ("12345678901234567890", "1"), ("1.234567890123456789", "0.5"),
    ("012", "1"), ("-0", "1"), ("+1", "1"), ("TRUE", "true"), ("1", "a"), ("2024-6-1", "2024-06-01"),
    ("0.00001", "0.5"), ("12345678.5", "0.5"), ("2024-06-01 12:00:00.1234", "2024-06-01 12:00:00"), (".5", "0.5"),
    ("1.", "1"), ("2024-02-30", "2024-02-28"),
]  # fmt: skip
TYPED = [
    ("bigint", "0", "-7"), ("bigint", "123456789012345678", "1"), ("double", "0.5", "-12.0"),
    ("double", "0.0", "0.001"),
    ("double", "1234567.25", "1.0"), ("boolean", "true", "false"), ("date", "2024-06-01", "1999-12-31"),
    ("timestamp", "2024-06-01 12:00:00.500", "2024-06-01 12:00:00.000"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_types_are_found_where_every_value_is_printed_back(lake: Lake, tmp_path: Path, kind: str) -> None:
    table = lake.source(tmp_path, f"format: {kind}")
    first = ["1", *(text for text, _ in TEXTS), *(text for _, text, _ in TYPED)]
    second = ["2", *(text for _, text in TEXTS), *(text for _, _, text in TYPED)]
    names = [f"a{number}" for number in range(len(first))]
    if kind == "csv":
        lake.land(table, notes=f"{','.join(names)}\n{','.join(first)}\n{','.join(second)}\n")
    else:
        rows = [dict(zip(names, values, strict=True)) for values in (first, second)]
        lake.land(table, notes="".join(json.dumps(row) + "\n" for row in rows))
    kinds = ["bigint", *["string"] * len(TEXTS), *(declared for declared, _, _ in TYPED)]
    assert [column.type for column in lake.publish(table).columns] == kinds
    assert lake.rows(table) == [tuple(first), tuple(second)]


def test_a_type_that_was_found_is_kept_or_stops_the_load(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "")
    lake.land(table, EARLIER, notes_csv="a,b,c,d\n12,0.5,true,2024-06-01\n")
    kinds = [column.type for column in lake.publish(table, EARLIER).columns]
    lake.land(table, notes_csv="a,b,c,d\n12,0.5,true,2024-06-01\n012,3,TRUE,2024-6-1\n")
    error = refused(lake, table)
    assert isinstance(error, DapflowErrors)
    *values, schema = error.errors
    assert (schema.code, "column a was bigint and is now string" in schema.message) == ("breaking-change", True)
    for mistake, name, kind, text in zip(values, "abcd", kinds, ("012", "3", "TRUE", "2024-6-1"), strict=True):
        assert (mistake.code, mistake.line) == ("landing-value", 3)
        assert f"column {name}: '{text}' is no {kind} that is printed back the same" in mistake.message
        assert f"{name}: {kind}" in (mistake.hint or "")


@pytest.mark.parametrize("second", ["b.csv", "b.csv.gz"])
def test_the_same_file_under_two_names(lake: Lake, tmp_path: Path, second: str) -> None:
    table = lake.source(tmp_path, TWO)
    content = b"note,id\na,1\n"
    lake.put_landing(table, DAY, "a.csv", content)
    uri = lake.put_landing(table, DAY, second, gzip.compress(content) if second.endswith(".gz") else content)
    error = refused(lake, table)
    assert (error.code, error.file, "a.csv" in error.message) == ("landing-duplicate", uri, True)


def test_the_same_parquet_file_under_two_names(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    for name in ("a.parquet", "b.parquet"):
        lake.put_landing(table, DAY, name, parquet({"a": [1, 2]}))
    assert refused(lake, table).code == "landing-duplicate"


def test_files_that_are_loaded_together_are_named(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TWO)
    lake.land(table, notes_csv="note,id\na,1\n", corrected_csv="note,id\na,2\nb,3\n")
    told: list[str] = []
    Publisher(lake.clients, lake.manifest, lake.environment, told.append).publish(table.id, DAY)
    assert f"{table.id} {DAY}: 2 files are loaded together: corrected.csv (2 rows), notes.csv (1 rows)" in told


@pytest.mark.parametrize("words", ["loading notes.csv", "checking", "querying"])
def test_a_file_that_is_exchanged_between_check_and_load(lake: Lake, tmp_path: Path, words: str) -> None:
    table = lake.source(tmp_path, "columns: {a: int, b: int}")
    lake.land(table, notes_csv="a,b\n1,2\n")

    def told(line: str) -> None:
        if words in line:
            lake.land(table, notes_csv="b,a\n1,2\n")

    with pytest.raises(DapflowError) as caught:
        Publisher(lake.clients, lake.manifest, lake.environment, told).publish(table.id, DAY)
    assert caught.value.code == "landing-changed"
    assert "notes.csv" in caught.value.message
    assert lake.publications.publication(table.id, DAY) is None
    assert lake.objects("raw") == set()


@pytest.mark.parametrize("versioned", [False, True])
def test_a_file_that_was_another_one_for_a_moment(lake: Lake, tmp_path: Path, versioned: bool) -> None:
    """Its ETag at the end is the one at the beginning, and yet Athena read the other.

    With versions that is seen within a second, too: the listing cannot tell the file from the one before.
    """
    if versioned:
        lake.clients.s3.put_bucket_versioning(
            Bucket=lake.bucket("landing"), VersioningConfiguration={"Status": "Enabled"}
        )
    table = lake.source(tmp_path, "columns: {a: int, b: int}")
    good, bad = "a,b\n1,2\n", "b,a\n1,2\n"
    lake.land(table, notes_csv=good)

    def told(line: str) -> None:
        if "querying" in line:
            lake.land(table, notes_csv=bad)

    publisher = Publisher(lake.clients, lake.manifest, lake.environment, told)
    staged = publisher.stage(table.id, DAY, "run")
    publisher.wait(staged)
    if not versioned:
        time.sleep(1.1)  # S3 lists the time of an upload by the second
    lake.land(table, notes_csv=good)
    with pytest.raises(DapflowError, match="exchanged"):
        publisher.finish(staged)
    if versioned:
        lake.clients.s3.put_bucket_versioning(
            Bucket=lake.bucket("landing"), VersioningConfiguration={"Status": "Suspended"}
        )


def test_many_bad_values(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {at: {type: timestamp, format: '%d/%m/%Y'}, id: int, it: timestamp}")
    rows = 15_000
    lake.land(table, notes_csv="at,id,it\n" + "".join(f"2024-06-{n},x{n},{n}\n" for n in range(rows)))
    with pytest.raises(DapflowError) as caught:
        lake.publish(table)
    assert "nor are 14999 other values" in str(caught.value)


def test_parquet_names_with_blanks_and_hyphens(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    lake.put_landing(table, DAY, "a.parquet", parquet({"Flight No": [1], "a-b": ["x"], "Größe": [2.5], "a_b": [True]}))
    assert [column.name for column in lake.publish(table).columns] == ["flight_no", "a_b", "grosse", "a_b_1"]
    assert lake.rows(table) == [("1", "x", "2.5", "true")]


def test_a_parquet_column_of_nothing_but_null(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    lake.put_landing(table, EARLIER, "a.parquet", parquet({"a": [1], "b": [None]}))
    assert [column.type for column in lake.publish(table, EARLIER).columns] == ["bigint", "string"]
    lake.put_landing(table, DAY, "a.parquet", parquet({"a": [1], "b": ["x"]}))
    lake.publish(table)
    assert lake.rows(table, history=True) == [("1", "x"), ("1", None)]


def test_a_declared_parquet_column_of_nothing_but_null(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet\ncolumns: {a: bigint, b: date}")
    lake.put_landing(table, DAY, "a.parquet", parquet({"a": [1], "b": [None]}))
    lake.publish(table)
    assert lake.rows(table) == [("1", None)]


@pytest.mark.parametrize("again", ["id,note", '"id",note', 'id,"note"', '"id","note"', '\ufeff"id",note'])
def test_a_header_in_the_middle_of_a_plain_file(lake: Lake, tmp_path: Path, again: str) -> None:
    table = lake.source(tmp_path, TWO.replace("int", "string"))
    uri = lake.put_landing(table, DAY, "notes.csv", f"id,note\n1,a\n{again}\n2,b\n")
    error = refused(lake, table)
    assert (error.code, error.file, error.line) == ("landing-header", uri, 3)


def test_a_float16_of_parquet(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: parquet")
    uri = lake.put_landing(table, DAY, "a.parquet", parquet({"half": [1.5]}, {"half": pa.float16()}))
    error = refused(lake, table)
    assert (error.code, error.file, "half" in error.message) == ("parquet", uri, True)
    assert "float32" in (error.hint or "")


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ('{"a": NaN}', 7),
        ("{", 2),
        ('{"a": "NaN, Infinity", "b": [1, -Infinity]}', 33),
        ('{"a": Infinity}', 7),
        ('{"a": 1,}', 9),
    ],
)
def test_words_that_are_no_json(lake: Lake, tmp_path: Path, line: str, column: int) -> None:
    table = lake.source(tmp_path, "format: json")
    lake.land(table, notes_json=f'{{"a": 1}}\n{line}\n')
    error = refused(lake, table)
    assert (error.code, error.line, error.column) == ("landing-json", 2, column), error


def test_words_that_are_no_json_within_a_field_of_csv(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {it: array<double>}")
    lake.land(table, notes_csv="it\n[1.5]\n[NaN]\n")
    error = refused(lake, table)
    assert (error.code, error.line, "no JSON" in error.message) == ("landing-value", 3, True)


def test_texts_for_null_within_nested_values(lake: Lake, tmp_path: Path) -> None:
    columns = "it: 'struct<x:int,y:array<date>>', tags: 'map<string,string>', n: int"
    table = lake.source(tmp_path, f"format: json\nnull: [N/A, '-1']\ncolumns: {{{columns}}}")
    lake.land(
        table, notes_json='{"it": {"x": -1, "y": ["N/A", "2024-06-01"]}, "tags": {"N/A": "N/A", "b": "-"}, "n": -1}\n'
    )
    lake.publish(table)
    assert lake.rows(table) == [("{x=null, y=[null, 2024-06-01]}", "{N/A=null, b=-}", None)]
