"""Who takes over what branches have computed, and what the roles of services may read for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapflow.branch import BranchNames, branch_slug
from dapflow.errors import DapflowError
from dapflow.platform import describe_branch
from stacks.access import BASE, BRANCHES, service_access
from stacks.described import described
from stacks.policies import analyst, runner
from stacks.settings import DeploymentSettings, read_settings
from tests.stacks.example import four_services, project_with
from tests.stacks.iam.evaluate import Request, evaluate
from tests.stacks.templates import synthesized

ACCOUNT, REGION = "111122223333", "eu-west-2"
HOME = {"account": ACCOUNT, "region": REGION}
SLUG = branch_slug("fix/x")
MANIFEST = four_services()


def settings_of(
    root: Path, data_from: str = "staging", orchestrator: str = "shared", **of_prod: Any
) -> DeploymentSettings:
    """Of prod, and of staging, which hosts branches."""
    staging = {**HOME, "qualifier": "staging", "database_prefix": "staging__"}
    environments = {
        "prod": {**HOME, **of_prod},
        "staging": staging,
        "branch": {"host": "staging", "data_from": data_from, "orchestrator": orchestrator},
    }
    file = root / "cdk.json"
    file.write_text(json.dumps({"context": {"platform": {"name": "dapflow"}, "environments": environments}}))
    return read_settings(file)


def takes_from(settings: DeploymentSettings, environment: str) -> str:
    return described(settings, environment, MANIFEST).environment.takes_from


def test_the_host_of_branches_that_read_its_data_takes_over(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert takes_from(settings, "staging") == f"s3://dapflow-staging-branches-{ACCOUNT}/"
    assert takes_from(settings, "prod") == ""


def test_another_does_where_somebody_has_decided_so(tmp_path: Path) -> None:
    """The example: staging hosts branches, which read what prod has."""
    undecided = settings_of(tmp_path, "prod")
    assert takes_from(undecided, "staging") == takes_from(undecided, "prod") == ""
    decided = settings_of(tmp_path, "prod", take_over=True)
    assert takes_from(decided, "staging") == ""
    assert takes_from(decided, "prod") == f"s3://dapflow-staging-branches-{ACCOUNT}/"


def test_what_somebody_runs_by_hand_is_not_taken_over(tmp_path: Path) -> None:
    """They could write anything into the data of a branch."""
    settings = settings_of(tmp_path, orchestrator="runner")
    host = described(settings, "staging", MANIFEST).environment
    assert host.takes_from == ""
    branch = describe_branch(MANIFEST, BranchNames.of(SLUG), host)
    assert branch.environment.offers == ""
    for service in MANIFEST.services.values():
        assert service_access(MANIFEST, service, branch, secrets="x").offers == ()
    with pytest.raises(DapflowError, match="nothing of it is taken over"):
        settings_of(tmp_path, "prod", "runner", take_over=True)


def test_where_no_branch_reads_the_data_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DapflowError, match=r"prod\.take_over: no branch reads the data of prod"):
        settings_of(tmp_path, take_over=True)


def test_a_branch_on_an_airflow_of_its_own_offers_nothing(tmp_path: Path) -> None:
    host = described(settings_of(tmp_path), "staging", MANIFEST).environment
    names = BranchNames.of(SLUG)
    offers = [describe_branch(MANIFEST, names, host, dedicated=own).environment.offers for own in (False, True)]
    assert offers == [f"s3://dapflow-staging-branches-{ACCOUNT}/{SLUG}/offers/", ""]
    zones = (
        "raw",
        "refined",
        "trusted",
        "athena-results",
        "platform",
        *(f"{BASE}{zone}" for zone in ("refined", "trusted")),
    )
    keys = dict.fromkeys((*zones, f"{BASE}athena-results"), f"arn:aws:kms:{REGION}:{ACCOUNT}:key/x")
    platform = describe_branch(MANIFEST, names, host, dedicated=True)
    policy = runner(service_access(MANIFEST, MANIFEST.services["rail"], platform, secrets="x/"), keys)
    offer = f"arn:aws:s3:::dapflow-staging-branches-{ACCOUNT}/{SLUG}/offers/rail/0123/x.json"
    assert not evaluate(Request("s3:PutObject", (offer,)), [policy]).allowed


def test_a_runner_role_reads_what_branches_made_of_its_own_service(tmp_path: Path) -> None:
    platform = described(settings_of(tmp_path), "staging", MANIFEST)
    zones = ("landing", "raw", "refined", "trusted", "athena-results", "platform")
    keys = {
        **dict.fromkeys(zones, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/own"),
        BRANCHES: f"arn:aws:kms:{REGION}:{ACCOUNT}:key/b",
    }
    bucket = f"arn:aws:s3:::dapflow-staging-branches-{ACCOUNT}"
    for service in MANIFEST.services.values():
        access = service_access(MANIFEST, service, platform, secrets="x/")
        policy, people = runner(access, keys), analyst(access, keys, None)

        def allowed(action: str, key: str, *policies: Any, **context: str) -> bool:
            return evaluate(Request(f"s3:{action}", (f"{bucket}{key}",), context), policies).allowed

        for other in MANIFEST.services:
            mine = other == service.name
            for part in ("refined", "trusted", "offers"):
                key = f"/{SLUG}/{part}/{other}/x"
                assert allowed("GetObject", key, policy) is mine, (service.name, key)
                listed = {"s3:prefix": f"{SLUG}/{part}/{other}/x/"}
                assert allowed("ListBucket", "", policy, **listed) is mine, (service.name, key)
                for action in ("PutObject", "DeleteObject"):
                    assert not allowed(action, key, policy)
                assert not allowed("GetObject", key, people)
            assert not allowed("GetObject", f"/{SLUG}/athena-results/{other}/x", policy)
        top = {"s3:prefix": "", "s3:delimiter": "/"}
        assert allowed("ListBucket", "", policy, **top)
        assert not allowed("ListBucket", "", people, **top)
        assert not allowed("ListBucket", "", policy, **{"s3:prefix": ""}), "all keys of all branches"
        assert not allowed("ListBucket", "", policy)
        of_branches = {
            "kms:ViaService": f"s3.{REGION}.amazonaws.com",
            "kms:EncryptionContext:aws:s3:arn": bucket,
        }
        used = (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/b",)
        assert evaluate(Request("kms:Decrypt", used, of_branches), [policy]).allowed
        assert not evaluate(Request("kms:GenerateDataKey", used, of_branches), [policy]).allowed
        assert not evaluate(Request("kms:Decrypt", used, of_branches), [people]).allowed


@pytest.mark.slow
def test_prod_decrypts_by_the_alias_of_the_hosts_results(tmp_path: Path) -> None:
    root = project_with(tmp_path / "project", "prod", take_over=True)
    made = synthesized(tmp_path / "out", root=root, manifest=MANIFEST, environment="prod")
    role = made.one("AWS::IAM::Role", RoleName="dapflow-prod-rail-runner")
    policies = [policy["PolicyDocument"] for policy in role["Policies"]]
    policies += [
        policy["PolicyDocument"]
        for policy in made.properties("AWS::IAM::ManagedPolicy")
        if policy["ManagedPolicyName"].startswith("dapflow-prod-rail-runner-")
    ]
    context = {
        "kms:ViaService": f"s3.{REGION}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::dapflow-staging-branches-{ACCOUNT}",
    }
    for alias, allowed in (("alias/dapflow-staging-athena-results", True), ("alias/dapflow-staging-refined", False)):
        request = Request(
            "kms:Decrypt", (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1",), {**context, "kms:ResourceAliases": alias}
        )
        assert evaluate(request, policies).allowed is allowed
