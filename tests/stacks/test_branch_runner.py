"""Branches that `dapflow branch run` builds: a role for it in the place of Airflow's, and nothing for Airflow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from tests.stacks import test_pull_request as pull_request
from tests.stacks.example import project_with, service
from tests.stacks.iam.evaluate import Request, evaluate, may_assume
from tests.stacks.templates import Templates, synthesized
from tests.stacks.test_pull_request import (
    ACCOUNT,
    DEPLOY,
    NAMES,
    OTHER,
    SERVICES,
    World,
    data_tries,
    platform_tries,
    role_tries,
    stack_tries,
)

RUN = "dapflow-branch-run"
RUNNERS = {f"dapflow-branch-{name}-runner" for name in SERVICES}
TAGS = {"aws:RequestTag/branch": NAMES.slug, "aws:RequestTag/databases": NAMES.databases}


@pytest.fixture(scope="session")
def world(prod: Templates, runner_host: Templates) -> World:
    return World(prod, runner_host)


def assumed_by(world: World, principal: str, tags: dict[str, str]) -> set[str]:
    """The roles that a principal gets, where it brings these tags."""
    identity, own = world.identity(principal), world.arn(principal)
    got = set()
    for name, role in world.roles.items():
        trust = role["AssumeRolePolicyDocument"]
        # A tagged session takes both actions.
        actions = ("sts:AssumeRole", "sts:TagSession") if tags else ("sts:AssumeRole",)
        requests = [Request(action, (world.arn(name),), tags, own) for action in actions]
        if all(may_assume(request, identity, trust).allowed for request in requests):
            got.add(name)
    return got


def test_who_runs_branches_gets_their_roles_and_no_others(world: World) -> None:
    assert assumed_by(world, RUN, TAGS) == RUNNERS
    assert assumed_by(world, RUN, {}) == set()
    assert assumed_by(world, "dapflow-staging-branch", {}) == {DEPLOY, RUN}
    assert assumed_by(world, DEPLOY, {}) == set()
    # Its own policy allows it as well, which IAM asks for where a role is trusted by the account alone.
    for name in RUNNERS:
        assert evaluate(Request("sts:TagSession", (world.arn(name),), TAGS), world.identity(RUN)).allowed


def test_the_airflow_of_the_host_gets_none_of_them(world: World) -> None:
    for airflow in ("dapflow-staging-airflow", "dapflow-prod-airflow"):
        assert not assumed_by(world, airflow, TAGS) & RUNNERS
        for name in RUNNERS:
            assert not evaluate(Request("sts:AssumeRole", (world.arn(name),), TAGS), world.identity(airflow)).allowed


def test_it_reads_bundles_of_branches_and_touches_nothing_else(world: World) -> None:
    tries = [*stack_tries(world), *role_tries(world), *data_tries(world), *platform_tries(world)]
    identity = world.identity(RUN)
    allowed = {(request.action, request.resources[-1]) for _, request in tries if evaluate(request, identity).allowed}
    bucket = f"arn:aws:s3:::dapflow-staging-airflow-{ACCOUNT}"
    assert allowed == {("s3:GetObject", f"{bucket}/dags/branches/{NAMES.slug}/evil.py")}
    names = Request("s3:GetObject", (f"{bucket}/dags/environment.json",))
    assert evaluate(names, identity).allowed


def test_the_roles_reach_what_they_reach_under_airflow(world: World) -> None:
    """On its own branch alone; of another one nothing, whose tags the session does not bring."""
    rows = list(pull_request.TestSqlOfABranch.rows(world))
    assert len(rows) > 500
    assert not [row for row in rows if row[3] is not row[4] and row[2] != "offer in its branch"]
    # Whoever runs a branch writes its data, so that its word is not taken for what main would compute.
    assert not [row for row in rows if row[3] and row[2].startswith("offer")]
    key = f"arn:aws:s3:::dapflow-staging-branches-{ACCOUNT}/{OTHER.slug}/refined/air/report/x"
    assert not evaluate(Request("s3:PutObject", (key,)), world.identity("dapflow-branch-air-runner")).allowed


def test_airflow_finds_nothing_of_a_branch(runner_host: Templates) -> None:
    function = runner_host.one("AWS::Lambda::Function", FunctionName="dapflow-staging-branch")
    assert function["Environment"]["Variables"]["ENTRY"] == ""


def test_where_airflow_runs_branches_there_is_no_such_role(staging: Templates) -> None:
    assert RUN not in {role.get("RoleName") for role in staging.properties("AWS::IAM::Role")}


def test_a_host_needs_no_airflow(tmp_path: Path) -> None:
    """Neither the host nor the branch on it."""
    root = project_with(tmp_path / "project", "branch", orchestrator="runner")
    settings = json.loads((root / "cdk.json").read_text())
    del settings["context"]["environments"]["staging"]["airflow"]
    (root / "cdk.json").write_text(json.dumps(settings))
    made = synthesized(tmp_path / "host", root=root, manifest=service("air"), checks=False, environment="staging")
    assert not made.properties("AWS::MWAA::Environment")
    trust = made.one("AWS::IAM::Role", RoleName="dapflow-branch-air-runner")["AssumeRolePolicyDocument"]
    assert [statement["Principal"]["AWS"] for statement in trust["Statement"]] == [f"arn:aws:iam::{ACCOUNT}:role/{RUN}"]
    stacks = json.loads((made.folder / "manifest.json").read_text())["artifacts"]
    # A role is made after those that it trusts.
    assert "dapflow-staging-branches" in stacks["dapflow-staging-service-air"]["dependencies"]
    branch = synthesized(tmp_path / "branch", root=root, manifest=service("air"), checks=False, branch="x")
    assert branch.one("Custom::DapflowBranch")
    settings["context"]["environments"]["branch"]["orchestrator"] = "shared"
    (root / "cdk.json").write_text(json.dumps(settings))
    with pytest.raises(DapflowError, match="the host of branches runs them"):
        synthesized(tmp_path / "none", root=root, manifest=service("air"), checks=False, branch="x")
