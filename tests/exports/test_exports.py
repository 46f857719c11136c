"""A service.yml drafted from a folder of exports: what it says of files of every kind, and what it leaves out."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.exports.new_service import NewService, new_service
from dapflow.project import compile_project


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    (tmp_path / "project" / "transforms").mkdir(parents=True)
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


def made_of(exports: Path, files: dict[str, str | bytes]) -> tuple[NewService, dict[str, Any]]:
    """The service of these files, and its sources. The project takes it."""
    for name, content in files.items():
        write(exports / name, content)
    root = exports.parent / "project"
    made = new_service(root, "housing", exports, lambda _: None)
    compile_project(root)
    sources: dict[str, Any] = yaml.safe_load(made.file.read_text())["sources"]
    return made, sources


def write(file: Path, content: str | bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def columns_of(exports: Path, text: str) -> dict[str, Any]:
    return dict(made_of(exports, {"t.csv": text})[1]["t"]["columns"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("1", "-20", ""), "bigint"),
        (("007", "8"), "string"),
        (("1", "2.50"), "double"),
        (("12345678901234567890",), "string"),
        (("1.5", "0.12345678901234567"), "string"),
        (("true", "false"), "boolean"),
        (("2024-02-29", "2023-01-01"), "date"),
        (("2024-02-30",), "string"),
        (("2024-02-29 23:59", "2024-01-01T00:00:00.123Z"), "timestamp"),
        (("31/12/2023", "01/02/2024"), {"type": "date", "format": "%d/%m/%Y"}),
        (("12/31/2023", "01/02/2024"), {"type": "date", "format": "%m/%d/%Y"}),
        (("01/02/2024", "03/04/2024"), "string"),
        (("2024/01/25", "2024/02/03"), {"type": "date", "format": "%Y/%m/%d"}),
        (("2024/01/25 08:15",), {"type": "timestamp", "format": "%Y/%m/%d %H:%i"}),
        (("31.12.2023 08:15:00",), {"type": "timestamp", "format": "%d.%m.%Y %H:%i:%s"}),
        (("1", "NULL"), "bigint"),
        (("Ann", "NULL"), "string"),
        (("", ""), "string"),
    ],
)
def test_types(exports: Path, values: tuple[str, ...], expected: object) -> None:
    rows = "".join(f"{value},x\n" for value in values)
    assert columns_of(exports, f"v,other\n{rows}")["v"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a;b\n1;2,5\n", {"delimiter": ";"}),
        ("a\tb\n1\tx, y\n", {"delimiter": "\t"}),
        ('a,b\n1,"x; y; z"\n', {}),
        ("a\n1\n", {}),
        ("a,b\n\\N,x\n", {"null": "\\N"}),
        ("a,b\n\\N,x\n,y\n1,z\n", {"null": ["\\N", ""]}),
        ("a,b\nNULL,x\n3,y\n", {"null": "NULL"}),
        ("a,b\nNULL,x\nAnn,y\n", {}),
        ('a,b\n1,"x \\"y\\", z"\n', {"escape": "\\"}),
        ("a,b\ncafé,1\n".encode("cp1252"), {"encoding": "windows-1252"}),
        ("a,b\ncafé,1\n".encode("utf-16"), {"encoding": "utf-16"}),
        ("\ufeffa,b\ncafé,1\n", {}),
        ('height,note;x\n5" pipe,ok\n6,fine\n', {}),
        ('a,b;c\n1,"x; y"\n"2;3",z\n', {}),
        ("\na,b\n1,2\n", {"skip": 1}),
        ("\r\n  \r\na;b\r\n1;2\r\n", {"delimiter": ";", "skip": 2}),
    ],
)
def test_how_csv_is_written(exports: Path, text: str | bytes, expected: dict[str, Any]) -> None:
    source = made_of(exports, {"t.csv": text})[1]["t"]
    assert {key: value for key, value in source.items() if key != "columns"} == expected


def test_every_format_and_the_days_in_names(exports: Path) -> None:
    pq.write_table(pa.table({"Ward": ["E01"], "none": pa.nulls(1)}), exports / "wards.parquet")
    made, sources = made_of(
        exports,
        {
            "Repair Jobs_2024-06-05.csv": "Job No.,cost\n1,2\n",
            "Repair Jobs_2024-06-06.csv": "Job No.,cost\n2,2.5\n",
            "tenants/20240605/part-0001.jsonl.gz": gzip.compress(
                b'{"id": 1, "born": "1980-01-01", "n": ""}\n{"n": 3}\n'
            ),
            ".hidden.csv": "a\n1\n",
        },
    )
    assert sources == {
        "repair_jobs": {"columns": {"job_no": "bigint", "cost": "double"}},
        "tenants": {"format": "json", "null": "", "columns": {"id": "bigint", "born": "date", "n": "bigint"}},
        "wards": {"format": "parquet", "columns": {"ward": "string", "none": "string"}},
    }
    days = {table.name: [str(export.day) for export in table.exports] for table in made.tables}
    assert days == {"repair_jobs": ["2024-06-05", "2024-06-06"], "tenants": ["2024-06-05"], "wards": ["None"]}


def test_days_in_other_forms_are_of_one_table(exports: Path) -> None:
    names = ["stock 05-01-2024", "stock_25-01-2024", "stock 3 Feb 2024", "Stock March 2024", "stock_2024-06"]
    names += ["sales 05-01-2024", "sales 06-01-2024", "visits 01-25-2024", "visits_02-03-2024", "Room 12 May"]
    names += ["rents2024-06-05T0315", "rents_20240606"]
    made, sources = made_of(exports, {f"{name}.csv": "a\n1\n" for name in names})
    assert list(sources) == ["room_12_may", "stock", "rents_t0315", "rents", "sales", "visits"]
    days = {export.path.stem: str(export.day) for table in made.tables for export in table.exports}
    assert days == {
        "stock 05-01-2024": "2024-01-05",
        "stock_25-01-2024": "2024-01-25",
        "stock 3 Feb 2024": "2024-02-03",
        "Stock March 2024": "None",
        "stock_2024-06": "None",
        "sales 05-01-2024": "None",
        "sales 06-01-2024": "None",
        "visits 01-25-2024": "2024-01-25",
        "visits_02-03-2024": "2024-02-03",
        "Room 12 May": "None",
        "rents2024-06-05T0315": "2024-06-05",
        "rents_20240606": "2024-06-06",
    }
    said = {Path(str(error.file)).stem: error.message for error in made.doubtful}
    assert set(said) == {"Stock March 2024", "stock_2024-06", "sales 05-01-2024", "sales 06-01-2024"}
    assert "it may be 2024-01-05 or 2024-05-01" in said["sales 05-01-2024"]
    assert "it is a month" in said["stock_2024-06"]


def test_names_that_look_like_values_are_doubted(exports: Path) -> None:
    made, _ = made_of(exports, {"t.csv": "1,2024-01-05,x\n2,2024-01-06,y\n", "good.csv": "a,2024\n1,2\n"})
    assert [(Path(str(error.file)).name, error.line) for error in made.doubtful] == [("good.csv", 1), ("t.csv", 1)]
    write(exports / "title.csv", "Stock report,,\nid,name,n\n1,a,2\n")
    made = new_service(exports.parent / "project", "stock", exports, lambda _: None)
    assert "has one name for 3 columns, stock_report" in made.doubtful[-1].message
    assert "1, 2024_01_05, which look like values" in made.doubtful[1].message


def test_another_order_of_columns_is_explained(exports: Path) -> None:
    files: dict[str, str | bytes] = {"good.csv": "a\n1\n", "t_1.csv": "a,b\n1,2\n", "t_2.csv": "b,a\n2,1\n"}
    files = {name.replace("t_", "t 2024-06-0"): text for name, text in files.items()}
    made, _ = made_of(exports, files)
    [left_out] = made.left_out
    assert "the columns come in another order" in left_out.message
    assert "b, a in place of a, b" in left_out.message
    assert "export it again" in str(left_out.hint)


def test_what_cannot_be_read_is_left_out_by_name(exports: Path) -> None:
    files: dict[str, str | bytes] = {
        "good.csv": "a,b\n1,2\n",
        "ragged.csv": "a,b\n1,2\n3\n",
        "empty.csv": "",
        "header.csv": "a,b\n",
        "generation.csv": "id,import_date\n1,2\n",
        "array.json": "[\n",
        "book.xlsx": b"PK\x03\x04",
        "other_2024-06-05.csv": "a\n1\n",
        "other_2024-06-06.csv": "b\n1\n",
    }
    made, sources = made_of(exports, files)
    assert list(sources) == ["good"]
    left_out = {Path(str(error.file)).name: (error.code, error.line) for error in made.left_out}
    assert left_out == {
        "ragged.csv": ("landing-ragged", 3),
        "empty.csv": ("landing-empty-file", None),
        "header.csv": ("landing-no-rows", None),
        "generation.csv": ("reserved-column", 1),
        "array.json": ("landing-json", 1),
        "book.xlsx": ("landing-format", None),
        "other_2024-06-06.csv": ("landing-header", 1),
    }
    assert all(str(error.file).startswith(str(exports)) for error in made.left_out)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('id,text\n1,"say "hi" now"\n2,ok\n', 2, 3),
        ('a,b\n0,y\n1,"xx\n2,3\n', 3, 3),
        ('id;text\n1;"unclosed\n2;ok\n', 2, 3),
        ('id\ttext\n1\t"unclosed\n2\tok\n', 2, 3),
        ('id,"te"xt"\n1,2\n', 1, 4),
        ('id;text, long\n1;"say "hi", now"\n', 2, 3),
    ],
)
def test_a_broken_quote_is_named_and_no_other_delimiter_taken(exports: Path, text: str, line: int, column: int) -> None:
    made, sources = made_of(exports, {"good.csv": "a\n1\n", "t.csv": text})
    assert list(sources) == ["good"]
    assert [(error.code, error.line, error.column) for error in made.left_out] == [("landing-quotes", line, column)]


def test_names_that_nobody_takes_leave_out_their_file_only(exports: Path) -> None:
    (exports / "gone.csv").symlink_to(exports / "nowhere.csv")
    (exports / "loop").symlink_to(exports)
    pq.write_table(pa.table({"s": [{"a b": 1}]}), exports / "struct.parquet")
    files: dict[str, str | bytes] = {
        "good.csv": "a,b\n1,2\n",
        "long.csv": f"a,{'b' * 300}\n1,2\n",
        f"{'t' * 220}.csv": "a\n1\n",
        "no\ntext.csv": "a\n1\n",
    }
    made, sources = made_of(exports, files)
    assert list(sources) == ["good"]
    left_out = {Path(str(error.file)).name[:8]: error.code for error in made.left_out}
    assert left_out == {
        "gone.csv": "exports",
        "loop": "exports",
        "long.csv": "bad-name",
        "struct.p": "bad-column-type",
        "tttttttt": "bad-name",
        "no\\ntext": "landing-name",
    }


def test_two_encodings_in_one_file_are_not_guessed(exports: Path) -> None:
    mixed = "a,b\ncafé,1\n".encode() + "née,2\n".encode("cp1252")
    made, sources = made_of(exports, {"good.csv": "a\n1\n", "t.csv": mixed, "u.jsonl": b'{"a": "\xe9 \xc3\xa9"}\n'})
    assert list(sources) == ["good"]
    assert [(error.code, error.line) for error in made.left_out] == [("landing-encoding", 3), ("landing-encoding", 1)]
    assert "0xe9" in made.left_out[0].message and "mixed" in made.left_out[0].message


def test_files_of_one_table_with_unlike_columns_are_both_named(exports: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), exports / "p_2024-06-05.parquet")
    pq.write_table(pa.table({"a": [1], "b": [2]}), exports / "p_2024-06-06.parquet")
    files: dict[str, str | bytes] = {
        "good.csv": "a\n1\n",
        "t/2024-06-05/part-1.csv": "a,b\n1,2\n",
        "t/2024-06-06/part-1.csv": "a,b,c\n1,2,3\n",
        "blank_1.csv": "a\n1\n",
        "blank_2.csv": "\n\n",
    }
    made, _ = made_of(exports, files)
    left_out = {str(Path(str(error.file)).relative_to(exports)): error for error in made.left_out}
    assert set(left_out) == {"blank_2.csv", "p_2024-06-06.parquet", "t/2024-06-06/part-1.csv"}
    later = left_out["t/2024-06-06/part-1.csv"]
    assert str(exports / "t/2024-06-05/part-1.csv") in later.message and "it has c" in later.message
    assert "added on a later day" in str(later.hint)
    assert str(exports / "p_2024-06-05.parquet") in left_out["p_2024-06-06.parquet"].message


def test_nothing_is_written_where_nothing_can_be(exports: Path) -> None:
    root = exports.parent / "project"
    with pytest.raises(DapflowError) as caught:
        new_service(root, "housing", exports, lambda _: None)
    assert caught.value.code == "exports"
    write(exports / "book.xlsx", b"PK")
    with pytest.raises(DapflowErrors):
        new_service(root, "housing", exports, lambda _: None)
    write(exports / "t.csv", "a\n1\n")
    with pytest.raises(DapflowError, match="only lower-case letters") as caught:
        new_service(root, "Housing!", exports, lambda _: None)
    with pytest.raises(DapflowError, match="is not there"):
        new_service(root, "housing", exports / "none", lambda _: None)
    assert list((root / "transforms").iterdir()) == []

    write(root / "transforms/housing/service.yml", "title: Mine\n")
    with pytest.raises(DapflowError) as caught:
        new_service(root, "housing", exports, lambda _: None)
    assert caught.value.code == "service-exists"
    assert (root / "transforms/housing/service.yml").read_text() == "title: Mine\n"
    # A name may be taken as a database, too.
    write(root / "transforms/housing/service.yml", "databases: {raw: parking_raw_zone}\n")
    with pytest.raises(DapflowErrors):
        new_service(root, "parking", exports, lambda _: None)
    assert not (root / "transforms/parking").exists()


def test_the_reviewers_of_the_new_folder_are_written_where_they_were(exports: Path) -> None:
    root = exports.parent / "project"
    write(root / "pyproject.toml", '[tool.dapflow]\nreviewers = ["@platform"]\n')
    owners = "* @platform\n{}/dags/ @platform\n/stacks/ @platform\n/.github/ @platform\n"
    head = "# Written by `dapflow codeowners` from `reviewers` in pyproject.toml and in each service.yml.\n"
    write(root / ".github/CODEOWNERS", head + owners.format(""))
    made_of(exports, {"t.csv": "a\n1\n"})
    assert (root / ".github/CODEOWNERS").read_text() == head + owners.format("/transforms/housing/ @platform\n")
