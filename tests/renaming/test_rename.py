"""``dapflow rename``: what is changed, what is left, and what is refused before anything is written."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from dapflow import files
from dapflow.renaming import writing
from tests.cli.in_process import dapflow
from tests.project.writing import write_project

SERVICE = """\
sources:
  airlines: {columns: {carrier: string, name: string}}
  flights:
    columns: {year: integer, carrier: string}
    checks:
      known: {relationships: {carrier: {to: air_refined_zone.names}}}
grants:
  sea: [refined.names]   # the ports ask for it
"""
SEA = """\
title: Sea
reads: ["air.refined.names"]
"""
NAMES = "-- names, by names\nSELECT carrier, name FROM airlines\n"
READER = """\
WITH names AS (
  SELECT Names.carrier, air_refined_zone.names.name, 'names' AS kind -- names
  FROM air_refined_zone . "names" JOIN flights f ON f.carrier = names.carrier
)
SELECT n.carrier, n.name, n.kind, (SELECT count(*) AS days FROM AIR_REFINED_ZONE.NAMES_HISTORY) AS names
FROM names AS n
JOIN air_refined_zone."names_history$partitions" p ON p.import_date = n.carrier
"""
FILES: dict[str, str | bytes] = {
    "air/service.yml": SERVICE,
    "sea/service.yml": SEA,
    "air/refined/names.sql": NAMES,
    "air/refined/names.yml": """\
description: names
checks:
  named: {expression: "names.name <> 'names' AND name IS NOT NULL"}
  seen: {sql: seen.sql}
""",
    "air/checks/seen.sql": "SELECT carrier FROM air_refined_zone.names WHERE names.name = 'names'\n",
    "air/refined/upper.sql": READER,
    "air/refined/upper.yml": "inputs: {air_refined_zone.names: {on_missing: previous}}\n"
    "checks: {new: {freshness: {air_refined_zone.names_history: 3}}}\n",
    "sea/trusted/ports.sql": 'SELECT "NAMES".name AS names FROM "air_refined_zone"."NAMES"\n',
    "air/tests/names.yml": "tests:\n  names:\n    given: {airlines: [{carrier: names}]}\n"
    "    expect: [{carrier: names}]\n",
    "air/tests/upper.yml": "tests:\n  a:\n    given: {air_refined_zone.names: [], flights: []}\n    expect: []\n",
    "air/tests/more.yml": "transform: refined.names\ntests:\n  names: {given: {airlines: []}, expect: []}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", FILES)


def texts(root: Path) -> dict[str, str]:
    folder = root / "transforms"
    return {
        file.relative_to(folder).as_posix(): file.read_bytes().decode()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def refused(root: Path, *words: str) -> str:
    """What is said of a rename that is refused; nothing is written."""
    before = texts(root)
    run = dapflow("rename", *words, cwd=root)
    assert (run.returncode, run.stdout) == (1, "")
    assert texts(root) == before
    return run.stderr


def test_every_name_is_changed_where_it_is_one_and_nothing_else(root: Path) -> None:
    before = texts(root)
    run = dapflow("rename", "names", "labels", cwd=root)
    assert run.returncode == 0, run.stderr
    now = texts(root)
    assert now["air/refined/labels.sql"] == NAMES
    assert now["air/refined/labels.yml"] == before["air/refined/names.yml"].replace("names.name", "labels.name")
    assert now["air/checks/seen.sql"] == "SELECT carrier FROM air_refined_zone.labels WHERE labels.name = 'names'\n"
    assert now["sea/trusted/ports.sql"] == 'SELECT "labels".name AS names FROM "air_refined_zone"."labels"\n'
    assert (
        now["air/refined/upper.sql"]
        == """\
WITH names AS (
  SELECT labels.carrier, air_refined_zone.labels.name, 'names' AS kind -- names
  FROM air_refined_zone . "labels" JOIN flights f ON f.carrier = labels.carrier
)
SELECT n.carrier, n.name, n.kind, (SELECT count(*) AS days FROM AIR_REFINED_ZONE.labels_history) AS names
FROM names AS n
JOIN air_refined_zone."labels_history$partitions" p ON p.import_date = n.carrier
"""
    )
    assert now["air/refined/upper.yml"] == before["air/refined/upper.yml"].replace(".names", ".labels")
    assert now["air/service.yml"] == SERVICE.replace("refined.names", "refined.labels").replace(
        "zone.names", "zone.labels"
    )
    assert now["sea/service.yml"] == SEA.replace("names", "labels")
    assert now["air/tests/labels.yml"] == before["air/tests/names.yml"]
    assert now["air/tests/upper.yml"] == before["air/tests/upper.yml"].replace("names", "labels")
    assert now["air/tests/more.yml"] == before["air/tests/more.yml"].replace("refined.names", "refined.labels")
    assert set(before) - set(now) == {"air/refined/names.sql", "air/refined/names.yml", "air/tests/names.yml"}
    assert dapflow("check", cwd=root).returncode == 0
    # And back again, to the byte but for what was written in capitals and with blanks.
    assert dapflow("rename", "air.refined.labels", "air.refined.names", cwd=root).returncode == 0
    assert texts(root) == before | {
        "air/refined/upper.sql": READER.replace("Names.carrier", "names.carrier").replace(
            "NAMES_HISTORY", "names_history"
        ),
        "sea/trusted/ports.sql": str(FILES["sea/trusted/ports.sql"]).replace("NAMES", "names"),
    }


def test_git_takes_it_for_a_rename(root: Path) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "transforms"), (*who, "commit", "-q", "-m", "All of it")):
        subprocess.run(["git", "-C", str(root), *words], check=True)
    dapflow("rename", "names", "labels", cwd=root)
    subprocess.run(["git", "-C", str(root), "add", "transforms"], check=True)
    status = subprocess.run(
        ["git", "-C", str(root), "status", "--short", "transforms"], check=True, capture_output=True, text=True
    )
    renamed = [line.split() for line in status.stdout.splitlines() if line.startswith("R")]
    # Of the file beside the SQL so much is changed that git sees another one.
    assert [names[-1] for names in renamed] == ["transforms/air/refined/labels.sql", "transforms/air/tests/labels.yml"]


def test_what_follows_is_said(root: Path) -> None:
    (root / "dags").mkdir()
    (root / "dags" / "ours.py").write_text('# names\nASSET = "air.refined.names"\nOTHER = "air.refined.names_too"\n')
    before = texts(root)
    said = json.loads(dapflow("rename", "names", "labels", "--dry-run", "--json", cwd=root).stdout)
    assert texts(root) == before
    assert (said["renamed"], said["to"], said["written"]) == ("air.refined.names", "air.refined.labels", False)
    assert said["readers"] == ["air.raw.flights", "air.refined.upper", "sea.trusted.ports"]
    assert (said["granted"], said["published"], said["mentions"]) == (["sea"], None, ["dags/ours.py:2"])
    assert said["moved"]["transforms/air/refined/names.yml"] == "transforms/air/refined/labels.yml"
    assert "transforms/air/refined/labels.yml" in said["changed"]
    run = dapflow("rename", "names", "labels", "--dry-run", cwd=root)
    assert "air.refined.names would be called air.refined.labels.\n" in run.stdout
    assert "  dapflow backfill air.refined.labels --from DATE --to DATE\n" in run.stdout
    assert run.stdout.endswith("dapflow remove air.refined.names\n")
    assert "what is published is not known" in run.stderr
    assert texts(root) == before


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("names", "air.refined.names is called names already [rename]"),
        ("air.refined.names", "is called names already [rename]"),
        ("sea.refined.labels", "air.refined.names stays in the refined zone of air [rename]"),
        ("trusted.labels", "air.refined.names stays in the refined zone of air [rename]"),
        ("Labels", "only lower-case letters"),
        ("la-bels", "for example la_bels"),
        ("", "only lower-case letters"),
        ("/labels", "for example labels"),
        ("order", "it is a word of SQL"),
        ("l" * 201, "at most 200"),
        ("upper", "air.refined.upper is there already [DAP303 duplicate-dataset]"),
        ("upper_history", "both need the table air_refined_zone.upper_history"),
        ("names_history", "names_history is there under the name that air.refined.names has"),
        ("more", "transforms/air/tests/more.yml: there is such a file already"),
    ],
)
def test_a_name_that_it_cannot_have_is_refused(root: Path, wanted: str, said: str) -> None:
    assert said in refused(root, "names", wanted)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        # Without its database the name would be that of the WITH query.
        ("WITH labels AS (SELECT 1 AS a) SELECT a, carrier FROM labels, names", "x.sql:1:6: the text would mean"),
        ("SELECT names.carrier, labels.name FROM names JOIN airlines labels ON true", "would mean something else"),
        ("SELECT labels.* FROM names JOIN (SELECT 1 AS a) AS labels ON true", "would mean something else"),
    ],
)
def test_a_text_that_would_mean_something_else_is_refused(tmp_path: Path, sql: str, said: str) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": "database: air_refined_zone\n" + SERVICE.partition("  flights")[0],
        "air/refined/names.sql": "SELECT carrier, name FROM air_raw_zone.airlines",
        "air/refined/x.sql": sql.replace("JOIN airlines", "JOIN air_raw_zone.airlines"),
    }
    assert said in refused(write_project(tmp_path, files), "names", "labels")


def test_with_mistakes_in_the_project_nothing_is_renamed(root: Path) -> None:
    (root / "transforms/sea/trusted/dbt.sql").write_text("SELECT name FROM {{ ref('names') }}\n")
    assert "transforms/sea/trusted/dbt.sql:1:18" in refused(root, "names", "labels")


def test_with_tests_that_cannot_be_read_nothing_is_renamed(root: Path) -> None:
    (root / "transforms/air/tests/deep.yml").write_text("[" * 5000)
    assert "transforms/air/tests/deep.yml:1:1: the YAML is nested too deeply" in refused(root, "names", "labels")


def test_a_name_in_a_block_of_yaml_is_left_to_a_person(root: Path) -> None:
    file = root / "transforms/air/refined/names.yml"
    file.write_text("checks:\n  named:\n    expression: |\n      names.name <> ''\n")
    (root / "transforms/air/checks/seen.sql").unlink()
    said = refused(root, "names", "labels")
    assert "names.yml:3:17: \"names.name <> ''\" cannot be replaced where it stands [rename]" in said


def test_what_is_not_there_is_named(root: Path) -> None:
    assert "there is no product or raw table 'nmes'" in refused(root, "nmes", "labels")
    assert "sea is a service, and is not renamed" in refused(root, "sea", "ocean")


def test_a_raw_table_is_renamed_by_the_same_rule(root: Path) -> None:
    run = dapflow("rename", "air.raw.airlines", "carriers", cwd=root)
    assert run.returncode == 0, run.stderr
    now = texts(root)
    assert now["air/service.yml"] == SERVICE.replace("airlines:", "carriers:")
    assert now["air/refined/names.sql"] == NAMES.replace("airlines", "carriers")
    assert "given: {carriers: [{carrier: names}]}" in now["air/tests/names.yml"]
    assert "  dapflow land FILE --to air.carriers --date DATE\n" in run.stdout


def test_a_table_that_something_else_makes_keeps_its_name_there(tmp_path: Path) -> None:
    service = "external: {raw: {meters: {columns: {id: integer}}, pipes: {current: old, columns: {id: integer}}}}\n"
    files: dict[str, str | bytes] = {
        "air/service.yml": service,
        "air/refined/x.sql": "SELECT m.id FROM meters m JOIN old ON old.id = m.id",
    }
    root = write_project(tmp_path, files)
    assert "something else makes the table air_raw_zone.meters" in refused(root, "air.raw.meters", "gauges")
    assert dapflow("rename", "air.raw.pipes", "tubes", cwd=root).returncode == 0
    assert texts(root) == files | {"air/service.yml": service.replace("pipes", "tubes")}


def test_tables_that_would_keep_their_names_are_refused(root: Path) -> None:
    file = root / "transforms/air/refined/upper.yml"
    file.write_text("history: upper_all\n")
    assert "air_refined_zone.upper_all would keep its name, and be of two datasets" in refused(root, "upper", "lower")


def test_what_is_no_file_of_text_is_named_or_left(root: Path) -> None:
    (root / "transforms/air/.#names.sql").symlink_to("somebody@here.1234")
    assert dapflow("rename", "names", "labels", "--dry-run", cwd=root).returncode == 0
    os.mkfifo(root / "transforms/air/notes.txt")
    said = dapflow("rename", "names", "labels", "--dry-run", cwd=root).stderr
    assert "transforms/air/notes.txt: cannot be copied" in said


def test_bytes_and_ends_of_lines_stay(root: Path) -> None:
    file = root / "transforms/sea/trusted/ports.sql"
    sql = "\ufeffSELECT 'é😀' AS e,\r\n  names.name FROM air_refined_zone.names;\r\n-- a name\r\n".encode()
    file.write_bytes(sql)
    service = root / "transforms/sea/service.yml"
    service.write_bytes(b"\xef\xbb\xbftitle: \xc3\xa9\r\nreads: [ air.refined.names ]\r\n")
    assert dapflow("rename", "names", "labels", cwd=root).returncode == 0
    assert file.read_bytes() == sql.replace(b"names", b"labels")
    assert service.read_bytes() == b"\xef\xbb\xbftitle: \xc3\xa9\r\nreads: [ air.refined.labels ]\r\n"


def test_where_a_file_cannot_be_written_everything_is_as_it_was(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = files.write_whole
    written: list[Path] = []

    def full(path: Path, content: bytes) -> None:
        written.extend([path] if path.is_relative_to(root.resolve()) else [])
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        whole(path, content)

    before = texts(root)
    monkeypatch.setattr(writing, "write_whole", full)
    run = dapflow("rename", "names", "labels", cwd=root)
    assert run.returncode == 1
    assert "cannot be written: No space left on device [unwritable-file]" in run.stderr
    assert texts(root) == before
