"""check, compile and show, as people run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dapflow.cli.failure import excerpt
from dapflow.manifest import read_manifest
from dapflow.project import compile_project
from tests.cli.in_process import dapflow
from tests.project.writing import SERVICE, write_project

REPOSITORY = Path(__file__).parents[2]
FIXTURES = REPOSITORY / "tests" / "fixtures" / "projects"
SQL = "\n-- delays\r\nselect year, carrier from flights -- ünïcode\n"


def process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "dapflow", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "100"},
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("a project"), {"air/refined/delays.sql": SQL})


def test_check_is_silent_about_nothing(root: Path) -> None:
    run = process("check", cwd=root / "transforms" / "air")
    assert (run.returncode, run.stdout, run.stderr) == (0, b"No mistakes in one transform of one service.\n", b"")
    printed = json.loads(dapflow("check", "--json", cwd=root).stdout)
    assert printed == {"errors": [], "warnings": [], "unchecked": [], "orphans": [], "changed": []}


def test_output_that_no_disk_takes_is_a_message(root: Path) -> None:
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "dapflow", "show", "delays"],
            cwd=root, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert (run.returncode, run.stderr.splitlines()) == (
        1,
        ["the disk is full: not all could be written [disk-full]", "hint: make room, and do it again"],
    )


def test_check_fails_for_what_athena_refuses(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"air/refined/ages.sql": "select 2026 - carrier as age\nfrom flights"})
    run = dapflow("check", cwd=root)
    assert (run.returncode, run.stdout) == (1, "")
    assert (
        run.stderr
        == """\
transforms/air/refined/ages.sql:1:13: TYPE_MISMATCH: Cannot apply operator: integer - varchar [DAP015 type-mismatch]
  1 | select 2026 - carrier as age
    |             ^
hint: the types must be the same: 'text' in quotes beside a text, a plain number beside a number; of columns, \
CAST(number AS varchar) = text, or number = try_cast(text AS bigint)
"""
    )
    run = dapflow("check", "--json", cwd=root)
    [error] = json.loads(run.stdout)["errors"]
    assert run.returncode == 1
    assert (error["severity"], error["code"], error["line"], error["column"]) == ("error", "type-mismatch", 1, 13)
    assert error["hint"].startswith("the types must be the same")


def test_check_warns_of_traps_and_fails_for_them_when_it_is_strict(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql": "select year from flights where carrier = null"})
    run = dapflow("check", cwd=root)
    assert (run.returncode, run.stdout) == (0, "No errors, and one warning, in one transform of one service.\n")
    assert (
        run.stderr
        == """\
transforms/air/refined/x.sql:1:40: warning: = NULL is never true: NULL is equal to nothing, not even to NULL \
[DAP201 null-comparison]
  1 | select year from flights where carrier = null
    |                                        ^
hint: write a IS NULL
"""
    )
    strict = dapflow("check", "--strict", cwd=root)
    assert (strict.returncode, strict.stdout, strict.stderr) == (1, run.stdout, run.stderr)
    machine = dapflow("check", "--strict", "--json", cwd=root)
    assert machine.returncode == 1
    [warning] = json.loads(machine.stdout)["warnings"]
    assert (warning["severity"], warning["code"]) == ("warning", "null-comparison")


def test_a_mistake_in_one_file_hides_none_in_another(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/refined/x.sql": "select 1 as a, from flights",
        "air/refined/y.sql": "select isnull(carrier, '') as c from flights",
    }
    run = dapflow("check", "--json", cwd=write_project(tmp_path, files))
    assert [error["code"] for error in json.loads(run.stdout)["errors"]] == ["sql-syntax", "unknown-function"]


def test_check_shows_every_mistake(tmp_path: Path) -> None:
    project = FIXTURES / "several_mistakes_in_several_files"
    run = dapflow("check", "--project", str(project), cwd=tmp_path)
    assert run.returncode == 1
    assert run.stdout == ""
    assert (
        run.stderr
        == """\
transforms/air/refined/x.sql:1:16: after the comma a column or a value is missing, before 'from' [DAP001 sql-syntax]
  1 | select 1 as a, from flights
    |                ^
hint: delete the comma
Athena: line 1:16: mismatched input 'from'. Expecting: <expression>

transforms/air/service.yml:1:1: unknown key 'titel' in service.yml [DAP403 unknown-key]
  1 | titel: a
    | ^
hint: did you mean 'title'?

transforms/air/service.yml:3:29: column 'year': 'integr' is not a column type of Athena [DAP406 bad-column-type]
  3 |   flights: {columns: {year: integr}}
    |                             ^
hint: did you mean 'integer'?

transforms/air/trusted/y.sql:1:8: warning: * is whatever columns nowhere has: one that is added there changes the \
product, and may break a run [DAP214 select-star]
  1 | select * from nowhere
    |        ^
hint: list the columns that the product shall have

transforms/air/trusted/y.sql:1:15: there is no table 'nowhere' in database 'air_raw_zone' [DAP009 unknown-table]
  1 | select * from nowhere
    |               ^
hint: a name without a database is looked up in air_raw_zone; add the source to service.yml?
Athena: TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.air_raw_zone.nowhere' does not exist

transforms/weather: service 'weather' has no service.yml [DAP301 no-service-file]
hint: create transforms/weather/service.yml; one line is enough, such as title: Weather

transforms/weather/refined/z.sql:1:1: the file is empty [DAP002 sql-empty]
hint: write one SELECT
"""
    )


def test_check_for_machines(tmp_path: Path) -> None:
    run = dapflow("check", "--json", "--project", str(FIXTURES / "reads_itself"), cwd=tmp_path)
    assert (run.returncode, run.stderr) == (1, "")
    assert json.loads(run.stdout) == {
        "errors": [
            {
                "severity": "error",
                "code": "cycle",
                "message": "air.refined.one reads itself",
                "file": "transforms/air/refined/one.sql",
                "line": 1,
                "column": 15,
                "hint": "read one_history to see what earlier generations held",
                "source": "select a from one",
                "athena": None,
                "fix": [],
                "rule": "DAP106",
            }
        ],
        "warnings": [],
        "unchecked": [],
        "orphans": [],
        "changed": [],
    }


def test_colour_only_on_request(tmp_path: Path) -> None:
    project = str(FIXTURES / "reads_itself")
    assert "\x1b[" not in dapflow("check", "--project", project, cwd=tmp_path).stderr
    assert "\x1b[" in dapflow("check", "--project", project, cwd=tmp_path, FORCE_COLOR="1").stderr


@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["compile"], ["show", "x"]])
def test_outside_a_project(tmp_path: Path, command: list[str]) -> None:
    run = dapflow(*command, cwd=tmp_path)
    assert run.returncode == 1
    assert "no transforms/ folder" in run.stdout + run.stderr
    assert "--project DIR" in run.stdout + run.stderr
    assert "Traceback" not in run.stderr


def test_compile_writes_the_manifest(root: Path) -> None:
    run = dapflow("compile", cwd=root)
    file = root / ".dapflow" / "manifest.json"
    assert run.returncode == 0
    assert run.stdout.startswith("1 services, 3 raw tables, 1 transforms → ")
    assert read_manifest(file) == compile_project(root)


def test_compile_to_another_file(root: Path, tmp_path: Path) -> None:
    assert dapflow("compile", "--output", "out/m.json", "--project", str(root), cwd=tmp_path).returncode == 0
    assert read_manifest(tmp_path / "out" / "m.json") == compile_project(root)


def test_compile_leaves_the_old_manifest_when_there_is_a_mistake(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql": "select 1 as a"})
    assert dapflow("compile", cwd=root).returncode == 0
    before = (root / ".dapflow" / "manifest.json").read_bytes()
    write_project(root, {"air/refined/x.sql": "selct 1"})
    run = dapflow("compile", cwd=root)
    assert run.returncode == 1
    assert "did you mean SELECT?" in run.stderr
    assert (root / ".dapflow" / "manifest.json").read_bytes() == before
    assert {file.name for file in (root / ".dapflow").iterdir()} == {"manifest.json", "known"}


def test_compile_where_nothing_can_be_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    run = dapflow("compile", "--output", str(tmp_path / "file" / "m.json"), "--project", str(root), cwd=tmp_path)
    assert run.returncode == 1
    assert "[unwritable-file]" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("name", ["delays", "air.refined.delays", "transforms/air/refined/delays.sql"])
@pytest.mark.parametrize("options", [[], ["--rendered"]])
def test_show_prints_the_file_byte_for_byte(root: Path, name: str, options: list[str]) -> None:
    shown = dapflow("show", name, *options, cwd=root)
    assert (shown.returncode, shown.stdout) == (0, SQL)


def test_a_process_ends_as_its_command_does(root: Path, tmp_path: Path) -> None:
    shown = process("show", "delays", cwd=root)
    assert (shown.returncode, shown.stdout) == (0, SQL.encode())
    refused = process("show", "delays", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, b"")
    assert b"no transforms/ folder" in refused.stderr
    assert b"Traceback" not in refused.stderr


def test_show_says_where_columns_come_from(root: Path) -> None:
    shown = dapflow("show", "delays", "--lineage", cwd=root).stdout.splitlines()
    assert shown[0].startswith("air.refined.delays, meaning ")
    assert shown[2:] == [
        "year     integer  air.raw.flights: year (identity)",
        "carrier  varchar  air.raw.flights: carrier (identity)",
        "",
        "3:27 reads air.raw.flights: year, carrier",
    ]
    printed = json.loads(dapflow("show", "delays", "--lineage", "--json", cwd=root).stdout)
    assert printed["columns"][1]["origins"] == [{"dataset": "air.raw.flights", "column": "carrier", "how": "identity"}]
    dapflow("compile", cwd=root)
    compiled = json.loads((root / ".dapflow" / "manifest.json").read_text(encoding="utf-8"))
    assert compiled["lineage"]["air.refined.delays"]["meaning"] == printed["meaning"]


def test_show_for_a_generation_replaces_the_names_of_current_views_alone(root: Path) -> None:
    run = dapflow("show", "delays", "--generation", "2013-12-30", cwd=root)
    pinned = (
        '(SELECT "year", "carrier", "import_year", "import_month", "import_day", "import_date" '
        'FROM "air_raw_zone"."flights_history" WHERE '
    )
    assert run.returncode == 0
    before, after = run.stdout.split(pinned)
    assert before == "\n-- delays\r\nselect year, carrier from "
    assert "'20131230'" in after
    assert after.endswith('AS "flights" -- ünïcode\n')
    assert "not running" in run.stderr


def test_show_for_a_generation_needs_the_columns(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql": "select name from airports"})
    run = dapflow("show", "x", "--generation", "20131230", cwd=root)
    assert run.returncode == 1
    assert "unknown-columns]" in run.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["show", "delay"], "did you mean air.refined.delays?"),
        (["show", "delays", "--generation", "yesterday"], "[generation]"),
        (["show"], "Missing argument 'DATASET|SERVICE'"),
        (["chek"], "Did you mean 'check'?"),
        (["compile", "--outpt", "x"], "No such option"),
    ],
)
def test_mistakes_on_the_command_line(root: Path, arguments: list[str], said: str) -> None:
    run = dapflow(*arguments, cwd=root)
    assert run.returncode != 0
    assert said in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("command", ["check", "compile", "show"])
def test_help_has_an_example(root: Path, command: str) -> None:
    run = dapflow(command, "--help", cwd=root)
    assert run.returncode == 0
    assert f"Example: dapflow {command}" in run.stdout


def test_a_mistake_elsewhere_stops_show(tmp_path: Path) -> None:
    """One mistake anywhere stops show as it stops compile: what it would print might not be what is deployed."""
    root = write_project(
        tmp_path, {"air/service.yml": SERVICE, "air/refined/x.sql": "select 1 as a", "air/refined/y.sql": ""}
    )
    run = dapflow("show", "x", cwd=root)
    assert run.returncode == 1
    assert "transforms/air/refined/y.sql:1:1: the file is empty" in run.stderr


@pytest.mark.parametrize(
    ("source", "column", "width", "shown"),
    [
        ("select a", 8, 80, ("select a", 7)),
        ("\tselect\ta", 9, 80, (" select a", 8)),
        ("'😀é' x", 6, 80, ("'😀é' x", 6)),
        ("a" * 200, 100, 40, ("…" + "a" * 38 + "…", 20)),
        ("a" * 200, 5, 40, ("a" * 39 + "…", 4)),
        ("select a", None, 80, ("select a", None)),
        ("a" * 50, None, 20, ("a" * 19 + "…", None)),
        ("select", 7, 80, ("select", 6)),
    ],
)
def test_the_line_and_where_its_caret_stands(
    source: str, column: int | None, width: int, shown: tuple[str, int | None]
) -> None:
    assert excerpt(source, column, width) == shown


def test_check_names_the_tables_whose_columns_it_does_not_know(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": "external: {raw: {meters: {}, gauges: {columns: {a: int}}, unread: {}}}",
        "air/refined/x.sql": "SELECT m.a, g.a AS b FROM meters m JOIN gauges g ON g.a = m.a",
    }
    root = write_project(tmp_path, files)
    run = dapflow("check", cwd=root)
    assert run.returncode == 0
    assert run.stderr == (
        "Unchecked: of air.raw.meters Glue alone knows the columns; dapflow columns air.raw.meters prints them. "
        "Types are not checked in transforms/air/refined/x.sql.\n"
    )
    assert json.loads(dapflow("check", "--json", cwd=root).stdout)["unchecked"] == ["air.raw.meters"]


def test_show_prints_what_is_sent_in_each_environment(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": "databases: {refined: {prod: air-prod, staging: air-stg}}",
        "air/refined/y.sql": "SELECT 1 AS n",
        "air/refined/x.sql": """SELECT y.n, 'air-stg' AS s FROM "air-stg".y -- "air-stg" """,
    }
    root = write_project(tmp_path, files)
    (root / "cdk.json").write_text((REPOSITORY / "cdk.json").read_text())
    written = """SELECT y.n, 'air-stg' AS s FROM "air-stg".y -- "air-stg" \n"""
    assert dapflow("check", cwd=root).stderr == ""
    assert dapflow("show", "x", "--environment", "staging", cwd=root).stdout == written
    for environment in ("prod", "local"):
        sent = dapflow("show", "x", "--rendered", "--environment", environment, cwd=root).stdout
        assert sent == written.replace('FROM "air-stg".y', 'FROM "air-prod"."y"')
    refused = dapflow("show", "x", "--environment", "nowhere", cwd=root)
    assert (refused.returncode, "[unknown-environment]" in refused.stderr) == (1, True)
