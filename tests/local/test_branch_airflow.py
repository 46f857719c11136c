"""A branch environment beside the main one, on the real Airflow: what it runs, what it may, and what it leaves."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dapflow.branch import branch_slug
from dapflow.local.airflow.installation import airflow_api
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.processes.ports import read_ports
from tests.local.projects import TRANSFORM, LocalProject, make_project
from tests.stacks.iam.evaluate import Request, evaluate

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"
BRANCH = "Fix/Repairs#1"
SLUG = branch_slug(BRANCH)
STEM = SLUG.replace("-", "_")
DAG = f"{SLUG}__housing"
LANDING = f"dapflow-local-landing-{ACCOUNT}"
GROUP = f"dapflow-branch-{SLUG}-housing"
FILE = "transforms/housing/refined/repair_costs.sql"
CHANGED = TRANSFORM.replace("count(*) AS repairs", "count(*) AS repairs, 'branch' AS made_by")
NUMBERS = "UNNEST(sequence(1, 9000))"
SLOW = f"SELECT count(*) AS n FROM repairs, {NUMBERS} a(x), {NUMBERS} b(y), {NUMBERS} c(z) WHERE x * y * z = 7"
REPAIRS = "id,cost,done\n1,2.5,true\n2,4.0,false\n3,1.5,true\n"


def api(project: LocalProject) -> AirflowApi:
    return airflow_api(project.state, read_ports(project.state))


def wait_for(what: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return answer


def ended(project: LocalProject, dag: str, key: str, since: datetime) -> str:
    """How the newest run of a DAG for a generation ended, which may not have begun."""

    def state() -> str | None:
        runs = [run for run in api(project).dag_runs(since) if (run["dag_id"], run["partition_key"]) == (dag, key)]
        return next((str(run["state"]) for run in runs if run["state"] in {"success", "failed"}), None)

    return str(wait_for(state))


def everything(project: LocalProject) -> dict[str, Any]:
    """All that there is, read back through AWS's and Airflow's API. Results of queries are of no environment."""
    s3, glue, iam = (project.client(name) for name in ("s3", "glue", "iam"))
    airflow = api(project)
    databases = [database["Name"] for database in glue.get_databases()["DatabaseList"]]
    return {
        "objects": {
            f"{bucket['Name']}/{item['Key']} {item['ETag']}"
            for bucket in s3.list_buckets()["Buckets"]
            for item in s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
            if "athena-results" not in bucket["Name"]
        },
        "tables": {
            f"{name}.{table['Name']} {table.get('Parameters')} {table.get('ViewOriginalText')}"
            for name in databases
            for table in glue.get_tables(DatabaseName=name)["TableList"]
        },
        "databases": set(databases),
        "roles": {role["RoleName"] for role in iam.list_roles()["Roles"]},
        "policies": {policy["PolicyName"] for policy in iam.list_policies(Scope="Local")["Policies"]},
        "workgroups": {workgroup["Name"] for workgroup in project.client("athena").list_work_groups()["WorkGroups"]},
        "dags": {dag["dag_id"] for dag in airflow.get_all("/dags", "dags", exclude_stale=False)},
        "connections": {connection["connection_id"] for connection in airflow.get_all("/connections", "connections")},
        "pools": {pool["name"] for pool in airflow.get_all("/pools", "pools")},
        "assets": {asset["name"] for asset in airflow.get_all("/assets", "assets")},
        "errors": {import_error["filename"] for import_error in airflow.import_errors()},
        "bundle": {
            file.relative_to(project.state.bundle).as_posix()
            for file in project.state.bundle.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts
        },
    }


def of_main(everything_there: dict[str, Any]) -> dict[str, Any]:
    """What is the main environment's of everything."""
    return {key: {name for name in of if SLUG not in name and STEM not in name} for key, of in everything_there.items()}


def branch_role(project: LocalProject) -> list[dict[str, Any]]:
    iam = project.client("iam")
    return [iam.get_role_policy(RoleName="dapflow-branch-housing-runner", PolicyName="runner")["PolicyDocument"]]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A platform whose main environment has published a generation, in a project that stands on a git branch."""
    project = make_project(tmp_path_factory.mktemp("platform"))
    subprocess.run(["git", "init", "-q", "-b", BRANCH, str(project.root)], check=True)
    # A DAG that somebody wrote: a branch's copy of it would take its place.
    project.write("dags/by_hand.py", "from airflow.sdk import DAG\n\nDAG('by_hand', schedule=None)\n")
    project.run("local", "up")
    publish(project, "housing", "20240605")
    yield project
    project.run("local", "down", "--wipe")


def publish(project: LocalProject, dag: str, key: str, *also: str) -> None:
    """Trigger a DAG for a generation, and wait for it and for those that it starts."""
    day = f"{key[:4]}-{key[4:6]}-{key[6:]}"
    began = datetime.now(UTC)
    if dag == "housing":
        project.client("s3").put_object(Bucket=LANDING, Key=f"housing/repairs/{day}/r.csv", Body=REPAIRS.encode())
    api(project).trigger(dag, key)
    for dag_id in (dag, *also):
        assert ended(project, dag_id, key, began) == "success", dag_id


def change(project: LocalProject, text: str) -> None:
    """Change the transform, and bring the branch's environment up to it."""
    project.write(FILE, text)
    said = project.run("branch", "up").stdout
    # What is in the working tree is the branch's; the main environment is brought up to date by others.
    project.write(FILE, TRANSFORM)
    assert DAG in said


def product(project: LocalProject, database: str) -> list[list[str]]:
    """The current view of the product, one list for each of its rows."""
    sql = f"SELECT done, repairs, made_by, import_date FROM {database}.repair_costs WHERE done"
    asked = project.run("query", sql, check=False)
    assert asked.returncode == 0, asked.stderr
    return [line.split() for line in asked.stdout.splitlines()[2:] if line.strip()]


def test_it_runs_beside_the_main_environment_and_changes_nothing_of_it(platform: LocalProject) -> None:
    before = of_main(everything(platform))
    change(platform, CHANGED)
    there = everything(platform)
    assert of_main(there) == before
    assert there["dags"] - before["dags"] == {DAG}
    zones = ("refined", "trusted")
    assert there["databases"] - before["databases"] == {f"dapflow_branch_{STEM}__housing_{zone}_zone" for zone in zones}
    tasks = {task["task_id"] for task in api(platform).get(f"/dags/{DAG}/tasks")["tasks"]}
    assert tasks == {"refined.repair_costs"}, "the raw zone is the main environment's"

    publish(platform, DAG, "20240605")
    assert of_main(everything(platform)) == before
    assert product(platform, f"dapflow_branch_{STEM}__housing_refined_zone") == [["true", "2", "branch", "20240605"]]
    with pytest.raises(AssertionError, match="made_by"):
        product(platform, "housing_refined_zone")
    assert platform.client("athena").list_query_executions(WorkGroup=GROUP)["QueryExecutionIds"]

    # A new generation of the raw zone starts both.
    publish(platform, "housing", "20240606", DAG)
    assert product(platform, f"dapflow_branch_{STEM}__housing_refined_zone") == [["true", "2", "branch", "20240606"]]
    main = of_main(everything(platform))
    platform.run("branch", "down")
    wait_for(lambda: everything(platform) == main)


def test_it_is_tagged_and_may_write_nothing_of_the_main_environment(platform: LocalProject) -> None:
    change(platform, CHANGED)
    arn = f"arn:aws:athena:eu-west-2:{ACCOUNT}:workgroup/{GROUP}"
    listed = platform.client("athena").list_tags_for_resource(ResourceARN=arn)["Tags"]
    tags = {tag["Key"]: tag["Value"] for tag in listed}
    assert (tags["dapflow:branch"], tags["dapflow:kind"]) == ("Fix/Repairs_1", "branch")
    assert tags["dapflow:expires"] > datetime.now(UTC).isoformat()
    assert platform.run("branch", "list").stdout.split()[:2] == [BRANCH, SLUG]
    policies = branch_role(platform)
    for action, place, allowed in (
        ("s3:GetObject", f"raw-{ACCOUNT}/housing", True),
        ("s3:PutObject", f"raw-{ACCOUNT}/housing", False),
        ("s3:PutObject", f"refined-{ACCOUNT}/housing", False),
        ("s3:DeleteObject", f"refined-{ACCOUNT}/housing", False),
        ("s3:PutObject", f"branches-{ACCOUNT}/{SLUG}/refined/housing", True),
    ):
        resource = f"arn:aws:s3:::dapflow-local-{place}/repair_costs/x"
        tags = {"aws:PrincipalTag/branch": SLUG, "aws:PrincipalTag/databases": STEM}
        assert evaluate(Request(action, (resource,), tags), policies).allowed is allowed, (action, place)
    platform.run("branch", "down")


def test_it_outlives_a_restart_and_goes_in_the_middle_of_a_run(platform: LocalProject) -> None:
    before = of_main(everything(platform))
    change(platform, SLOW)
    platform.run("local", "down")
    platform.run("local", "up")
    assert api(platform).get(f"/dags/{DAG}")["is_stale"] is False
    assert of_main(everything(platform)) == before
    run_id = api(platform).trigger(DAG, "20240605")
    wait_for(lambda: any(task["state"] == "running" for task in api(platform).task_instances(DAG, run_id)))
    platform.run("branch", "down")
    # Longer than Airflow takes to look at its files, where a DAG could come back from.
    time.sleep(12)
    # It notices by and by that nobody has an asset any more.
    wait_for(lambda: everything(platform) == before)
    assert not list((platform.state.airflow / "logs").glob(f"dag_id={SLUG}*"))
    publish(platform, "housing", "20240607")


def test_mistakes_are_told(project: LocalProject) -> None:
    for command, code in (
        (("up", "x"), "embedded-platform-not-up"),
        (("down", "x"), "branch-not-up"),
        (("up", ""), "branch-name"),
        (("up",), "branch-name"),
        (("down",), "branch-name"),
    ):
        done = project.run("branch", *command, check=False)
        assert done.returncode == 1
        assert f"[{code}]" in done.stderr
        assert "hint: " in done.stderr
    assert project.run("branch", "list").stdout == ""
    project.run("local", "up", "--no-airflow")
    assert "runs without airflow" in project.run("branch", "up", "x", check=False).stderr
