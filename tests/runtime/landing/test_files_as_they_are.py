"""Files that people really have: encodings, line breaks in quotes, escapes, title lines, headings."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from dapflow.errors import DapflowErrors
from dapflow.runtime.landing.headings import columns_of
from tests.runtime.lake import DAY, EARLIER, Lake
from tests.runtime.landing.refusal import refused

TEXT = "columns: {id: int, note: string}"


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("UTF-16BE", "utf-16-be"),
        ("cp850", "cp850"),
        ("detect", "cp1252"),
        ("detect", "utf-8-sig"),
        ("detect", "utf-16-le"),
    ],
)
def test_encodings(lake: Lake, tmp_path: Path, encoding: str, codec: str) -> None:
    euro = "" if codec == "cp850" else "€"
    table = lake.source(tmp_path, f"{TEXT}\nencoding: {encoding}")
    lake.land(table, notes_csv=f"id,note\r\n1,café {euro}\r\n2,\r\n".encode(codec))
    assert lake.publish(table).rows == 2
    assert lake.rows(table) == [("1", f"café {euro}"), ("2", None)]


def test_the_landing_files_stay_as_they_are(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, f"{TEXT}\nencoding: windows-1252")
    lake.land(table, notes_csv="id,note\n1,café\n".encode("cp1252"))
    before = lake.objects("landing")
    lake.publish(table)
    assert lake.objects("landing") == before
    assert not [key for key in lake.objects("raw") if "converted" in key]
    assert lake.tables() == {"notes", "notes_history"}


@pytest.mark.parametrize("encoding", ["detect", "windows-1252"])
def test_a_byte_that_the_encoding_does_not_have(lake: Lake, tmp_path: Path, encoding: str) -> None:
    table = lake.source(tmp_path, f"{TEXT}\nencoding: {encoding}")
    lake.land(table, notes_csv=b"id,note\r\n1,a\r\n2,\x81\xe9\r\n")
    error = refused(lake, table)
    assert (error.code, error.line, "0x81" in error.message) == ("landing-encoding", 3, True)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_letters_that_hold_the_bytes_of_line_ends(lake: Lake, tmp_path: Path, codec: str) -> None:
    table = lake.source(tmp_path, "encoding: detect\ncolumns: {column_1: string, column_2: string}")
    lake.land(table, notes_csv="名,前\n一,二\n上,刊\n丁,\n".encode(codec))
    assert lake.publish(table).rows == 3
    assert lake.rows(table) == [("一", "二"), ("丁", None), ("上", "刊")]


@pytest.mark.parametrize("other", [";", "\t", "|"])
def test_another_delimiter_than_the_fields_have(lake: Lake, tmp_path: Path, other: str) -> None:
    table = lake.source(tmp_path, "")
    text = f"id{other}note\n1{other}2\n"
    lake.land(table, notes_csv=text)
    error = refused(lake, table)
    assert (error.code, error.line, repr(other) in error.message) == ("landing-header", 1, True)
    table = lake.source(tmp_path, "columns: {id_note: string}")
    assert lake.publish(table).rows == 1


@pytest.mark.parametrize("end", ["\n", "\r"])
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_two_encodings_in_one_file_are_not_guessed(lake: Lake, tmp_path: Path, kind: str, end: str) -> None:
    table = lake.source(tmp_path, f"{TEXT}\nencoding: detect\nformat: {kind}")
    first, row = ("id,note", '1,"{}"') if kind == "csv" else ("", '{{"id": 1, "note": "{}"}}')
    rows = end.join([first, *[row.format("x" * 1000)] * 500, row.format("café")]).encode()
    mixed = rows + end.encode() + row.format("née").encode("cp1252")
    lake.land(table, notes=mixed)
    error = refused(lake, table)
    assert (error.code, error.line) == ("landing-encoding", 503)
    assert f"0xe9 at {mixed.index(b'n' + bytes([0xE9])) + 1} " in error.message
    assert f"0xc3a9 at {rows.index('é'.encode())} " in error.message


@pytest.mark.parametrize("encoding", ["detect", "utf-8", "windows-1252"])
def test_zeros_in_text_are_no_encoding(lake: Lake, tmp_path: Path, encoding: str) -> None:
    table = lake.source(tmp_path, f"columns: {{a: string, b: string}}\nencoding: {encoding}")
    lake.land(table, notes_csv=b"a,b\n1,\0x\n")
    assert lake.publish(table).rows == 1
    [row] = lake.query(f"SELECT a, codepoint(substr(b, 1, 1)) AS zero, length(b) AS long FROM {table.database}.notes")
    assert row == {"a": "1", "zero": "0", "long": "2"}


def test_a_mark_that_contradicts_the_encoding(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, f"{TEXT}\nencoding: windows-1252")
    lake.land(table, notes_csv="id,note\n1,café\n".encode("utf-8-sig"))
    assert refused(lake, table).code == "landing-encoding"


def test_json_in_other_encodings_and_with_a_mark(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, f"format: json\n{TEXT}\nencoding: detect")
    lake.land(table, notes_json='{"id": 1, "note": "café"}\n'.encode("utf-16"))
    lake.land(table, more_json='\ufeff{"id": 2, "note": "café"}\n')
    lake.publish(table)
    assert lake.rows(table) == [("1", "café"), ("2", "café")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_breaks_inside_quotes(lake: Lake, tmp_path: Path, end: str) -> None:
    table = lake.source(tmp_path, "columns: {note: string, id: int}")
    lake.land(table, notes_csv=f'note,id{end}"a{end}b",1{end}"{end}",2{end}"say ""x"",{end}y",3{end}')
    assert lake.publish(table).rows == 3
    assert sorted(lake.rows(table), key=lambda row: str(row[1])) == [
        (f"a{end}b", "1"),
        (end, "2"),
        (f'say "x",{end}y', "3"),
    ]


def test_a_line_break_inside_a_quoted_heading(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "")
    lake.land(table, notes_csv='"Flight\nNo",b\n1,2\n')
    assert [column.name for column in lake.publish(table).columns] == ["flight_no", "b"]


def test_line_ends_of_old_macs(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TEXT)
    lake.land(table, notes_csv="id,note\r1,a\r2,b\r")
    lake.publish(table)
    assert lake.rows(table) == [("1", "a"), ("2", "b")]


def test_a_carriage_return_alone_among_line_feeds(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {note: string}")
    lake.land(table, notes_csv="note\na\nb\rc\nd\n")
    error = refused(lake, table)
    assert (error.code, error.line) == ("landing-lines", 3)


def test_an_escape(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TEXT + "\nescape: '\\'\nnull: '\\N'")
    lake.land(table, notes_csv='id,note\n1,"a \\"b\\", c"\n2,\\N\n3,"C:\\\\dir\\\\"\n4,C:\\temp\n5,a\\,b\n')
    lake.publish(table)
    assert lake.rows(table) == [
        ("1", 'a "b", c'), ("2", None), ("3", "C:\\dir\\"), ("4", "C:\\temp"), ("5", "a,b"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['1,"a \\"b\\" c"', '1,"a \\",b"', '1,"a \\"",2\n2,"b"'])
def test_a_backslash_before_a_quote_needs_a_word(lake: Lake, tmp_path: Path, text: str) -> None:
    table = lake.source(tmp_path, TEXT)
    lake.land(table, notes_csv=f"id,note\n{text}\n")
    error = refused(lake, table)
    assert error.code in ("landing-quotes", "landing-ragged"), error
    assert error.line == 2


def test_a_backslash_at_the_end_of_a_field(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {note: string, id: int}")
    lake.land(table, notes_csv='note,id\n"C:\\dir\\",1\n')
    lake.publish(table)
    assert lake.rows(table) == [("C:\\dir\\", "1")]


def test_title_lines(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, f"{TEXT}\nskip: 2")
    lake.land(table, notes_csv='Report "of" today\n\nid,note\n1,a\n')
    lake.land(table, more_csv='Report "of" today\n\nid,note\n2,"a\nb"\n')
    lake.publish(table)
    assert lake.rows(table) == [("1", "a"), ("2", "a\nb")]


def test_several_texts_for_null(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {id: int, note: string}\nnull: ['', 'N/A', 'it''s']")
    lake.land(table, notes_csv="id,note\n1,a\nN/A,N/A\n3,\n4,it's\n")
    lake.publish(table)
    assert lake.rows(table) == [("1", "a"), ("3", None), ("4", None), (None, None)]


def test_texts_for_null_in_json(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: json\ncolumns: {id: int, note: string}\nnull: ['N/A', '-1']")
    lake.land(table, notes_json='{"id": -1, "note": ""}\n{"id": 2, "note": "N/A"}\n')
    lake.publish(table)
    assert lake.rows(table) == [("2", None), (None, "")]


@pytest.mark.parametrize(
    ("headings", "names"),
    [
        (["id", "", "note"], ["id", "column_2", "note"]),
        (["name", "Name", "NAME"], ["name", "name_1", "name_2"]),
        (["name", "name", "name_1"], ["name", "name_2", "name_1"]),
        (["Größe", "Åre", "Prénom"], ["grosse", "are", "prenom"]),
        (["№ 1", "½", "\ufb01n"], ["no_1", "1_2", "fin"]),
        (["***", "b", "Łódź"], ["column_1", "b", "lodz"]),
    ],
)
def test_names_of_headings(headings: list[str], names: list[str]) -> None:
    assert columns_of(headings) == names


def test_headings(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "")
    lake.land(table, notes_csv="Größe,,name,Name\n1,2,3,4\n")
    assert [column.name for column in lake.publish(table).columns] == ["grosse", "column_2", "name", "name_1"]
    assert lake.rows(table) == [("1", "2", "3", "4")]


def test_markers_of_folders_and_hidden_folders(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TEXT)
    lake.put_landing(table, DAY, "notes.csv", "id,note\n1,a\n")
    lake.put_landing(table, DAY, "part_$folder$", "")
    lake.put_landing(table, DAY, "_temporary/0/part.csv", "id,note\n2,b\n")
    bucket = lake.bucket("landing")
    lake.clients.s3.put_object(Bucket=bucket, Key=f"{table.service}/notes/{DAY}_$folder$", Body=b"")
    assert lake.publish(table).rows == 1


def test_a_table_that_may_be_empty(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, f"{TEXT}\nallow_empty: true")
    lake.land(table, EARLIER, notes_csv="id,note\n1,a\n")
    lake.publish(table, EARLIER)
    lake.land(table, DAY, notes_csv="id,note\n")
    assert lake.publish(table, DAY).rows == 0
    assert lake.rows(table) == []


def test_an_empty_first_generation(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "format: json\nallow_empty: true\ncolumns: {id: int}")
    lake.land(table, notes_json="")
    assert lake.publish(table).rows == 0
    assert lake.rows(table) == []


def test_a_file_without_a_byte(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "allow_empty: true\ncolumns: {id: int, note: string}")
    lake.put_landing(table, EARLIER, "notes.csv", "")
    assert lake.publish(table, EARLIER).rows == 0
    lake.put_landing(table, DAY, "a.csv", "")
    lake.put_landing(table, DAY, "b.csv.gz", gzip.compress(b""))
    lake.put_landing(table, DAY, "c.csv", 'id,note\n1,"a\nb"\n')
    assert lake.publish(table, DAY).rows == 1
    assert lake.rows(table) == [("1", "a\nb")]


def test_an_empty_first_generation_without_columns(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "allow_empty: true")
    lake.land(table, notes_csv="id\n")
    assert refused(lake, table).code == "landing-no-rows"


def test_members_of_a_gzip_file_that_each_bring_a_header(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TEXT)
    parts = ("id,note\n1,a\n", "\ufeffid,note\n2,b\n", "3,c\n")
    lake.put_landing(table, DAY, "notes.csv.gz", b"".join(gzip.compress(part.encode()) for part in parts))
    assert lake.publish(table).rows == 3
    assert lake.rows(table) == [("1", "a"), ("2", "b"), ("3", "c")]


def test_a_header_of_a_member_in_other_quotes(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TEXT)
    parts = ("id,note\n1,a\n", '"id","note"\n2,b\n')
    lake.put_landing(table, DAY, "notes.csv.gz", b"".join(gzip.compress(part.encode()) for part in parts))
    assert lake.publish(table).rows == 2
    assert lake.rows(table) == [("1", "a"), ("2", "b")]


@pytest.mark.parametrize(
    ("source", "parts", "line"),
    [
        ("columns: {a: string, b: string}", ("a,b\n1,2\n", "b,a\n3,4\n"), 3),
        ("columns: {a: string, b: string}\nskip: 1", ("T,x\na,b\n1,2\n", "T,x\na,b\n3,4\n"), 5),
        ("columns: {a: string, b: string}", ("a,b\n1,2\n", "A,B\n3,4\n"), 3),
        ("columns: {a: string}", ("a\n1\n", "a\n2\n"), 3),
    ],
)
def test_members_of_a_gzip_file_whose_headers_cannot_be_left_out(
    lake: Lake, tmp_path: Path, source: str, parts: tuple[str, ...], line: int
) -> None:
    table = lake.source(tmp_path, source)
    lake.put_landing(table, DAY, "notes.csv.gz", b"".join(gzip.compress(part.encode()) for part in parts))
    error = refused(lake, table)
    assert (error.code, error.line) == ("landing-header", line)


@pytest.mark.parametrize("again", ["a,b", '"a","b"', "b,a", '"b",a', "A,b", " b,a ", '\ufeff"a",b', "B ,A"])
@pytest.mark.parametrize("row", ["1,2", '"1\n",2'])
def test_a_header_in_the_middle_of_a_file(lake: Lake, tmp_path: Path, row: str, again: str) -> None:
    """Whether Athena could read the file as it is, or not."""
    table = lake.source(tmp_path, "columns: {a: string, b: string}")
    lake.land(table, notes_csv=f"a,b\n{row}\n{again}\n3,4\n")
    error = refused(lake, table)
    assert (error.code, error.line) == ("landing-header", 3 + row.count("\n"))


@pytest.mark.parametrize("again", ["ÄRGER,größe", "größe,Ärger", "größe,ärger"])
def test_a_header_of_other_letters_in_the_middle_of_a_file(lake: Lake, tmp_path: Path, again: str) -> None:
    table = lake.source(tmp_path, "columns: {arger: string, grosse: string}")
    lake.land(table, notes_csv=f"Ärger,größe\n1,2\n{again}\n3,4\n")
    error = refused(lake, table)
    assert (error.code, error.line) == ("landing-header", 3)


def test_rows_that_hold_names_of_the_header(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, "columns: {unit: string, name: string}")
    lake.land(table, notes_csv="unit,name\nunit,1\nname,name\n2,unit\n")
    assert lake.publish(table).rows == 3


def test_long_fields_and_a_bad_value(lake: Lake, tmp_path: Path) -> None:
    table = lake.source(tmp_path, TEXT)
    lake.land(table, notes_csv=f"id,note\n1,{'x' * 200_000}\ny,{'x' * 200_000}\n")
    error = refused(lake, table)
    assert (error.code, error.line, error.message) == ("landing-value", 3, "column id: 'y' is no integer")


def test_converted_files_in_many_parts(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapflow.runtime.landing.converted._PART_BYTES", 100)
    table = lake.source(tmp_path, "columns: {id: int, note: string}\nnull: '-'")
    rows = 5_000
    lake.land(table, a_csv="id,note\n" + "".join(f'{n},"a\n{n}"\n' for n in range(rows)), b_csv='id,note\n-,""\n')
    assert lake.publish(table).rows == rows + 1
    [row] = lake.query(f"SELECT sum(id) AS s, count(*) AS c, count(note) AS n FROM {table.database}.notes")
    assert row == {"s": str(sum(range(rows))), "c": str(rows + 1), "n": str(rows + 1)}


def test_more_columns_than_one_statement_takes(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapflow.runtime.statement_parts.MOST_STATEMENT_BYTES", 4_000)
    table = lake.source(tmp_path, "")
    header = ",".join(f"c{number}" for number in range(7))
    lake.land(table, EARLIER, a_csv=f"{header}\n1,0.5,true,2024-06-01,x,6,7\n", b_csv=f"{header}\n2,,,,,,\n")
    columns = lake.publish(table, EARLIER).columns
    assert [column.type for column in columns] == ["bigint", "double", "boolean", "date", "string", "bigint", "bigint"]
    lake.land(table, notes_csv=f"{header}\n1,0.5,true,2024-06-01,x,6,seven\none,0.5,true,2024-06-01,x,6,7\n")
    error = refused(lake, table)
    assert isinstance(error, DapflowErrors)
    assert [(mistake.line, mistake.message.split(":")[0]) for mistake in error.errors[:-1]] == [
        (3, "column c0"),
        (2, "column c6"),
    ]
