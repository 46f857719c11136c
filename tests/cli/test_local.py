"""``dapflow local``: start, look, use, stop, and everything that may stand in the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.cli.in_process import PlatformProject
from tests.local.projects import LocalProject, make_project

UP = ("local", "up", "--no-airflow")


@pytest.mark.slow
def test_up_use_down_up(project: LocalProject) -> None:
    project.run(*UP)
    states = {name: component["state"] for name, component in project.status().items()}
    assert states == {"aws": "running", "athena": "running", "airflow": "stopped"}
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for process in project.processes()
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", project.ports()["aws"]), ("127.0.0.1", project.ports()["athena"])}
    s3, glue, athena = project.client("s3"), project.client("glue"), project.client("athena")
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert "dapflow-local-landing-123456789012" in buckets
    databases = {database["Name"] for database in glue.get_databases()["DatabaseList"]}
    assert databases == {"housing_raw_zone", "housing_refined_zone", "housing_trusted_zone"}
    groups = {group["Name"] for group in athena.list_work_groups()["WorkGroups"]}
    assert groups == {"primary", "dapflow-local-housing"}
    s3.put_object(Bucket="dapflow-local-landing-123456789012", Key="mine", Body=b"kept")

    assert "serving AWS" in project.run("local", "logs", "aws").stdout
    again = project.run(*UP)
    assert "starting" not in again.stderr
    project.run("local", "down")
    assert project.processes() == []
    assert "nothing was running" in project.run("local", "down").stderr
    project.write("transforms/parking/service.yml", "sources: {permits: {}}\n")
    project.run(*UP)

    s3, glue = project.client("s3"), project.client("glue")
    assert s3.get_object(Bucket="dapflow-local-landing-123456789012", Key="mine")["Body"].read() == b"kept"
    assert "parking_raw_zone" in {database["Name"] for database in glue.get_databases()["DatabaseList"]}
    project.run("local", "down", "--wipe")
    assert not project.state.directory.exists()


@pytest.mark.slow
def test_a_killed_component_is_named_and_up_repairs_it(project: LocalProject) -> None:
    project.run(*UP)
    project.client("glue").create_database(DatabaseInput={"Name": "mine"})
    psutil.Process(project.status()["aws"]["pid"]).kill()
    time.sleep(0.2)

    assert project.status()["aws"]["state"] == "dead"
    assert project.run("local", "status", check=False).returncode == 1
    asked = project.run("query", "SELECT 1", check=False)
    assert asked.returncode == 1
    assert "without aws" in asked.stderr
    assert "dapflow local up" in asked.stderr

    repaired = project.run(*UP)
    assert "starting aws" in repaired.stderr
    assert "starting athena" not in repaired.stderr
    assert project.client("glue").get_database(Name="mine")


@pytest.mark.slow
def test_down_during_a_run_is_a_message_of_the_run(project: LocalProject) -> None:
    project.run(*UP)
    rows = "UNNEST(sequence(1, 10000))"
    slow = f"SELECT count(*) AS n FROM {rows} AS a (x), {rows} AS b (y), {rows} AS c (z) WHERE x + y + z < 0\n"
    project.write("transforms/housing/refined/slow.sql", slow)
    run = subprocess.Popen(
        project.command("run", "slow", "-g", "2024-06-05"), stderr=subprocess.PIPE, text=True, env=project.variables
    )
    assert run.stderr is not None
    said = [next(line for line in run.stderr if "querying" in line)]
    project.run("local", "down")
    said += run.stderr.readlines()
    assert run.wait() == 1
    what = "the embedded platform was stopped in the middle of the work; what was published stays as it was"
    assert f"{what} [component-ended]" in said[-2]
    assert not any("Traceback" in line for line in said)


@pytest.mark.slow
def test_down_during_a_query_is_a_message_of_the_query(project: LocalProject) -> None:
    project.run(*UP)
    rows = "UNNEST(sequence(1, 10000))"
    slow = f"SELECT count(*) AS n FROM {rows} AS a (x), {rows} AS b (y), {rows} AS c (z) WHERE x + y + z < 0"
    query = subprocess.Popen(project.command("query", slow), stderr=subprocess.PIPE, text=True, env=project.variables)
    athena = project.client("athena")
    while not athena.list_query_executions()["QueryExecutionIds"]:
        time.sleep(0.2)
    project.run("local", "down")
    assert query.stderr is not None
    said = query.stderr.read()
    assert query.wait() == 1
    assert "the embedded platform was stopped in the middle of the work" in said
    assert "hint: start it again with dapflow local up, then do this again" in said


@pytest.mark.slow
def test_a_process_that_only_has_the_noted_number_is_left_alone(project: LocalProject) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        project.write(".dapflow/run/aws.json", json.dumps({"pid": stranger.pid}))
        assert project.status()["aws"]["state"] == "dead"
        project.run(*UP)
        assert project.status()["aws"]["state"] == "running"
        assert project.status()["aws"]["pid"] != stranger.pid
        project.run("local", "down")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.slow
def test_a_port_in_use_is_named_and_another_is_taken(project: LocalProject) -> None:
    wanted = project.ports()["aws"]
    with socket.socket() as other:
        other.bind(("127.0.0.1", wanted))
        other.listen()
        started = project.run(*UP)
        assert f"port {wanted}" in started.stderr
        assert "is in use" in started.stderr
        taken = project.ports()["aws"]
        assert taken != wanted
        assert project.client("s3").list_buckets()["Buckets"]
    # The port that was found is kept, so that what was noted elsewhere stays true.
    project.run("local", "down")
    project.run(*UP)
    assert project.ports()["aws"] == taken


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_up_leaves_nothing_running(project: LocalProject, number: signal.Signals) -> None:
    process = subprocess.Popen(
        project.command(*UP), env=project.variables, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "starting athena" in line:
            break
    os.killpg(process.pid, number)
    said = process.stderr.read()
    assert process.wait(60) == 128 + number, said
    assert "Traceback" not in said
    assert project.processes() == []
    for port in project.ports().values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    assert set(project.status()) == {"aws", "athena", "airflow"}
    assert {component["state"] for component in project.status().values()} == {"stopped"}


@pytest.mark.slow
def test_two_projects_run_beside_each_other(project: LocalProject, tmp_path: Path) -> None:
    other = make_project(tmp_path / "other")
    other.write(".dapflow/ports.json", json.dumps(project.ports()))
    try:
        project.run(*UP)
        other.run(*UP)
        other.client("glue").create_database(DatabaseInput={"Name": "only_here"})
        other.run("local", "down")
        names = {database["Name"] for database in project.client("glue").get_databases()["DatabaseList"]}
        assert "only_here" not in names
    finally:
        other.run("local", "down", "--wipe")


def test_without_a_platform_commands_say_so(tmp_path: Path) -> None:
    project = PlatformProject(make_project(tmp_path).root)
    for command in (("query", "SELECT 1"), ("run", "housing"), ("local", "env"), ("branch", "up", "x")):
        done = project.run(*command, check=False)
        assert done.returncode == 1
        assert "[embedded-platform-not-up]" in done.stderr
        assert "dapflow local up" in done.stderr
    assert json.loads(project.run("query", "SELECT 1", "--json", check=False).stdout)["errors"][0]["code"] == (
        "embedded-platform-not-up"
    )


def test_a_project_with_mistakes_is_not_started(project: LocalProject) -> None:
    project.write("transforms/housing/refined/repair_costs.sql", "SELECT FROM")
    done = project.run(*UP, check=False)
    assert done.returncode == 1
    assert "repair_costs.sql:1:" in done.stderr
    assert project.processes() == []


def test_a_state_directory_that_cannot_be_made_is_named(project: LocalProject) -> None:
    project.run("local", "down", "--wipe")
    project.write(".dapflow", "a file in its place")
    done = project.run(*UP, check=False)
    (project.root / ".dapflow").unlink()
    assert done.returncode == 1
    assert "[state-directory]" in done.stderr


def test_a_component_that_there_is_not(project: LocalProject) -> None:
    done = project.run("local", "logs", "asw", check=False)
    assert done.returncode == 1
    assert "[unknown-component]" in done.stderr
