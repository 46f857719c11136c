"""``dapflow query``: tables for people, CSV and JSON for programs, mistakes with their place."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.cli.in_process import PlatformProject
from tests.local.projects import LocalProject

VALUES = "SELECT * FROM (VALUES (1, 'a', true, CAST(1.50 AS decimal(4,2))), (2, NULL, false, NULL)) AS t (n, s, b, d)"


def test_a_table_for_people(platform: LocalProject) -> None:
    done = platform.run("query", VALUES)
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["n", "s", "b", "d"]
    assert [word.partition("(")[0] for word in lines[1]] == ["integer", "varchar", "boolean", "decimal"]
    assert lines[2:] == [["1", "a", "true", "1.50"], ["2", "NULL", "false", "NULL"]]
    assert "2 rows" in done.stderr
    assert "scanned" in done.stderr


@pytest.mark.slow
def test_a_table_is_described(platform: LocalProject) -> None:
    where = "s3://dapflow-local-landing-123456789012/described/"
    platform.run("query", f"CREATE EXTERNAL TABLE described (id int COMMENT 'the key', b string) LOCATION '{where}'")
    described = json.loads(platform.run("query", "DESCRIBE described", "--json").stdout)
    assert described[0] == {"col_name": "id", "data_type": "int", "comment": "the key"}
    lines = platform.run("query", "DESCRIBE described").stdout.splitlines()
    assert [line.split() for line in lines[:2]] == [["col_name", "data_type", "comment"], ["id", "int", "the", "key"]]
    assert "[option]" in platform.run("query", " ", check=False).stderr


def test_one_row_is_one_row(platform: LocalProject) -> None:
    assert platform.run("query", "SELECT 1 AS n").stderr.startswith("1 row, ")


@pytest.mark.slow
def test_a_table_that_was_reset_has_no_generation(platform: LocalProject) -> None:
    platform.run("run", "housing.raw.repairs")
    platform.run("reset", "housing.raw.repairs", "--yes")
    asked = platform.run("query", "SELECT count(*) FROM housing_raw_zone.repairs", check=False)
    assert "hint: repairs has no generation: dapflow run publishes one" in asked.stderr
    platform.run("run", "housing.raw.repairs")


def test_csv_is_athenas_own(platform: PlatformProject) -> None:
    done = platform.process("query", VALUES, "--csv")
    assert list(csv.reader(io.StringIO(done.stdout))) == [
        ["n", "s", "b", "d"],
        ["1", "a", "true", "1.50"],
        ["2", "", "false", ""],
    ]
    assert done.stderr == ""


def test_json_keeps_numbers_booleans_and_nulls(platform: LocalProject) -> None:
    done = platform.run("query", VALUES, "--json")
    assert json.loads(done.stdout) == [
        {"n": 1, "s": "a", "b": True, "d": 1.5},
        {"n": 2, "s": None, "b": False, "d": None},
    ]
    assert json.loads(platform.run("query", f"{VALUES} WHERE n > 5", "--json").stdout) == []


@pytest.mark.slow
def test_many_rows_do_not_swamp_the_terminal_but_programs_get_all(platform: LocalProject) -> None:
    sql = "SELECT n FROM UNNEST(sequence(1, 2500)) AS t (n)"
    shown = platform.run("query", sql, "--limit", "7")
    assert len(shown.stdout.splitlines()) == 2 + 7
    assert "the first 7 of 2500 rows" in shown.stderr
    assert [row["n"] for row in json.loads(platform.run("query", sql, "--json").stdout)] == list(range(1, 2501))
    assert len(platform.run("query", sql, "--csv").stdout.splitlines()) == 1 + 2500


def test_a_statement_from_a_file_or_standard_input(platform: LocalProject) -> None:
    platform.write("asked.sql", "\ufeff-- a note\nSELECT 41 + 1 AS answer;\n")
    file = str(platform.root / "asked.sql")
    assert json.loads(platform.run("query", "--file", file, "--json").stdout) == [{"answer": 42}]
    assert json.loads(platform.run("query", "-f", "-", "--json", input="SELECT 1 AS n").stdout) == [{"n": 1}]
    missing = platform.run("query", "--file", "/there/is/none.sql", check=False)
    assert missing.returncode == 1
    assert "/there/is/none.sql" in missing.stderr


def test_mistakes_show_the_line_and_a_caret(platform: LocalProject) -> None:
    done = platform.run("query", "SELECT 1,\n  nothing_like_it FROM (SELECT 1 AS n)", check=False)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert (
        lines[0] == "SQL:2:3: there is no column 'nothing_like_it' in any table of this query [DAP011 unknown-column]"
    )
    assert lines[1] == "  2 |   nothing_like_it FROM (SELECT 1 AS n)"
    assert lines[2] == "    |   ^"
    assert lines[-1] == "Athena: COLUMN_NOT_FOUND: line 2:3: Column 'nothing_like_it' cannot be resolved"
    platform.write("wrong.sql", "SELECT FROM")
    file = str(platform.root / "wrong.sql")
    assert platform.run("query", "-f", file, check=False).stderr.startswith(f"{file}:1:")


def test_a_transform_is_asked_where_its_service_finds_its_tables_and_said_of_it_is_what_check_says(
    platform: LocalProject,
) -> None:
    file = platform.root / "transforms" / "housing" / "refined" / "dear.sql"
    for wrong in ("SELECT id FROM nowhere", "SELECT isnull(a, 0) AS n FROM (VALUES 1) AS t (a) WHERE a = null"):
        file.write_text(f"{wrong}\n")
        asked = platform.run("query", "-f", str(file), check=False)
        checked = platform.run("check", check=False)
        assert (asked.returncode, checked.returncode) == (1, 1)
        assert asked.stderr == checked.stderr.partition("Unchecked")[0]
    assert "[DAP013 unknown-function]" in asked.stderr
    assert "[DAP201 null-comparison]" in asked.stderr
    file.write_text("SELECT count(*) FROM (VALUES 1) AS t (a)\n")
    taken = platform.run("query", "-f", str(file), "--csv")
    assert "warning: column 1 of the output has no name [DAP103 unnamed-column]" in taken.stderr
    file.unlink()


def test_what_fails_while_it_runs_gets_a_hint_too(platform: LocalProject) -> None:
    done = platform.run("query", "SELECT CAST(name AS integer) AS n FROM (VALUES 'a') AS t (name)", check=False)
    assert done.returncode == 1
    assert "INVALID_CAST_ARGUMENT: " in done.stderr
    assert "hint: try_cast(a AS type) gives NULL" in done.stderr


@pytest.mark.parametrize("arguments", [(), ("SELECT 1", "--file", "x.sql"), ("SELECT 1", "--csv", "--json")])
def test_options_that_do_not_go_together(platform: LocalProject, arguments: tuple[str, ...]) -> None:
    done = platform.run("query", *arguments, check=False)
    assert done.returncode == 1
    assert '"code": "option"' in done.stdout or "[option]" in done.stderr


def test_the_database_option_is_where_plain_names_are_found(platform: LocalProject) -> None:
    glue = platform.client("glue")
    glue.create_table(
        DatabaseName="housing_raw_zone",
        TableInput={
            "Name": "empty",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {
                "Columns": [{"Name": "id", "Type": "int"}],
                "Location": "s3://dapflow-local-raw-123456789012/empty/",
                "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
                "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
            },
        },
    )
    counted = platform.run("query", "SELECT count(*) AS n FROM empty", "--database", "housing_raw_zone", "--json")
    assert json.loads(counted.stdout) == [{"n": 0}]
    assert "empty" in platform.run("query", "SHOW TABLES IN housing_raw_zone", "--csv").stdout


def test_tables_as_they_were_on_a_day(platform: LocalProject) -> None:
    platform.run("run", "housing", "--generation", "2024-06-04")
    platform.run("run", "housing", "--generation", "2024-06-05")
    text = "SELECT count(*) AS n FROM housing_raw_zone.repairs"
    past = platform.run("query", text, "--as-of", "2024-06-04", "--json")
    assert json.loads(past.stdout) == {
        "as_of": "2024-06-04",
        "read": [{"dataset": "housing.raw.repairs", "generation": "2024-06-04", "history": False}],
        "rows": [{"n": 1}],
    }
    assert past.stderr == "housing.raw.repairs is read as of 2024-06-04\n"
    assert platform.run("query", text, "--csv").stdout == '"n"\n"3"\n'
    file = str(platform.root / "transforms/housing/refined/repair_costs.sql")
    later = platform.run("query", "--file", file, "--as-of", "2024-06-04", "--csv")
    assert later.stdout == '"done","repairs","cost"\n"true","1","10.5"\n'
    shown = platform.run("query", "SHOW TABLES IN housing_raw_zone", "--as-of", "2024-06-04", check=False)
    assert "hint: --as-of is for a SELECT: ask this without it" in shown.stderr
    early = platform.run("query", text, "--as-of", "2024-01-01", check=False)
    assert "housing.raw.repairs had no generation on 2024-01-01" in early.stderr
    assert "[not-published]" in early.stderr
