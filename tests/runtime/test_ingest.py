"""Landing files of every format become typed generations."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pytest

from dapflow.manifest import Column, SourceColumn
from tests.runtime.lake import DAY, EARLIER, Lake, parquet

TEXT = [SourceColumn("id", "int"), SourceColumn("note", "string"), SourceColumn("last", "string")]


def test_quotes_commas_and_empty_strings_beside_nulls(lake: Lake) -> None:
    table = lake.raw("notes", TEXT, null="\\N")
    lake.land(
        table,
        notes_csv=b'id,note,last\r\n1,"a, ""b"" \\c",x\r\n2,,\r\n3,\\N,\\N\r\n4,"",\xc3\xa9\r\n',
    )
    assert lake.publish(table).rows == 4
    assert lake.rows(table) == [
        ("1", 'a, "b" \\c', "x"),
        ("2", "", ""),
        ("3", None, None),
        ("4", "", "é"),
    ]


def test_without_a_marker_an_empty_field_is_null(lake: Lake) -> None:
    table = lake.raw("notes", TEXT)
    lake.land(table, notes_csv="id,note,last\n,,\n2,a,b\n")
    lake.publish(table)
    assert lake.rows(table) == [("2", "a", "b"), (None, None, None)]


def test_the_header_decides_on_the_order_of_columns(lake: Lake) -> None:
    table = lake.raw("notes", TEXT)
    lake.land(table, notes_csv='\ufeff"Last",ID,note\nz,1,n\n')
    lake.publish(table)
    assert lake.rows(table) == [("1", "n", "z")]


def test_several_files_plain_and_gzip_and_hidden_ones(lake: Lake) -> None:
    table = lake.raw("notes", TEXT)
    lake.put_landing(table, DAY, "part-1.csv", "id,note,last\n1,a,b\n")
    lake.put_landing(table, DAY, "part-2.csv.gz", gzip.compress(b"id,note,last\n2,c,d\n"))
    lake.put_landing(table, DAY, "part-3.csv", "id,note,last\n")
    lake.put_landing(table, DAY, "_SUCCESS", "")
    lake.put_landing(table, DAY, ".part-4.csv.crc", "x")
    assert lake.publish(table).rows == 2
    assert lake.rows(table) == [("1", "a", "b"), ("2", "c", "d")]


def test_other_delimiters_and_blank_lines(lake: Lake) -> None:
    table = lake.raw("notes", TEXT, delimiter="\t")
    lake.land(table, notes_csv='id\tnote\tlast\n1\ta,b\tc\n\n2\t"d\te"\tf\n\n')
    assert lake.publish(table).rows == 2
    assert lake.rows(table) == [("1", "a,b", "c"), ("2", "d\te", "f")]


def test_a_single_column(lake: Lake) -> None:
    table = lake.raw("codes", [SourceColumn("code", "string")])
    lake.land(table, codes_csv="code\na\nb\n")
    assert lake.publish(table).rows == 2


def test_every_type_of_a_csv_file(lake: Lake) -> None:
    types = {
        "a": "boolean", "b": "tinyint", "c": "smallint", "d": "integer", "e": "bigint", "f": "real", "g": "double",
        "h": "decimal(10,2)", "i": "varchar(3)", "j": "date", "k": "timestamp", "l": "array<int>",
        "m": "struct<x:int,y:string>",
    }  # fmt: skip
    columns = [SourceColumn(name, kind) for name, kind in types.items()]
    columns += [SourceColumn("n", "date", format="%d/%m/%Y"), SourceColumn("o", "timestamp", format="%d.%m.%Y %H:%i")]
    columns += [SourceColumn("p", "timestamp")]
    table = lake.raw("typed", columns)
    header = ",".join(column.name for column in columns)
    row = 'TRUE,-1, 2,3,4,1.5,2.5,12.30,abc,2013-12-31,2013-12-31 01:02:03.5,"[1,2]","{""x"": 1, ""y"": ""z""}",'
    lake.land(table, typed_csv=f"{header}\n{row}31/12/2013,31.12.2013 23:59,2013-12-31T05:00:00+02:00\n{',' * 15}\n")
    assert lake.publish(table).rows == 2
    assert lake.rows(table)[0] == (
        "true", "-1", "2", "3", "4", "1.5", "2.5", "12.30", "abc", "2013-12-31", "2013-12-31 01:02:03.500", "[1, 2]",
        "{x=1, y=z}", "2013-12-31", "2013-12-31 23:59:00.000", "2013-12-31 03:00:00.000",
    )  # fmt: skip
    assert set(lake.rows(table)[1]) == {None}


def test_json_lines(lake: Lake) -> None:
    columns = [
        SourceColumn("id", "bigint"), SourceColumn("name", "string"), SourceColumn("ok", "boolean"),
        SourceColumn("at", "timestamp"), SourceColumn("tags", "array<string>"), SourceColumn("raw", "string"),
    ]  # fmt: skip
    table = lake.raw("things", columns, format="json")
    lines = [
        {"id": 1, "name": "ä", "ok": True, "at": "2013-12-31T01:02:03Z", "tags": ["a", "b"], "raw": {"x": [1]}},
        {"id": 2, "name": "", "ok": None, "tags": []},
    ]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    lake.put_landing(table, DAY, "things.json", body)
    lake.put_landing(table, DAY, "more.json.gz", gzip.compress(b'{"id": 3}\n'))
    assert lake.publish(table).rows == 3
    assert lake.rows(table) == [
        ("1", "ä", "true", "2013-12-31 01:02:03.000", "[a, b]", '{"x":[1]}'),
        ("2", "", None, None, "[]", None),
        ("3", None, None, None, None, None),
    ]


def test_parquet_with_declared_columns(lake: Lake) -> None:
    table = lake.raw("planes", format="parquet")
    lake.put_landing(table, DAY, "a.parquet", parquet({"seats": [1, 2], "tailnum": ["N1", None]}))
    done = lake.publish(table)
    assert [column.type for column in done.columns] == ["string", "int"]
    assert lake.rows(table) == [("N1", "1"), (None, "2")]


def test_parquet_names_its_own_columns(lake: Lake) -> None:
    table = lake.raw("planes", None, format="parquet")
    types = {"tailnum": pa.string(), "seats": pa.int32(), "built": pa.date32(), "at": pa.timestamp("ms"),
             "price": pa.decimal128(12, 2), "tags": pa.list_(pa.string())}  # fmt: skip
    body = parquet({name: [None] for name in types}, types)
    lake.put_landing(table, DAY, "a.parquet", body)
    assert [column.type for column in lake.publish(table).columns] == [
        "string", "int", "date", "timestamp", "decimal(12,2)", "array<string>"
    ]  # fmt: skip


INFERRED = (
    "Flight No,day,at,delay,share,cancelled,code,empty\n"
    "1,2013-12-31,2013-12-31 10:00:00,5,0.5,true,007,\n"
    "-20,2013-01-01,2013-01-01T10:00:00Z,,1000.0,false,12,\n"
)


def test_types_are_inferred_at_the_first_load_and_kept(lake: Lake) -> None:
    table = lake.raw("flights", None)
    lake.land(table, EARLIER, flights_csv=INFERRED)
    assert lake.publish(table, EARLIER).columns == (
        Column("flight_no", "bigint"), Column("day", "date"), Column("at", "timestamp"), Column("delay", "bigint"),
        Column("share", "double"), Column("cancelled", "boolean"), Column("code", "string"), Column("empty", "string"),
    )  # fmt: skip
    # Numbers only, yet code stays text; and a column that is new comes last.
    lake.land(table, DAY, flights_csv="new,code,empty,day,at,delay,share,cancelled,flight_no\n1,8,2,,,,,,\n")
    done = lake.publish(table, DAY)
    assert done.added_columns == ("new",)
    assert [column.type for column in done.columns][-3:] == ["string", "string", "bigint"]


def test_json_columns_are_inferred_too(lake: Lake) -> None:
    table = lake.raw("things", None, format="json")
    lake.put_landing(table, DAY, "a.json", '{"Id": 1, "what": {"a": 1}}\n{"Id": 2, "when": "2013-12-31"}\n')
    assert lake.publish(table).columns == (Column("id", "bigint"), Column("what", "string"), Column("when", "date"))
    assert lake.rows(table)[0] == ("1", '{"a":1}', None)


def test_nothing_temporary_stays(lake: Lake) -> None:
    table = lake.raw("notes", TEXT)
    lake.land(table, notes_csv="id,note,last\n1,a,b\n")
    lake.publish(table)
    assert lake.tables() == {"notes", "notes_history"}


@pytest.mark.parametrize("extra", [b"\xef\xbf\xbd", "\ufffd again".encode()])
def test_a_replacement_character_that_is_really_there_is_loaded(lake: Lake, extra: bytes) -> None:
    table = lake.raw("notes", TEXT)
    lake.land(table, notes_csv=b"id,note,last\n1," + extra + b",b\n")
    assert lake.publish(table).rows == 1
