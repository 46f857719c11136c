"""The first step of ``dapflow remove``: the files of a product, which git has and nobody reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.in_process import dapflow
from tests.project.writing import SERVICE, write_project

FILES: dict[str, str | bytes] = {
    "air/refined/names.sql": "SELECT carrier, name FROM airlines",
    "air/refined/names.yml": "description: Of airlines.\n",
    "air/refined/upper.sql": "SELECT upper(name) AS name FROM air_refined_zone.names",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_project(tmp_path, FILES)


def _commit(root: Path) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-q", "-m", "All of it")):
        subprocess.run(["git", "-C", str(root), *words], check=True)


def test_what_others_read_stays(root: Path) -> None:
    run = dapflow("remove", "names", "--yes", cwd=root)
    assert (run.returncode, run.stdout) == (1, "")
    assert "air.refined.names is read by air.refined.upper [still-read]" in run.stderr
    assert (root / "transforms/air/refined/names.sql").exists()


def test_the_files_of_what_nobody_reads_go_and_the_next_step_is_said(root: Path) -> None:
    _commit(root)
    asked = dapflow("remove", "upper", cwd=root)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "transforms/air/refined/upper.sql would be deleted" in asked.stderr
    assert (root / "transforms/air/refined/upper.sql").exists()
    done = dapflow("remove", "upper", "--yes", cwd=root)
    assert done.returncode == 0
    assert done.stdout.endswith("dapflow remove air.refined.upper\n")
    removed = json.loads(dapflow("remove", "names", "--yes", "--json", cwd=root).stdout)
    assert removed["files"] == ["transforms/air/refined/names.sql", "transforms/air/refined/names.yml"]
    assert not list((root / "transforms/air/refined").iterdir())
    # The second step is for where something may have been published.
    assert "[embedded-platform-not-up]" in dapflow("remove", "air.refined.upper", "--yes", cwd=root).stderr


def test_what_git_does_not_have_stays(root: Path) -> None:
    _commit(root)
    file = root / "transforms/air/refined/upper.sql"
    file.write_text("SELECT lower(name) AS name FROM air_refined_zone.names")
    run = dapflow("remove", "upper", "--yes", cwd=root)
    assert run.returncode == 1
    assert "[uncommitted]" in run.stderr
    assert file.exists()


def test_tests_and_checks_of_a_product_go_with_it(root: Path) -> None:
    more: dict[str, str | bytes] = {
        "air/service.yml": SERVICE + "grants: {sea: [refined.upper]}\n",
        "sea/service.yml": "title: Sea\n",
        "air/refined/upper.yml": "checks: {own: {sql: own.sql}}\n",
        "air/refined/names.yml": "checks: {shared: {sql: shared.sql}}\n",
        "air/checks/own.sql": "SELECT name FROM air_refined_zone.upper WHERE name IS NULL",
        "air/checks/shared.sql": "SELECT name FROM air_refined_zone.names WHERE name IS NULL",
        "air/tests/upper.yml": "tests: {a: {given: {air_refined_zone.names: rows.csv}, expect: own.csv}}\n",
        "air/tests/names.yml": "tests: {a: {given: {airlines: rows.csv}, expect: []}}\n",
        "air/tests/rows.csv": "name\nx\n",
        "air/tests/own.csv": "name\nX\n",
    }
    write_project(root, more)
    _commit(root)
    removed = json.loads(dapflow("remove", "upper", "--yes", "--json", cwd=root).stdout)
    assert [file.removeprefix("transforms/air/") for file in removed["files"]] == [
        "refined/upper.sql",
        "refined/upper.yml",
        "checks/own.sql",
        "tests/own.csv",
        "tests/upper.yml",
    ]
    assert removed["granted"] == ["transforms/air/service.yml:7"]
    assert "1:" not in dapflow("check", cwd=root).stderr.replace("service.yml:7:", "")


def test_a_raw_table_is_an_entry_of_service_yml(root: Path) -> None:
    _commit(root)
    assert "air.raw.airlines is read by air.refined.names" in dapflow("remove", "airlines", "--yes", cwd=root).stderr
    run = dapflow("remove", "air.raw.airports", "--yes", cwd=root)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("airports in transforms/air/service.yml: deleted.")
    assert (root / "transforms/air/service.yml").read_text() == SERVICE.replace("  airports:\n", "")
    assert dapflow("check", cwd=root).returncode == 0


def test_an_entry_that_shares_its_line_is_left_to_a_person(root: Path) -> None:
    service = "sources: {airlines: {columns: {carrier: string, name: string}}, airports: {}}\n"
    (root / "transforms/air/service.yml").write_text(service)
    run = dapflow("remove", "air.raw.airports", "--yes", cwd=root)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("transforms/air/service.yml: air.raw.airports is part of the project")
    assert (root / "transforms/air/service.yml").read_text() == service
