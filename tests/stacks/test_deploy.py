"""A whole environment deployed by the real CDK command line, read back, changed and destroyed again.

The emulator cannot show MWAA, OIDC, budgets, flow logs, nor a bucket's default key and lifecycle rules, which its
CloudFormation drops; those are tested on the templates.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dapflow.branch import branch_slug
from dapflow.deployed.cdk import CDK
from stacks import NODE
from tests.stacks.cloud import ACCOUNT, REGION, Cloud, cloud, deployable
from tests.stacks.node import installed
from tests.stacks.read_back import compare
from tests.stacks.templates import read

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deploy")]

STAGING = ("-c", "environment=staging")
TOOLKIT = "CDKToolkit-staging"


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Cloud]:
    with cloud(deployable(tmp_path / "project", data_from="staging"), tmp_path / "ministack.log") as running:
        yield running


def test_the_life_of_an_environment(aws: Cloud) -> None:
    own = ("--qualifier", "staging", "--toolkit-stack-name", TOOLKIT)
    aws.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}", *STAGING, *own)
    before = roles(aws)
    aws.cdk("deploy", "--all", "--require-approval", "never", "--concurrency", "4", *STAGING)
    compare(aws, read(aws.project / "cdk.out"))
    assert differences(aws) == []

    pointer = bundle_pointer(aws)
    change_a_transform(aws.project)
    assert [line.split()[1] for line in differences(aws)] == ["Custom::DapflowBundle"]
    aws.cdk("deploy", "dapflow-staging-bundle", "--exclusively", "--require-approval", "never", *STAGING)
    assert bundle_pointer(aws) != pointer
    assert differences(aws) == []

    a_branch_comes_and_goes(aws)
    a_branch_is_run_without_airflow(aws)

    put_data(aws)
    aws.cdk("destroy", "--all", "--force", *STAGING)
    nothing_is_left(aws, before)


def differences(aws: Cloud) -> list[str]:
    """The resources that `cdk diff` of all stacks names."""
    printed = aws.cdk("diff", *STAGING)
    changed = [line for line in printed.splitlines() if line.startswith(("[~]", "[+]", "[-]"))]
    assert ("Number of stacks with differences: 0" in printed) is (not changed), printed[-4000:]
    return changed


def a_branch_comes_and_goes(aws: Cloud) -> None:
    """Its databases, workgroups and roles are there, and then nothing of it."""
    before = (databases(aws), workgroups(aws), roles(aws))
    branch = ("-c", "branch=Fix/Delays", "-c", "commit=0123abc")
    aws.cdk("deploy", "--all", "--require-approval", "never", "--concurrency", "4", *branch)
    slug = branch_slug("Fix/Delays")
    made = databases(aws) - before[0]
    assert {name.split("__")[0] for name in made} == {f"dapflow_branch_{slug.replace('-', '_')}"}
    assert {name.rsplit("-", 1)[-1] for name in workgroups(aws) - before[1]} == {"air_traffic", "weather"}
    s3 = aws.client("s3")
    prefix = f"dags/branches/{slug}/"
    airflow, branches = (f"dapflow-staging-{name}-{ACCOUNT}" for name in ("airflow", "branches"))
    assert s3.get_object(Bucket=airflow, Key=f"{prefix}manifest.json")
    s3.put_object(Bucket=branches, Key=f"{slug}/refined/weather/x/part-0.parquet", Body=b"1")
    aws.cdk("destroy", "--all", "--force", *branch)
    assert (databases(aws), workgroups(aws), roles(aws)) == before
    assert not s3.list_objects_v2(Bucket=airflow, Prefix=prefix).get("Contents")
    assert not s3.list_object_versions(Bucket=branches, Prefix=f"{slug}/").get("Versions")


def a_branch_is_run_without_airflow(aws: Cloud) -> None:
    """The host changes its mind; what is deployed of a branch is then read, planned and listed by the roles for it."""
    settings = json.loads((aws.project / "cdk.json").read_text())
    settings["context"]["environments"]["branch"]["orchestrator"] = "runner"
    (aws.project / "cdk.json").write_text(json.dumps(settings))
    aws.cdk("deploy", "--all", "--require-approval", "never", "--concurrency", "4", *STAGING)
    assert "dapflow-branch-run" in roles(aws)
    missing = dapflow(aws, "run", "Fix/Delays", "--yes")
    assert (missing.returncode, "[branch-not-up]" in missing.stderr) == (1, True), missing.stderr
    branch = ("-c", "branch=Fix/Delays", "-c", "commit=0123abc", "-c", "owner=someone")
    aws.cdk("deploy", "--all", "--require-approval", "never", "--concurrency", "4", *branch)
    slug = branch_slug("Fix/Delays")
    listed = aws.client("s3").list_objects_v2(Bucket=f"dapflow-staging-airflow-{ACCOUNT}", Prefix="dags/branches/")
    assert {item["Key"].rpartition(".")[2] for item in listed["Contents"]} == {"json"}
    assert dapflow(aws, "plan").stdout.startswith("Compared with what runs in staging")
    up = dapflow(aws, "list").stdout.strip().split("\t")
    assert (up[:2], up[3:]) == (["Fix/Delays", slug], ["of someone", "commit 0123abc"])
    # Nothing is loaded here, so that nothing can be built.
    run = dapflow(aws, "run", "Fix/Delays", "--from", "2024-06-05", "--on-missing", "skip", "--dry-run")
    assert (run.returncode, "for want of inputs" in run.stderr) == (0, True), run.stderr
    # Its days are counted anew, with the role that deploys it; then dapflow has the CDK do the rest.
    extended = dapflow(aws, "extend", "Fix/Delays")
    assert (extended.returncode, f"-{slug}-bundle\n" in extended.stderr) == (0, True), extended.stderr
    gone = dapflow(aws, "down", "Fix/Delays")
    assert gone.stderr.endswith("nothing is left of the environment of Fix/Delays\n"), gone.stderr[-4000:]
    assert dapflow(aws, "list").stdout == ""
    made = dapflow(aws, "up", "Fix/Delays", "--all")
    assert "the environment of Fix/Delays is up in staging" in made.stderr, made.stderr[-4000:]
    assert dapflow(aws, "list").stdout.startswith(f"Fix/Delays\t{slug}\t")
    assert dapflow(aws, "down", "Fix/Delays").returncode == 0
    assert dapflow(aws, "list").stdout == ""


def dapflow(aws: Cloud, *words: str) -> subprocess.CompletedProcess[str]:
    """A command on branches of staging. Its npx is the CDK's command line that is installed for tests."""
    folder = aws.project.with_name("npx")
    folder.mkdir(exist_ok=True)
    npx = folder / "npx"
    run = f'exec "{NODE}" "{installed(CDK)}/bin/cdk" "$@" --no-notices'
    npx.write_text(f"#!/bin/sh\nshift 2\n{run}\n", encoding="utf-8")
    npx.chmod(0o755)
    command = [sys.executable, "-m", "dapflow", "branch", *words, "--environment", "staging"]
    environment = {**aws.environment, "PATH": f"{folder}:{os.environ['PATH']}", "CI": "true"}
    return subprocess.run(
        command, cwd=aws.project, env=environment, capture_output=True, text=True, timeout=900, check=False
    )


def put_data(aws: Cloud) -> None:
    """A lake that is in use: objects with old versions and deleted ones."""
    s3 = aws.client("s3")
    bucket = f"dapflow-staging-raw-{ACCOUNT}"
    for key in ("weather/observations/a", "weather/observations/a", "weather/observations/b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    s3.delete_object(Bucket=bucket, Key="weather/observations/b")


def nothing_is_left(aws: Cloud, roles_before: set[str]) -> None:
    """No bucket, database, workgroup, role, function or live key of the environment."""
    names = {bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]}
    assert not {name for name in names if name.startswith("dapflow-")}
    assert not {name for name in databases(aws) if name.endswith("_zone")}
    assert not {name for name in workgroups(aws) if name.startswith("dapflow-")}
    assert roles(aws) == roles_before
    assert not aws.client("lambda").list_functions()["Functions"]
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert {stack["StackName"] for stack in stacks} == {TOOLKIT}


def change_a_transform(project: Path) -> None:
    file = next(iter(sorted((project / "transforms").glob("*/refined/*.sql"))))
    file.write_text("-- looked at again\n" + file.read_text())


def bundle_pointer(aws: Cloud) -> str:
    s3, bucket = aws.client("s3"), f"dapflow-staging-airflow-{ACCOUNT}"
    pointer = json.load(s3.get_object(Bucket=bucket, Key="dags/manifest.json")["Body"])
    # What the pointer names is there.
    s3.head_object(Bucket=bucket, Key=f"dags/{pointer['manifest']}")
    return str(pointer["manifest"])


def databases(aws: Cloud) -> set[str]:
    return {database["Name"] for database in aws.client("glue").get_databases()["DatabaseList"]}


def workgroups(aws: Cloud) -> set[str]:
    return {workgroup["Name"] for workgroup in aws.client("athena").list_work_groups()["WorkGroups"]}


def roles(aws: Cloud) -> set[str]:
    pages = aws.client("iam").get_paginator("list_roles").paginate()
    return {role["RoleName"] for page in pages for role in page["Roles"]}
