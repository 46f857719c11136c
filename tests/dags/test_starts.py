"""A service that reads several datasets of others is started once for each generation, and always.

On MWAA Airflow keeps its state in PostgreSQL, where two events of the same moment do not see each other; so the test
has such a server where the machine has its programs. On SQLite everything happens one after the other.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dapflow.runtime.dag_factory import build_starts
from tests.dags.airflow_process import ROOT, airflow_environment, said
from tests.dags.bundles import product, raw, service, write_bundle

# Airflow connects in both ways.
DRIVERS = ("psycopg2-binary==2.9.12", "asyncpg==0.32.0")
PAIRS = 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A service that publishes two datasets, and one that waits for both."""
    folder = write_bundle(
        tmp_path / "bundle",
        [service("weather"), service("reports")],
        [
            raw("weather", "hours"),
            raw("weather", "days"),
            product("reports", "both", "weather.raw.hours", "weather.raw.days"),
        ],
    )
    shutil.copy(ROOT / "dags" / "dapflow_services.py", folder)
    return folder


@pytest.fixture
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of the test's own."""
    programs = shutil.which("initdb") or shutil.which("initdb", path="/usr/lib/postgresql/15/bin")
    if programs is None:
        pytest.skip("this machine has no PostgreSQL")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    home = Path(tempfile.mkdtemp(prefix="dapflow-postgres-"))
    # PostgreSQL refuses to run as root.
    other = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if other:
        shutil.chown(home, "postgres")
    control = [*other, str(Path(programs).with_name("pg_ctl")), "-D", str(home / "data"), "-w"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {home}"
    try:
        initdb = [*other, programs, "-A", "trust", "-U", "postgres", "-D", str(home / "data")]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        # Its log would keep a pipe open.
        start = [*control, "-l", str(home / "log"), "-o", options, "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd="/")
        yield f"postgresql+psycopg2://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd="/")
        shutil.rmtree(home, ignore_errors=True)


def starts(folder: Path, tmp_path: Path, database: str | None = None) -> dict[str, Any]:
    """What tests/dags/starts_runs.py counts."""
    environment = airflow_environment(tmp_path, folder, {})
    if database is not None:
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        driver = tmp_path / "driver"
        subprocess.run([uv, "pip", "install", "--quiet", "--target", str(driver), *DRIVERS], check=True)
        environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database
        environment["PYTHONPATH"] += f":{driver}"
    command = [sys.executable, "-m", "tests.dags.starts_runs", str(folder), str(PAIRS)]
    counted, _ = said(command, environment, tmp_path)
    return counted


@pytest.mark.slow
def test_each_generation_starts_once(folder: Path, tmp_path: Path) -> None:
    counted = starts(folder, tmp_path)
    assert counted["look"] == "success"
    assert counted["started"] == {"1": PAIRS}


@pytest.mark.slow
def test_each_generation_starts_once_where_events_do_not_see_each_other(
    folder: Path, tmp_path: Path, postgres: str
) -> None:
    counted = starts(folder, tmp_path, postgres)
    print(counted)  # `pytest -s` shows how many Airflow alone would have left waiting
    assert counted["look"] == "success"
    assert counted["started"] == {"1": PAIRS}


def test_what_is_looked_at(folder: Path) -> None:
    dag = build_starts(folder)["dapflow-starts"]
    assert (dag.max_active_runs, dag.catchup, dag.is_paused_upon_creation) == (1, False, False)
    assert dag.task_dict["start"].waits == {
        ("reports", "refined.both"): [("weather", "raw.hours"), ("weather", "raw.days")]
    }


def test_a_branch_waits_for_what_its_host_makes(tmp_path: Path) -> None:
    folder = write_bundle(
        tmp_path,
        [service("weather"), service("reports")],
        [
            raw("weather", "hours"),
            raw("weather", "days"),
            product("weather", "wet", "weather.raw.hours", "weather.raw.days"),
            product("reports", "both", "weather.raw.hours", "weather.refined.wet"),
        ],
        branch="fix-it",
    )
    assert build_starts(folder)["fix-it__dapflow-starts"].task_dict["start"].waits == {
        ("fix-it__weather", "refined.wet"): [("weather", "raw.hours"), ("weather", "raw.days")],
        ("fix-it__reports", "refined.both"): [("weather", "raw.hours"), ("fix-it__weather", "refined.wet")],
    }


@pytest.mark.parametrize(
    ("schedule", "reads", "scheduled"),
    [
        ("0 5 * * *", ("weather.raw.hours", "weather.raw.days"), True),
        (None, ("weather.raw.hours",), True),
        (None, ("weather.raw.hours", "weather.raw.days"), False),
    ],
    ids=["a cron line of its own", "one dataset", "nothing is scheduled here"],
)
def test_where_there_is_nothing_to_look_at(
    tmp_path: Path, schedule: str | None, reads: tuple[str, ...], scheduled: bool
) -> None:
    folder = write_bundle(
        tmp_path,
        [service("weather"), service("reports", schedule=schedule)],
        [raw("weather", "hours"), raw("weather", "days"), product("reports", "both", *reads)],
        scheduled=scheduled,
    )
    assert build_starts(folder) == {}
