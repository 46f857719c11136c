"""Text tables: what each SerDe makes of a file."""

from __future__ import annotations

import bz2
import gzip

import pytest

from dapflow.athena.formats.opencsv import OpenCsvSigns
from tests.aws_servers import LocalAws

OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
OPENX = "org.openx.data.jsonserde.JsonSerDe"
HIVE_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"


def table(
    aws: LocalAws, name: str, columns: str, serde: str, body: bytes | str, more: str = "", key: str = "data"
) -> None:
    """A table over one object."""
    aws.put(f"text/{name}/{key}", body)
    aws.query(f"CREATE EXTERNAL TABLE {name} ({columns}) {serde} LOCATION 's3://lake/text/{name}/' {more}")


def test_open_csv_reads_quotes_and_pads_or_cuts_rows(aws: LocalAws) -> None:
    body = 'a,b\n1,"x, y"\n2,"say ""hi"""\n3\n4,p,q\n,""\n'
    table(
        aws,
        "csv1",
        "a string, b string",
        f"ROW FORMAT SERDE '{OPEN_CSV}'",
        body,
        "TBLPROPERTIES ('skip.header.line.count'='1')",
    )
    assert sorted(aws.query("SELECT a, b FROM csv1"), key=str) == [
        ["", ""],
        ["1", "x, y"],
        ["2", 'say "hi"'],
        ["3", None],
        ["4", "p"],
    ]


def test_open_csv_takes_the_characters_that_its_properties_name(aws: LocalAws) -> None:
    serde = (
        f"ROW FORMAT SERDE '{OPEN_CSV}' WITH SERDEPROPERTIES ('separatorChar'='|', 'quoteChar'='''', 'escapeChar'='#')"
    )
    table(aws, "csv2", "a string, b string", serde, "'p|q'|'it#'s'\n\"x\"|\\N\n")
    assert sorted(aws.query("SELECT a, b FROM csv2")) == [['"x"', "\\N"], ["p|q", "it's"]]


def test_open_csv_gives_declared_types_and_refuses_what_does_not_fit(aws: LocalAws) -> None:
    table(aws, "csv3", "a bigint, b double", f"ROW FORMAT SERDE '{OPEN_CSV}'", "1,2.5\n")
    assert aws.query("SELECT a + 1, b FROM csv3") == [["2", "2.5"]]
    table(aws, "csv4", "a bigint, b string", f"ROW FORMAT SERDE '{OPEN_CSV}'", "x,2\n")
    assert aws.query("SELECT b FROM csv4") == [["2"]]
    assert aws.failure("SELECT a FROM csv4") == (
        "HIVE_BAD_DATA: Error parsing field value 'x' for field 0: For input string: \"x\""
    )


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("1,2\n3\n", [["1", "2"], ["3", None]]),
        ("1,2,3,4\n", [["1", "2"]]),
        ("1,2\n\n3,4\n", [["1", "2"], ["3", "4"], [None, None]]),
        ("1,two\n", "HIVE_BAD_DATA: Error parsing field value 'two' for field 1: For input string: \"two\""),
        ("1,\n", "HIVE_BAD_DATA: Error parsing field value '' for field 1: For input string: \"\""),
        ("1,99999999999\n", "HIVE_BAD_DATA: Error parsing field value '99999999999' for field 1: "),
    ],
)
def test_open_csv_with_broken_rows(aws: LocalAws, body: str, rows: str | list[list[str | None]]) -> None:
    aws.put("text/broken_csv/data", body)
    made = f"(a int, b int) ROW FORMAT SERDE '{OPEN_CSV}' LOCATION 's3://lake/text/broken_csv/'"
    aws.query(f"CREATE EXTERNAL TABLE IF NOT EXISTS broken_csv {made}")
    if isinstance(rows, list):
        assert aws.query("SELECT * FROM broken_csv ORDER BY a") == rows
        return
    assert aws.failure("SELECT * FROM broken_csv").startswith(rows)
    forgiving = f"{made} TBLPROPERTIES ('use.null.for.invalid.data'='TRUE')"
    aws.query(f"CREATE EXTERNAL TABLE IF NOT EXISTS forgiving_csv {forgiving}")
    assert aws.query("SELECT * FROM forgiving_csv") == [["1", None]]


def test_lazy_simple_with_broken_rows(aws: LocalAws) -> None:
    body = "1,2\n3\n4,5,6\n\nseven,99999999999\n8,9.5\n"
    serde = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ','"
    table(aws, "broken_lazy", "a int, b int", serde, body)
    assert sorted(aws.query("SELECT * FROM broken_lazy"), key=str) == sorted(
        [["1", "2"], ["3", None], ["4", "5"], [None, None], [None, None], ["8", None]], key=str
    )


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("a,b", ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"a ""b""",c', ['a "b"', "c"]),
        ('a,bc"d"ef,g', ["a", 'bc"d"ef', "g"]),
        ('a, "x",y', ["a", "x", "y"]),
        ("\\N,b", ["N", "b"]),
        ('"a\\"b",c', ['a"b', "c"]),
        ('a,"not closed', ["a"]),
        ('""', [""]),
        ("", []),
        ("a,b,c,d,e,f", ["a", "b", "c", "d"]),
    ],
)
def test_open_csv_reads_odd_lines_as_its_parser_does(line: str, fields: list[str | None]) -> None:
    dialect = OpenCsvSigns(",", '"', "\\")
    assert list(dialect.rows([line, '"other"'], 4)).count(fields) == 1


def test_compressed_text_is_known_by_its_name(aws: LocalAws) -> None:
    serde = f"ROW FORMAT SERDE '{OPEN_CSV}'"
    table(aws, "zipped", "a string", serde, gzip.compress(b"1\n2\n"), key="a.csv.gz")
    aws.put("text/zipped/b.csv.bz2", bz2.compress(b"3\n"))
    assert aws.query("SELECT a FROM zipped ORDER BY 1") == [["1"], ["2"], ["3"]]


def test_bytes_that_are_not_utf8_become_replacement_characters(aws: LocalAws) -> None:
    table(aws, "latin", "a string, b string", f"ROW FORMAT SERDE '{OPEN_CSV}'", b"caf\xe9,x\n")
    assert aws.query("SELECT a, strpos(a, chr(65533)) FROM latin") == [["caf\ufffd", "4"]]


def test_a_byte_order_mark_and_windows_line_ends_are_no_data(aws: LocalAws) -> None:
    table(aws, "windows", "a string, b string", f"ROW FORMAT SERDE '{OPEN_CSV}'", b"\xef\xbb\xbf1,2\r\n3,4\r\n")
    assert aws.query("SELECT a, b FROM windows ORDER BY 1") == [["1", "2"], ["3", "4"]]


def test_hidden_objects_and_folder_markers_are_no_data(aws: LocalAws) -> None:
    table(aws, "hidden", "a string", f"ROW FORMAT SERDE '{OPEN_CSV}'", "1\n")
    aws.put("text/hidden/_SUCCESS", "no\n")
    aws.put("text/hidden/.part", "no\n")
    aws.put("text/hidden/folder/", b"")
    aws.put("text/hidden/deep/er/x.csv", "2\n")
    aws.put("text/hidden_not/x.csv", "no\n")
    assert aws.query("SELECT a FROM hidden ORDER BY 1") == [["1"], ["2"]]


def test_lazy_simple_has_types_nulls_and_no_quotes(aws: LocalAws) -> None:
    columns = "i int, s string, d double, t timestamp, dt date, b boolean, n decimal(6,2)"
    body = (
        '1\t"q"\t1.5\t2024-06-05 01:02:03.456\t2024-06-05\ttrue\t12.345\nx\t\\N\tx\tx\tx\tx\tx\n\t\t\t\n99999999999\n'
    )
    table(aws, "lazy", columns, "ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t'", body)
    assert sorted(aws.query("SELECT * FROM lazy"), key=str) == sorted(
        [
            ["1", '"q"', "1.5", "2024-06-05 01:02:03.456", "2024-06-05", "true", "12.35"],
            [None] * 7,
            [None, "", None, None, None, None, None],
            [None] * 7,
        ],
        key=str,
    )


def test_lazy_simple_cuts_collections(aws: LocalAws) -> None:
    serde = (
        "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' COLLECTION ITEMS TERMINATED BY '|' MAP KEYS TERMINATED BY ':'"
    )
    columns = "a array<int>, m map<string,int>, s struct<x:int,y:string>"
    table(aws, "nested", columns, serde, "1|2|x,k:1|l:2,7|seven\n")
    assert aws.query("SELECT * FROM nested") == [["[1, 2, null]", "{k=1, l=2}", "{x=7, y=seven}"]]


def test_lazy_simple_escapes_delimiters_where_told(aws: LocalAws) -> None:
    serde = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'"
    table(aws, "escaped", "a string, b string", serde, "x\\,y,z\n")
    assert aws.query("SELECT * FROM escaped") == [["x,y", "z"]]


def test_openx_json_reads_any_value_as_text_and_nested_types(aws: LocalAws) -> None:
    columns = "id bigint, raw string, o struct<x:int,y:array<string>>, m map<string,double>, flag boolean, at timestamp"
    body = (
        '{"ID": 1, "raw": {"k": [1, 2.50, null]}, "o": {"X": 2, "y": ["p", null]}, "m": {"a": 1}, "flag": true, '
        '"at": "2024-06-05T01:02:03Z", "more": 1}\n'
        '{"id": "2", "raw": 12.50, "flag": "no"}\n'
        '{"raw": true}\n'
    )
    table(aws, "json1", columns, f"ROW FORMAT SERDE '{OPENX}'", body)
    assert sorted(aws.query("SELECT * FROM json1"), key=str) == sorted(
        [
            ["1", '{"k":[1,2.50,null]}', "{x=2, y=[p, null]}", "{a=1.0}", "true", "2024-06-05 01:02:03.000"],
            ["2", "12.50", None, None, "false", None],
            [None, "true", None, None, None, None],
        ],
        key=str,
    )


def test_openx_json_maps_keys_and_forgives_where_told(aws: LocalAws) -> None:
    broken = '{"the key": "x"}\n{"the key": \n'
    serde = f"ROW FORMAT SERDE '{OPENX}' WITH SERDEPROPERTIES ('mapping.k'='the key'%s)"
    table(aws, "json2", "k string", serde % ", 'ignore.malformed.json'='true'", broken)
    assert sorted(aws.query("SELECT k FROM json2"), key=str) == [["x"], [None]]
    table(aws, "json3", "k string", serde % "", broken)
    assert aws.failure("SELECT k FROM json3").startswith("HIVE_CURSOR_ERROR: Row is not a valid JSON Object")


def test_hive_json_refuses_what_does_not_fit(aws: LocalAws) -> None:
    table(aws, "json4", "n int", f"ROW FORMAT SERDE '{HIVE_JSON}'", '{"n": 1}\n')
    assert aws.query("SELECT n FROM json4") == [["1"]]
    table(aws, "json5", "n int", f"ROW FORMAT SERDE '{HIVE_JSON}'", '{"n": "x"}\n')
    assert aws.failure("SELECT n FROM json5") == (
        "HIVE_BAD_DATA: Error parsing field value 'x' for field 0: For input string: \"x\""
    )


def test_json_that_does_not_fit_fails_where_it_is_read(aws: LocalAws) -> None:
    body = '{"n": 1, "o": {"x": 1}, "s": "fine"}\n{"n": 2, "o": {"x": "bad"}, "s": "too"}\n'
    table(aws, "json6", "n int, o struct<x:int>, s string", f"ROW FORMAT SERDE '{OPENX}'", body)
    assert aws.query("SELECT n, s FROM json6 ORDER BY n") == [["1", "fine"], ["2", "too"]]
    assert aws.query("SELECT count(*) FROM json6") == [["2"]]
    reason = 'HIVE_BAD_DATA: Error parsing field value \'{"x":"bad"}\' for field 1: '
    assert aws.failure("SELECT o.x FROM json6").startswith(reason)


def test_regex_groups_are_columns(aws: LocalAws) -> None:
    serde = (
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' "
        "WITH SERDEPROPERTIES ('input.regex'='(\\\\d+) (\\\\w+).*')"
    )
    table(aws, "regex", "n int, word string", serde, "12 hello there\nnothing\n")
    assert sorted(aws.query("SELECT n, word FROM regex"), key=str) == [["12", "hello"], [None, None]]


def test_an_unknown_serde_is_refused_by_name(aws: LocalAws) -> None:
    table(aws, "strange", "a string", "ROW FORMAT SERDE 'org.example.Strange'", "x")
    assert "org.example.Strange" in aws.failure("SELECT a FROM strange")


def test_a_changed_object_is_read_anew(aws: LocalAws) -> None:
    table(aws, "changing", "a string", f"ROW FORMAT SERDE '{OPEN_CSV}'", "1\n")
    assert aws.query("SELECT a FROM changing") == [["1"]]
    aws.put("text/changing/data", "2\n")
    assert aws.query("SELECT a FROM changing") == [["2"]]


def test_text_is_billed_by_whole_objects(aws: LocalAws) -> None:
    body = gzip.compress(b"1,2,3\n" * 1000)
    table(aws, "billed", "a string, b string, c string", f"ROW FORMAT SERDE '{OPEN_CSV}'", body, key="x.gz")
    assert aws.run("SELECT a FROM billed").scanned == len(body)


def test_a_damaged_gzip_fails_with_its_place(aws: LocalAws) -> None:
    table(aws, "damaged", "a string", f"ROW FORMAT SERDE '{OPEN_CSV}'", gzip.compress(b"1\n" * 1000)[:-20], key="x.gz")
    reason = aws.failure("SELECT a FROM damaged")
    assert reason.startswith("HIVE_CURSOR_ERROR")
    assert "s3://lake/text/damaged/x.gz" in reason
