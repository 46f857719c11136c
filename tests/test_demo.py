"""The demo, whole and real, in a project of its own: it publishes, it finds nothing to do, it says what failed."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from dapflow.local.airflow.installation import airflow_api
from dapflow.local.processes.ports import read_ports
from tests.local.projects import LocalProject, make_project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]
REPOSITORY = Path(__file__).parent.parent
PRODUCTS = len(list((REPOSITORY / "transforms").rglob("*.sql")))
RAW_TABLES = 5


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A copy of the repository's project, with a platform of its own."""
    project = make_project(tmp_path_factory.mktemp("demo"))
    shutil.rmtree(project.root / "transforms")
    shutil.copytree(REPOSITORY / "transforms", project.root / "transforms")
    yield project
    project.run("local", "down", "--wipe")


def rows_of(report: str, title: str) -> list[list[str]]:
    """The lines of one of the report's tables, cell by cell."""
    after = report.split(f"\n{title}", 1)[1].splitlines()[1:]
    table = itertools.takewhile(str.strip, after)
    return [re.split(r"\s{2,}", line.strip()) for line in table]


def locations(project: LocalProject) -> dict[str, str]:
    """Where every published generation lies: changes when anything is published again."""
    project.run("local", "up", "--no-airflow")
    place = "regexp_replace(\"$path\", '[^/]*$', '')"
    tables = ("air_traffic_raw_zone.flights_history", "air_traffic_trusted_zone.weather_delays_history")
    sql = " UNION ALL ".join(
        f"SELECT DISTINCT '{name}' AS dataset, import_date, {place} AS place FROM {name}" for name in tables
    )
    rows = json.loads(project.run("query", sql, "--json").stdout)
    project.run("local", "down")
    return {f"{row['dataset']} {row['import_date']}": row["place"] for row in rows}


def test_the_demo_publishes_everything_and_then_finds_nothing_to_do(example: LocalProject) -> None:
    done = example.run("demo")
    report = done.stdout

    datasets = {row[0]: row[1:] for row in rows_of(report, "Datasets") if "." in row[0]}
    assert len(datasets) == RAW_TABLES + PRODUCTS
    for name, cells in datasets.items():
        generations = [int(cell.replace(",", "")) for cell in cells[:3]]
        assert all(generations), name
        assert cells[3] == "3", name
        # The current view is the newest generation, the history table is all of them.
        assert [int(cell.replace(",", "")) for cell in cells[5:]] == [generations[-1], sum(generations)], name
    assert datasets["air_traffic.raw.flights"][2] == "336,776"
    runs = [row for row in rows_of(report, "DAG runs") if row[0] in ("air_traffic", "weather")]
    assert [row[2] for row in runs] == ["success"] * 6
    assert "Try next:" in report
    assert "dapflow query" in report
    assert example.processes() == []
    before = locations(example)
    assert len(before) == 6

    again = example.run("demo")
    assert "Nothing to do" in again.stdout
    assert "starting airflow" not in again.stderr
    assert {row[0]: row[1:] for row in rows_of(again.stdout, "Datasets") if "." in row[0]} == datasets
    assert [row for row in rows_of(again.stdout, "DAG runs") if row[0] in ("air_traffic", "weather")] == runs
    assert locations(example) == before


def test_a_failing_task_fails_the_demo_and_the_old_generations_stay(example: LocalProject) -> None:
    file = example.root / "transforms/weather/trusted/hourly_conditions.sql"
    text = file.read_text()
    before = locations(example)
    file.write_text(
        # In the outermost SELECT, since what nobody reads is not computed; the columns stay as they are.
        text.replace("\nSELECT\n  origin,", "\nSELECT\n  substr(origin, 1, 3 / (length(origin) - 3)) AS origin,")
    )
    try:
        done = example.run("demo", check=False)
    finally:
        file.write_text(text)
    assert done.returncode == 1
    assert "trusted.hourly_conditions failed" in done.stdout
    assert "DIVISION_BY_ZERO" in done.stdout or "Division by zero" in done.stdout
    assert re.search(r"air_traffic\s+2013-12-31\s+not started", done.stdout)
    assert example.processes() == []
    assert locations(example) == before


def test_a_killed_athena_ends_the_demo_with_words(example: LocalProject) -> None:
    file = example.root / "transforms/weather/trusted/hourly_conditions.sql"
    text = file.read_text()
    before = locations(example)
    file.write_text(f"-- changed\n{text}")
    process = subprocess.Popen(
        example.command("demo"), env=example.variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "Airflow is ready" in line:
                break
        psutil.Process(example.status()["athena"]["pid"]).kill()
        said = process.stdout.read()
        assert process.wait(120) == 1
    finally:
        process.kill()
        file.write_text(text)
    assert "[component-ended]" in said
    assert "athena ended" in said
    assert "Traceback" not in said
    assert example.processes() == []
    assert locations(example) == before


def test_ctrl_c_leaves_nothing_running(example: LocalProject) -> None:
    file = example.root / "transforms/weather/trusted/hourly_conditions.sql"
    text = file.read_text()
    file.write_text(f"-- changed again\n{text}")
    process = subprocess.Popen(
        example.command("demo"), env=example.variables, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if "raw.observations" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
        assert process.wait(60) == 128 + signal.SIGINT
    finally:
        process.kill()
        file.write_text(text)
    assert example.processes() == []


def test_a_service_whose_files_have_not_landed_is_left_out(example: LocalProject) -> None:
    example.write("transforms/housing/service.yml", "sources: {repairs: {columns: {id: integer}}}\n")
    example.run("local", "up")
    try:
        done = example.run("demo")
        assert "left out: housing 2013-12-31" in done.stdout
        # The platform was up, so it stays up.
        api = airflow_api(example.state, read_ports(example.state))
        dags: Any = {dag["dag_id"] for dag in api.get("/dags")["dags"]}
        assert {"air_traffic", "weather", "housing"} <= dags
    finally:
        shutil.rmtree(example.root / "transforms/housing")
        example.run("local", "down")
    time.sleep(0.1)
    assert example.processes() == []
