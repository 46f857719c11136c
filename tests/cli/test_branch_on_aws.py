"""`dapflow branch` on a deployed host: planned, run by no Airflow with the roles of the host, and listed."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.sts import sts_backends

from dapflow.branch import BranchNames, branch_slug
from dapflow.bundle import build_bundle
from dapflow.changes import plan_branch
from dapflow.deployed.cdk import CDK
from dapflow.environment import Environment
from dapflow.local.aws.emulator import issue_keys_under
from dapflow.local.cloudformation.deployed_names import deployed_environment
from dapflow.manifest import Manifest
from dapflow.platform import describe, describe_branch
from dapflow.project import compile_project
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.publish import Publisher
from stacks.functions.resources import put_files
from tests.aws_servers import KEY, empty_aws
from tests.cli.deployed import COSTS, NIGHTS, REPAIRS, create
from tests.local.projects import SERVICE, TRANSFORM, LocalProject
from tests.runtime.conftest import athena_endpoint, aws_endpoint, clients, environment
from tests.runtime.lake import ACCOUNT, REGION

__all__ = ["athena_endpoint", "aws_endpoint", "clients"]

ROOT = Path(__file__).parents[2]
BRANCH, SQL = "Fix/Costs", "transforms/housing/refined/repair_costs.sql"
SLUG = branch_slug(BRANCH)
STAGING = ("--environment", "staging")
STACK = '{"Resources": {"x": {"Type": "AWS::SNS::Topic"}}}'


@dataclass
class Host:
    """A project whose `staging` is deployed with its data, and hosts branches that no Airflow runs."""

    project: LocalProject
    clients: Clients
    environment: Environment
    manifest: Manifest

    def run(self, *arguments: str, check: bool = True) -> Any:
        return self.project.run("branch", *arguments, *STAGING, check=check)

    def settings(self, **branch: str) -> None:
        file = self.project.root / "cdk.json"
        settings = json.loads(file.read_text())
        settings["context"]["environments"]["branch"] |= branch
        file.write_text(json.dumps(settings))

    def put(self, manifest: Manifest, names: Environment, prefix: str) -> None:
        """Put a bundle where the host's functions would."""
        with tempfile.TemporaryDirectory() as work:
            folder = build_bundle(self.project.root, manifest, names, Path(work))
            files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.json")}
        put_files(self.clients.s3, f"dapflow-staging-airflow-{ACCOUNT}", prefix, files)

    def deploy_branch(self) -> Environment:
        """What the CDK makes of the working tree, compared with what is deployed."""
        changed = compile_project(self.project.root)
        manifest = plan_branch(self.manifest, changed).applied(changed)
        platform = describe_branch(manifest, BranchNames.of(SLUG), self.environment)
        create(platform, self.clients)
        self.put(manifest, platform.environment, f"dags/branches/{SLUG}/")
        return platform.environment


@pytest.fixture(scope="module")
def host(
    clients: Clients, aws_endpoint: str, athena_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Host]:
    empty_aws()
    issue_keys_under(KEY)
    project = LocalProject(tmp_path_factory.mktemp("host") / "a project")
    project.write("transforms/housing/service.yml", SERVICE)
    project.write(SQL, TRANSFORM)
    project.write("transforms/housing/refined/other.sql", "SELECT count(*) AS n FROM repairs\n")
    settings = json.loads((ROOT / "cdk.json").read_text())
    staging = settings["context"]["environments"]["staging"] | {"account": ACCOUNT}
    branch = {"host": "staging", "data_from": "staging", "orchestrator": "runner"}
    settings["context"] |= {"environment": "staging", "environments": {"staging": staging, "branch": branch}}
    project.write("cdk.json", json.dumps(settings))
    project.environment = environment(aws_endpoint, athena_endpoint)
    manifest = compile_project(project.root)
    names = deployed_environment(project.root, manifest, "staging")
    create(describe(manifest, name="staging", account=ACCOUNT, region=REGION, database_prefix="staging__"), clients)
    for purpose in ("airflow", "branches"):
        bucket = f"dapflow-staging-{purpose}-{ACCOUNT}"
        clients.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    made = Host(project, clients, names, manifest)
    bucket = names.zones["landing"].removeprefix("s3://").rstrip("/")
    for night, lines in NIGHTS.items():
        body = f"id,cost,done\n{lines}".encode()
        clients.s3.put_object(Bucket=bucket, Key=f"housing/repairs/{night}/repairs.csv", Body=body)
        for dataset in (REPAIRS, COSTS, "housing.refined.other"):
            Publisher(clients, manifest, names, by="airflow").publish(dataset, Generation.parse(night))
    yield made


def sessions() -> list[tuple[str, dict[str, str]]]:
    """The roles that were assumed, with the tags of their sessions."""
    roles = sts_backends[ACCOUNT]["aws"].assumed_roles
    return [(role.role_arn.rsplit("/", 1)[1], role.session_name) for role in roles]


@pytest.mark.slow
def test_the_life_of_a_branch(host: Host) -> None:
    """Planned against what is deployed, run with roles of the host, run again, and listed."""
    unplanned = host.run("plan", check=False)
    assert (unplanned.returncode, "[no-base]" in unplanned.stderr) == (1, True)
    assert "s3://dapflow-staging-airflow-123456789012/dags/" in unplanned.stderr
    host.put(host.manifest, host.environment, "dags/")
    host.project.write(SQL, TRANSFORM.replace("sum(cost)", "sum(cost) * 2"))
    planned = host.run("plan").stdout
    assert planned.startswith("Compared with what runs in staging")
    assert planned.endswith("1 built, 1 deferred.\n")

    missing = host.run("run", BRANCH, "--yes", check=False)
    assert "[branch-not-up]" in missing.stderr and "dapflow branch up Fix/Costs --environment staging" in missing.stderr
    names = host.deploy_branch()
    # What is built is what was deployed, whatever was written since.
    host.project.write(SQL, TRANSFORM.replace("sum(cost)", "sum(cost) * 3"))
    days = ("--from", "2024-06-04", "--to", "2024-06-05")
    done = host.run("run", BRANCH, *days, "--yes")
    assert done.stdout == "2 generations published\n", done.stderr
    partitions = host.clients.glue.get_partitions(
        DatabaseName=names.databases["housing_refined_zone"], TableName="repair_costs_history"
    )["Partitions"]
    assert len(partitions) == 2
    # Nothing of the host is written.
    assert not [p for p in partitions if SLUG not in p["StorageDescriptor"]["Location"]]
    again = host.run("run", BRANCH, *days, "--yes")
    assert "published before of the same text and inputs, and left: 2 generations" in again.stderr
    assert {role for role, _ in sessions()} == {"dapflow-branch-run", "dapflow-branch-housing-runner"}

    # The second night is the newest that both have. It is compared with the caller's own credentials.
    assert "[option]" in host.run("diff", BRANCH, check=False).stderr
    compared = host.run("diff", BRANCH, "--yes")
    assert compared.stdout.startswith(f"{BRANCH}, compared with staging\n")
    assert compared.stdout.splitlines()[2].split()[:3] == ["housing.refined.repair_costs", "2024-06-05", "differs"]
    assert "1 product differs." in compared.stdout
    missing = host.run("diff", "other", "--yes", check=False)
    assert "[branch-not-up]" in missing.stderr
    history = host.project.run("history", "repair_costs", "--branch", BRANCH, *STAGING).stdout
    assert history.count("2024-06-0") >= 2 and " published " in history

    client: Any = boto3.client("cloudformation", region_name=REGION)
    # Tags are whatever somebody wrote; when it goes is the host's business.
    said = {"branch": BRANCH, "owner": "someone", "commit": "0123abc4567", "expires": "2024-07-01T00:00:00+00:00"}
    tags = [{"Key": f"dapflow:{key}", "Value": value} for key, value in said.items()]
    for name in (f"dapflow-branch-{SLUG}-bundle", f"dapflow-branch-{SLUG}-service-housing", "dapflow-staging-bundle"):
        client.create_stack(StackName=name, TemplateBody=STACK, Tags=tags)
    assert host.run("list").stdout == f"{BRANCH}\t{SLUG}\texpires {in_days(14)}\tof someone\tcommit 0123abc45\n"


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


# What the CDK's command line does, as far as it matters here: it makes stacks, or fails.
NPX = """#!{python}
import json, pathlib, sys
import boto3
here = pathlib.Path({folder!r})
with (here / "asked").open("a") as asked:
    asked.write(json.dumps(sys.argv[1:]) + "\\n")
if (here / "fails").exists():
    sys.exit("Need to perform AWS calls, and cannot")
client = boto3.client("cloudformation", region_name={region!r})
names = ["dapflow-branch-{slug}-service-housing", "dapflow-branch-{slug}-bundle"]
tags = [dict(Key="dapflow:branch", Value="Try/Rooms"), dict(Key="dapflow:expires", Value="2000-01-01T00:00:00+00:00")]
for name in names:
    client.create_stack(StackName=name, TemplateBody={stack!r}, Tags=tags)
"""


@pytest.mark.slow
def test_a_branch_goes_up_and_down_by_the_cdk(host: Host, tmp_path: Path) -> None:
    branch, slug = "Try/Rooms", branch_slug("Try/Rooms")
    npx = tmp_path / "npx"
    npx.write_text(
        NPX.format(python=sys.executable, folder=str(tmp_path), region=REGION, slug=slug, stack=STACK), encoding="utf-8"
    )
    npx.chmod(0o755)
    before = dict(host.project.environment)
    host.project.environment["PATH"] = f"{tmp_path}:{os.environ['PATH']}"
    try:
        _up_and_down(host, branch, tmp_path)
    finally:
        host.project.environment = before


def _up_and_down(host: Host, branch: str, folder: Path) -> None:
    def asked() -> list[str]:
        return list(json.loads((folder / "asked").read_text().splitlines()[-1]))

    def refusal(*arguments: str) -> str:
        refused = host.run(*arguments, check=False)
        assert refused.returncode == 1
        return str(refused.stderr)

    # The project is in no repository.
    assert "[no-base]" in refusal("up", branch)
    assert "[option]" in refusal("up", branch, "--all", "--no-airflow")
    assert "[branch-not-up]" in refusal("down", branch)
    assert "[branch-not-up]" in refusal("extend", branch)
    assert not (folder / "asked").exists(), "nothing is done before it is known that it can be"

    (folder / "fails").touch()
    failed = refusal("up", branch, "--all")
    assert "Need to perform AWS calls, and cannot" in failed and "cdk deploy ended with status 1" in failed
    (folder / "fails").unlink()
    up = host.run("up", branch, "--all")
    assert up.stderr.endswith(f"the environment of {branch} is up in staging, and expires on {in_days(14)}\n")
    owner = asked().pop()
    assert owner.startswith("owner=")
    assert asked()[:-1] == [
        "--yes", CDK, "deploy", "--all", "--concurrency", "8", "--require-approval", "never",
        "-c", f"branch={branch}", "-c",
    ]  # fmt: skip

    assert "staging lets branches stay for 14 days" in refusal("extend", branch, "--days", "90")
    client: Any = boto3.client("cloudformation", region_name=REGION)
    names = {f"dapflow-branch-{branch_slug(branch)}-{part}" for part in ("bundle", "service-housing")}
    assert {tag(client, name, "dapflow:expires") for name in names} == {"2000-01-01T00:00:00+00:00"}
    extended = host.run("extend", branch)
    assert extended.stderr.endswith(f"the environment of {branch} expires on {in_days(14)}\n")
    assert {tag(client, name, "dapflow:expires")[:10] for name in names} == {in_days(14)}
    assert {tag(client, name, "dapflow:branch") for name in names} == {branch}
    assert "dapflow-branch-deploy" in {role for role, _ in sessions()}

    # No CDK has a part in it, so that the working tree may be of any branch.
    before = len((folder / "asked").read_text().splitlines())
    down = host.run("down", branch).stderr
    gone = "".join(f"dapflow-branch-{branch_slug(branch)}-{part} is gone\n" for part in ("bundle", "service-housing"))
    assert down.endswith(f"{gone}nothing is left of the environment of {branch}\n")
    assert len((folder / "asked").read_text().splitlines()) == before
    assert "[branch-not-up]" in refusal("down", branch)


def tag(client: Any, stack: str, key: str) -> str:
    (described,) = client.describe_stacks(StackName=stack)["Stacks"]
    return str(next(tag["Value"] for tag in described["Tags"] if tag["Key"] == key))


@pytest.mark.slow
def test_a_branch_that_airflow_runs_is_left_to_it(host: Host) -> None:
    host.settings(orchestrator="shared")
    refused = host.run("run", BRANCH, "--yes", check=False)
    host.settings(orchestrator="runner")
    assert (refused.returncode, "[branch-refused]" in refused.stderr) == (1, True)
    assert '"runner"' in refused.stderr
