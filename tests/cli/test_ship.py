"""`dapflow ship` as people type it, onto an account that the embedded AWS stands for."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dapflow.bundle import build_bundle
from dapflow.deployed.bundle import DeployedProject, deployed_project
from dapflow.local.cloudformation.deployed_names import deployed_environment
from dapflow.platform import bundle_uri
from dapflow.project import compile_project
from dapflow.runtime.aws import Clients
from dapflow.runtime.objects import split_uri
from stacks.functions.resources import put_files
from tests.aws_servers import empty_aws
from tests.cli.deployed import ROOT, commit
from tests.cli.in_process import PlatformProject
from tests.local.projects import SERVICE, TRANSFORM
from tests.runtime.conftest import athena_endpoint, aws_endpoint, clients, environment
from tests.runtime.lake import ACCOUNT, REGION

__all__ = ["athena_endpoint", "aws_endpoint", "clients"]

FOLDER = "transforms/housing"
SQL = f"{FOLDER}/refined/repair_costs.sql"
READER = "SELECT done, repairs FROM housing_refined_zone.repair_costs\n"
TEST = """\
transform: repair_costs
tests:
  open repairs are counted:
    given:
      repairs: [{id: 1, cost: 2.5, done: false}]
    expect: [{repairs: 1}]
"""


@dataclass
class Prod:
    """A project that is deployed to prod, and the bucket from which its Airflow reads."""

    project: PlatformProject
    s3: Any

    def write(self, name: str, text: str) -> None:
        self.project.write(name, text)
        commit(self.project.root)

    def deploy(self) -> None:
        """What a deployment puts."""
        manifest = compile_project(self.project.root)
        names = deployed_environment(self.project.root, manifest, "prod")
        bucket, key = split_uri(bundle_uri(names))
        with tempfile.TemporaryDirectory() as work:
            folder = build_bundle(self.project.root, manifest, names, Path(work))
            files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
            put_files(self.s3, bucket, key, {name: file.read_bytes() for name, file in files.items()})

    def ship(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.project.run("ship", "--environment", "prod", *arguments, check=False)

    def refused(self, code: str) -> str:
        """What a refusal says, after which the same runs as before."""
        before = self.deployed
        done = self.ship("--yes")
        assert (done.returncode, f"{code}]" in done.stderr) == (1, True), done.stderr
        assert self.deployed == before
        return done.stderr

    @property
    def deployed(self) -> DeployedProject:
        project = deployed_project(self.s3, f"s3://dapflow-prod-airflow-{ACCOUNT}/dags/", deploy="")
        assert project is not None
        return project


@pytest.fixture
def prod(clients: Clients, aws_endpoint: str, athena_endpoint: str, tmp_path: Path) -> Prod:
    empty_aws()
    project = PlatformProject(tmp_path / "a project", environment(aws_endpoint, athena_endpoint))
    project.write(f"{FOLDER}/service.yml", SERVICE)
    project.write(SQL, TRANSFORM)
    project.write(f"{FOLDER}/refined/counted.sql", READER)
    project.write(f"{FOLDER}/tests/repair_costs.yml", TEST)
    settings = json.loads((ROOT / "cdk.json").read_text())
    settings["context"]["environments"] = {"prod": settings["context"]["environments"]["prod"] | {"account": ACCOUNT}}
    settings["context"]["environment"] = "prod"
    project.write("cdk.json", json.dumps(settings))
    subprocess.run(["git", "init", "--quiet"], cwd=project.root, check=True)
    commit(project.root)
    bucket = f"dapflow-prod-airflow-{ACCOUNT}"
    clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    made = Prod(project, clients.s3)
    made.deploy()
    return made


@pytest.mark.slow
def test_a_commit_is_shipped_once_it_was_said_what_it_does(prod: Prod) -> None:
    """A dry run ships nothing, nor does who is not asked; what runs is the commit, and shipping it again is nothing."""
    before = prod.deployed
    prod.write(SQL, TRANSFORM.replace("count(*)", "cast(count(*) AS varchar)"))
    prod.write(f"{FOLDER}/tests/repair_costs.yml", TEST.replace("repairs: 1", "repairs: '1'"))
    said = prod.ship("--dry-run")
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("one test passed, of one transform in ")
    assert said.stdout.splitlines()[1:] == [
        f"Compared with what runs in prod, of commit {before.commit[:9]}.",
        "housing.refined.repair_costs: its text is changed: repairs (column repairs was bigint and is now string)",
        "housing.refined.counted: it reads housing.refined.repair_costs.repairs "
        "(column repairs was bigint and is now string)",
        "What breaks those who read it:",
        "  housing.refined.repair_costs: column repairs was bigint and is now string. Read by "
        "housing.refined.counted (repairs); it is published once dapflow accept-schema housing.refined.repair_costs "
        "has accepted that.",
        "  housing.refined.counted: column repairs was bigint and is now string. Read by no other product; it is "
        "published once dapflow accept-schema housing.refined.counted has accepted that.",
        "2 products hold something else.",
    ]
    planned = json.loads(prod.ship("--dry-run", "--json").stdout)
    assert (planned["shipped"], planned["before"], planned["removed"]) == (False, before.commit, [])
    assert [product["dataset"] for product in planned["products"]] == [
        "housing.refined.repair_costs",
        "housing.refined.counted",
    ]
    assert [line.partition(":")[0] for line in planned["breaking"]] == [
        product["dataset"] for product in planned["products"]
    ]
    assert "[option]" in prod.ship().stderr, "nobody is there to be asked"
    assert prod.deployed == before
    done = prod.ship("--yes")
    assert done.returncode == 0, done.stderr
    assert prod.deployed.manifest == compile_project(prod.project.root)
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=prod.project.root, capture_output=True, text=True, check=True
    )
    assert prod.deployed.commit == head.stdout.strip()
    assert f"prod runs this already: commit {prod.deployed.commit[:9]}\n" in prod.ship().stdout
    assert json.loads(prod.ship("--json").stdout)["shipped"] is False


@pytest.mark.slow
def test_what_is_wrong_or_in_no_commit_is_not_shipped(prod: Prod) -> None:
    prod.project.write(SQL, TRANSFORM + "-- a note\n")
    assert "dapflow ship --environment prod" in prod.refused("uncommitted")
    prod.write(SQL, TRANSFORM.replace("cost)", "costs)"))
    assert f"{SQL}:1:" in prod.refused("unknown-column")
    prod.write(SQL, TRANSFORM.replace("count(*)", "count(*) + 1"))
    failed = prod.ship("--yes")
    assert (failed.returncode, "1 of one test failed" in failed.stdout) == (1, True), failed.stdout
    told = json.loads(prod.ship("--yes", "--json").stdout)
    assert (told["shipped"], [test["passed"] for test in told["tests"]]) == (False, [False])


@pytest.mark.slow
def test_what_takes_a_deployment_is_named_and_not_shipped(prod: Prod) -> None:
    prod.write(f"{FOLDER}/service.yml", SERVICE + "schedule: 0 6 * * *\n")
    said = prod.refused("deployment-needed")
    assert "transforms/housing/service.yml (schedule)" in said
    assert "cdk deploy --all -c environment=prod" in said
    prod.write(f"{FOLDER}/service.yml", SERVICE)
    prod.write("dags/weekly.py", "x = 1\n")
    assert "dags/weekly.py" in prod.refused("deployment-needed")
    prod.deploy()
    prod.write("transforms/parks/service.yml", "title: Parks\n")
    said = prod.refused("deployment-needed")
    assert "the service parks is new" in said
    assert "environment.json (databases, services)" in said
    prod.deploy()
    (prod.project.root / FOLDER / "refined" / "counted.sql").unlink()
    prod.write(f"{FOLDER}/refined/more.sql", READER)
    said = prod.ship("--yes").stdout
    assert "housing.refined.more: it is new\nhousing.refined.counted is gone: nothing makes it any more, and " in said
    assert "1 product holds something else, 1 the same.\n" in said
    assert {*prod.deployed.manifest.datasets} == {
        "housing.raw.repairs",
        "housing.refined.more",
        "housing.refined.repair_costs",
    }


@pytest.mark.slow
def test_names_that_are_none_are_said_to_be(prod: Prod) -> None:
    for name, code in (("local", "option"), ("test", "unknown-environment")):
        said = prod.project.run("ship", "--environment", name, "--yes", check=False)
        assert (said.returncode, f"[{code}]" in said.stderr) == (1, True), said.stderr
    prod.s3.delete_object(Bucket=f"dapflow-prod-airflow-{ACCOUNT}", Key="dags/manifest.json")
    done = prod.ship("--yes")
    assert (done.returncode, "[not-deployed]" in done.stderr) == (1, True)
