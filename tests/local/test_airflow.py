"""Airflow on this machine: heard by this machine only, repaired when it dies, quick to see what changed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Any

import psutil
import pytest

from dapflow.local.airflow.installation import PARTS, airflow_api
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.processes.ports import read_ports
from tests.local.projects import LocalProject

pytestmark = pytest.mark.slow


def api(project: LocalProject) -> AirflowApi:
    return airflow_api(project.state, read_ports(project.state))


def parts(project: LocalProject) -> dict[str, int]:
    counts: dict[str, int] = project.status()["airflow"]["parts"]
    return counts


def wait_for(what: Any, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return answer


def test_airflow_from_up_to_down(project: LocalProject) -> None:
    project.run("local", "up")

    assert set(parts(project)) == set(PARTS)
    addresses = {
        connection.laddr.ip
        for process in project.processes()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}
    tasks = {task["task_id"] for task in api(project).get("/dags/housing/tasks")["tasks"]}
    assert tasks == {"raw.repairs", "refined.repair_costs"}
    assert api(project).get("/connections/dapflow_housing")["conn_type"] == "aws"
    assert api(project).get("/pools/dapflow_housing")["slots"] > 0

    # What changes in transforms/ is there as soon as up says so.
    project.write("transforms/housing/refined/all_repairs.sql", "SELECT id FROM repairs")
    project.run("local", "up")
    tasks = {task["task_id"] for task in api(project).get("/dags/housing/tasks")["tasks"]}
    assert tasks == {"raw.repairs", "refined.repair_costs", "refined.all_repairs"}

    # A part that is killed is started again by the component itself.
    before = parts(project)["airflow-scheduler"]
    psutil.Process(before).kill()
    wait_for(lambda: parts(project).get("airflow-scheduler", before) != before)

    # A component that is killed is started again by up, and its parts with it.
    orphans = [psutil.Process(pid) for pid in parts(project).values()]
    psutil.Process(project.status()["airflow"]["pid"]).kill()
    wait_for(lambda: project.status()["airflow"]["state"] == "dead")
    assert "starting airflow" in project.run("local", "up").stderr
    assert not any(process.is_running() for process in orphans)
    assert set(parts(project)) == set(PARTS)

    project.run("local", "down")
    assert project.processes() == []


def test_a_dag_file_that_cannot_be_imported_is_named(project: LocalProject) -> None:
    project.write("dags/own.py", "from airflow.sdk import DAG\nimport there_is_no_such_module\n")
    done = project.run("local", "up")
    assert "dags/own.py:2: ModuleNotFoundError: No module named 'there_is_no_such_module'" in done.stderr
    assert api(project).get("/dags/housing")["dag_id"] == "housing"


@pytest.mark.parametrize("after", [1.0, 5.0, 9.0])
def test_ctrl_c_while_airflow_starts_leaves_nothing_running(project: LocalProject, after: float) -> None:
    process = subprocess.Popen(
        project.command("local", "up"), env=project.variables, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "starting airflow" in line:
            break
    time.sleep(after)
    os.killpg(process.pid, signal.SIGINT)
    said = process.stderr.read()
    assert process.wait(60) == 128 + signal.SIGINT, said
    assert project.processes() == []
