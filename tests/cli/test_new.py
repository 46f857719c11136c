"""``dapflow new source`` and ``dapflow new transform``: what is written, and what is left as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.in_process import called, dapflow
from tests.project.writing import write_project

SERVICE = """\
# Ours.
title: Air

sources:
  flights:   # every one of them
    columns: {year: integer, carrier: string}

  # What is read of others.
  airlines:
    columns:
      carrier: string
      "order": integer
grants:
  sea: [raw]
"""
SEA = "sources: {ships: {columns: {id: integer}}}\nreads: [air.raw]\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = write_project(tmp_path / "project", {"air/service.yml": SERVICE, "sea/service.yml": SEA})
    (tmp_path / "planes_2024-06-05.csv").write_text("tailnum;built\nN1;31/12/1999\nN2;01/02/2003\n")
    return root


def test_a_source_is_put_into_service_yml_and_all_else_stays(root: Path) -> None:
    run = dapflow("new", "source", "air.planes", "../planes_2024-06-05.csv", cwd=root)
    assert run.returncode == 0
    assert (root / "transforms/air/service.yml").read_text() == SERVICE.replace(
        "grants:\n",
        "  planes:\n"
        "    delimiter: ;\n"
        "    columns:\n"
        "      tailnum: string\n"
        "      built:\n"
        "        type: date\n"
        "        format: '%d/%m/%Y'\n"
        "grants:\n",
    )
    assert "  dapflow land ../planes_2024-06-05.csv --to air.planes --date 2024-06-05\n" in run.stdout
    assert "  dapflow run air.raw.planes\n" in run.stdout
    assert dapflow("check", cwd=root).returncode == 0
    again = dapflow("new", "source", "air.planes", "../planes_2024-06-05.csv", cwd=root)
    assert "air has a raw table planes already" in again.stderr


def test_a_source_that_no_line_adds_is_printed_with_where_it_belongs(root: Path) -> None:
    run = dapflow("new", "source", "sea.planes", "../planes_2024-06-05.csv", cwd=root)
    assert run.returncode == 0
    assert (root / "transforms/sea/service.yml").read_text() == SEA
    assert run.stdout.startswith("transforms/sea/service.yml is left as it is")
    assert "\n  planes:\n    delimiter: ;\n" in run.stdout
    said = json.loads(dapflow("new", "source", "sea.planes", "../planes_2024-06-05.csv", "--json", cwd=root).stdout)
    assert (said["written"], said["file"]) == (False, "transforms/sea/service.yml")


def test_a_source_that_the_project_does_not_take_is_not_written(root: Path) -> None:
    file = root / "transforms/air/service.yml"
    (root.parent / "empty.csv").write_text("a,b\n")
    for arguments, code in (
        (("air.new", "../empty.csv"), "landing-no-rows"),
        (("air.New!", "../planes_2024-06-05.csv"), "bad-name"),
        (("sky.new", "../planes_2024-06-05.csv"), "unknown-service"),
        (("new", "../planes_2024-06-05.csv"), "option"),
        (("air.new", "../gone.csv"), "exports"),
        # The history of flights would be its table.
        (("air.flights_history", "../planes_2024-06-05.csv"), "duplicate-dataset"),
    ):
        run = dapflow("new", "source", *arguments, cwd=root)
        assert (run.returncode, run.stdout) == (1, "")
        assert f"{code}]" in run.stderr
        assert file.read_text() == SERVICE
    file.write_text(f"{SERVICE}titel: x\n")
    assert "unknown-key" in dapflow("new", "source", "air.new", "../planes_2024-06-05.csv", cwd=root).stderr


def test_a_transform_begins_with_the_columns_of_what_it_reads(root: Path) -> None:
    run = dapflow("new", "transform", "air.orders", "--from", "airlines", cwd=root)
    file = root / "transforms/air/refined/orders.sql"
    assert file.read_text() == 'SELECT\n  carrier,\n  "order"\nFROM airlines\n'
    assert run.stderr == ""
    assert "transforms/air/refined/orders.sql: written" in run.stdout
    assert "  dapflow preview orders\n" in run.stdout
    dapflow("new", "transform", "sea.trusted.lines", "--from", "air.refined.orders", cwd=root)
    lines = (root / "transforms/sea/trusted/lines.sql").read_text()
    assert lines == 'SELECT\n  carrier,\n  "order"\nFROM air_refined_zone.orders\n'
    again = dapflow("new", "transform", "air.orders", "--from", "flights", cwd=root)
    assert (again.returncode, file.read_text().count("airlines")) == (1, 1)
    assert "air.refined.orders is there already" in again.stderr


def test_a_transform_is_a_query_that_somebody_has_and_what_check_says_of_it_is_said(root: Path) -> None:
    sql = "-- mine\r\nSELECT carier FROM flights"
    run = called(("new", "transform", "air.mine", "--query", "-"), root, {**os.environ, "COLUMNS": "100"}, sql)
    assert run.returncode == 0
    assert (root / "transforms/air/refined/mine.sql").read_bytes() == f"{sql}\n".encode()
    assert "mine.sql:2:8:" in run.stderr
    assert "carier" in run.stderr


def test_what_is_not_named_is_asked_for_where_somebody_can_answer(root: Path) -> None:
    run = dapflow("new", "transform", "air.mine", cwd=root)
    assert (run.returncode, run.stdout) == (1, "")
    assert "what it reads (--from, or --query) is missing" in run.stderr
    assert "the table is missing" in dapflow("new", "source", cwd=root).stderr
    assert "the name of the service is missing" in dapflow("new", "service", cwd=root).stderr


def test_answers_are_taken_from_a_terminal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dapflow.cli.questions.is_terminal", lambda: True)
    answers = "air.mine\nflights\n"
    run = called(("new", "transform"), root, {**os.environ, "COLUMNS": "100"}, answers)
    assert run.returncode == 0
    assert (root / "transforms/air/refined/mine.sql").read_text() == "SELECT\n  year,\n  carrier\nFROM flights\n"
