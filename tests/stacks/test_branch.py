"""Branch environments: they read production's raw zone, write below their own names, and go."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dapflow.environment import Environment, ServiceEnvironment
from dapflow.platform import branch_slug, describe, describe_branch, limited
from stacks.synthesis import synthesize
from tests.stacks.example import four_services, project_with, service
from tests.stacks.iam.evaluate import Request, evaluate, may_assume
from tests.stacks.templates import ROOT, Templates, synthesized

SLUG = branch_slug("Fix/Delays_#12")
ACCOUNT = "111122223333"
LOCAL = "123456789012"


@given(st.text(min_size=1, max_size=200).filter(str.strip))
def test_any_branch_name_gives_a_safe_one(name: str) -> None:
    slug = branch_slug(name)
    assert re.fullmatch(r"[a-z][a-z0-9-]*-[0-9a-f]{6}", slug)
    assert len(slug) <= 23
    assert "--" not in slug


def test_branches_that_look_alike_are_kept_apart() -> None:
    names = ("fix/x", "Fix/x", "fix-x", "fix_x", "fix//x", "x" * 60, "x" * 61)
    assert len({branch_slug(name) for name in names}) == len(names)


@given(st.text(alphabet="abcdefghij_-", min_size=1, max_size=120), st.integers(20, 64))
def test_names_stay_within_a_limit(name: str, limit: int) -> None:
    assert len(limited(name, limit)) <= limit
    assert limited(name, limit) == name or len(name) > limit


def test_shortened_names_stay_apart() -> None:
    assert limited("x" * 70 + "a", 64) != limited("x" * 70 + "b", 64)


def stacks_of(templates: Templates) -> dict[str, dict[str, Any]]:
    """What the CDK command line is told of each stack: its tags, and after which others it comes."""
    artifacts = json.loads((templates.folder / "manifest.json").read_text())["artifacts"]
    return {name: each for name, each in artifacts.items() if each["type"] == "aws:cloudformation:stack"}


def test_its_bundle_comes_after_its_services_and_goes_before_its_data(branch: Templates) -> None:
    name = f"dapflow-branch-{SLUG}"
    services = {each for each in branch.by_stack if "-service-" in each}
    assert services <= set(stacks_of(branch)[f"{name}-bundle"]["dependencies"])
    [bundle] = branch.resources("Custom::DapflowBundle").values()
    [data] = branch.resources("Custom::DapflowEmptied")
    assert data.removeprefix(f"{name}-bundle.") in bundle["DependsOn"]


def test_stacks_carry_what_the_reaper_asks_for(branch: Templates) -> None:
    stacks = stacks_of(branch)
    assert len(stacks) == 5
    for name, stack in stacks.items():
        tags = stack["properties"]["tags"]
        assert name.startswith(f"dapflow-branch-{SLUG}-")
        assert tags["dapflow:kind"] == "branch"
        assert tags["dapflow:branch"] == "Fix/Delays__12"
        assert tags["dapflow:commit"] == "0123abc"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\+00:00", tags["dapflow:expires"])


def test_owners_whose_names_no_tag_takes(tmp_path: Path) -> None:
    made = synthesized(tmp_path, manifest=service("air"), checks=False, branch="x", owner="dependabot[bot]")
    assert {each["properties"]["tags"]["dapflow:owner"] for each in stacks_of(made).values()} == {"dependabot_bot_"}


@pytest.mark.parametrize("asked", [{"environment": "staging"}, {"branch": "x"}])
def test_a_boundary_is_on_every_role(tmp_path: Path, asked: dict[str, str]) -> None:
    root = project_with(tmp_path / "project", "staging", permissions_boundary="no-prod")
    made = synthesized(tmp_path / "out", root=root, manifest=service("air"), checks=False, **asked)
    bounds = {str(each["PermissionsBoundary"]).rsplit(":", 1)[1] for each in made.properties("AWS::IAM::Role")}
    assert bounds == {"policy/no-prod"}


def test_it_owns_refined_and_trusted_and_no_raw(branch: Templates) -> None:
    names = {each["DatabaseInput"]["Name"] for each in branch.properties("AWS::Glue::Database")}
    stem = SLUG.replace("-", "_")
    assert names == {
        f"{stem}__{service}_{zone}_zone" for service in four_services().services for zone in ("refined", "trusted")
    }
    assert not branch.properties("AWS::S3::Bucket")
    assert not branch.properties("AWS::MWAA::Environment")


def bundled_environment(templates: Templates) -> dict[str, Any]:
    [asset] = templates.folder.glob("asset.*/environment.json")
    loaded: dict[str, Any] = json.loads(asset.read_text())
    return loaded


def test_its_bundle_says_where_everything_is(branch: Templates) -> None:
    environment = bundled_environment(branch)
    read = Environment(
        **{
            **environment,
            "services": {name: ServiceEnvironment(**each) for name, each in environment["services"].items()},
        }
    )
    assert read.branch == SLUG
    assert read.databases["air_raw_zone"] == "air_raw_zone"
    assert read.databases["air_refined_zone"] == f"{SLUG.replace('-', '_')}__air_refined_zone"
    assert read.zones["raw"] == f"s3://dapflow-prod-raw-{ACCOUNT}/"
    assert read.zones["refined"] == f"s3://dapflow-staging-branches-{ACCOUNT}/{SLUG}/refined/"
    properties = branch.one("Custom::DapflowBundle")
    assert properties["Prefix"] == f"dags/branches/{SLUG}/"
    assert properties["Remove"] == "true"
    [entry] = [each.read_text() for each in branch.folder.glob("asset.*/dapflow_services.py")]
    # It runs the code of the branch, not the code at the top of Airflow's path.
    assert entry.index("sys.path.insert(0, str(Path(__file__).parent))") < entry.index("from dapflow")


class TestRights:
    @pytest.fixture
    def runner(self, branch: Templates) -> tuple[dict[str, Any], str]:
        [role] = [each for each in branch.properties("AWS::IAM::Role") if each["RoleName"].endswith("rail-runner")]
        return role, f"arn:aws:iam::{ACCOUNT}:role{role['Path']}{role['RoleName']}"

    @pytest.mark.parametrize(
        ("action", "resource", "allowed"),
        [
            ("s3:GetObject", f"dapflow-prod-raw-{ACCOUNT}/rail/rows/x", True),
            ("s3:PutObject", f"dapflow-prod-raw-{ACCOUNT}/rail/rows/x", False),
            ("s3:DeleteObject", f"dapflow-prod-raw-{ACCOUNT}/rail/rows/x", False),
            ("s3:GetObject", f"dapflow-prod-raw-{ACCOUNT}/weather/rows/x", False),
            ("s3:GetObject", f"dapflow-prod-trusted-{ACCOUNT}/rail/report/x", False),
            ("s3:PutObject", f"dapflow-prod-trusted-{ACCOUNT}/rail/report/x", False),
            ("s3:PutObject", f"dapflow-staging-trusted-{ACCOUNT}/rail/report/x", False),
            ("s3:PutObject", f"dapflow-staging-branches-{ACCOUNT}/{SLUG}/refined/rail/delays/x", True),
            ("s3:PutObject", f"dapflow-staging-branches-{ACCOUNT}/{SLUG}/refined/weather/report/x", False),
            ("s3:PutObject", f"dapflow-staging-branches-{ACCOUNT}/other-123456/refined/rail/delays/x", False),
        ],
    )
    def test_objects(self, runner: tuple[dict[str, Any], str], action: str, resource: str, allowed: bool) -> None:
        policies = [each["PolicyDocument"] for each in runner[0]["Policies"]]
        assert evaluate(Request(action, (f"arn:aws:s3:::{resource}",)), policies).allowed is allowed

    @pytest.mark.parametrize(
        ("action", "database", "allowed"),
        [
            ("GetTable", "rail_raw_zone", True),
            ("GetPartitions", "rail_raw_zone", True),
            ("UpdateTable", "rail_raw_zone", False),
            ("CreateTable", "rail_raw_zone", False),
            ("DeletePartition", "rail_raw_zone", False),
            ("UpdateTable", "rail_refined_zone", False),
            ("UpdateTable", f"{SLUG.replace('-', '_')}__rail_refined_zone", True),
        ],
    )
    def test_tables(self, runner: tuple[dict[str, Any], str], action: str, database: str, allowed: bool) -> None:
        stem = f"arn:aws:glue:eu-west-2:{ACCOUNT}"
        resources = (f"{stem}:catalog", f"{stem}:database/{database}", f"{stem}:table/{database}/delays")
        policies = [each["PolicyDocument"] for each in runner[0]["Policies"]]
        assert evaluate(Request(f"glue:{action}", resources), policies).allowed is allowed

    def test_the_host_runs_it_and_production_cannot(
        self, runner: tuple[dict[str, Any], str], staging: Templates, prod: Templates
    ) -> None:
        role, arn = runner
        for templates, name, allowed in ((staging, "dapflow-staging", True), (prod, "dapflow-prod", False)):
            airflow = templates.one("AWS::IAM::Role", RoleName=f"{name}-airflow")
            identity = [each["PolicyDocument"] for each in airflow["Policies"]]
            request = Request("sts:AssumeRole", (arn,), principal=f"arn:aws:iam::{ACCOUNT}:role/{name}-airflow")
            assert may_assume(request, identity, role["AssumeRolePolicyDocument"]).allowed is allowed
            assert evaluate(request, identity).allowed is allowed


def test_a_branch_and_its_host_share_no_name() -> None:
    manifest = four_services()
    host = describe(manifest, name="staging", account=ACCOUNT, region="eu-west-2")
    raw = describe(manifest, name="prod", account=ACCOUNT, region="eu-west-2")
    made = describe_branch(manifest, branch="x", host=host.environment, raw=raw.environment, bucket="b")
    for kind in ("databases", "workgroups", "roles"):
        assert not {each.name for each in getattr(made, kind)} & {each.name for each in getattr(host, kind)}


def test_on_the_embedded_platform_it_is_the_same_but_for_airflow(branch: Templates, tmp_path: Path) -> None:
    context = {"environment": "local", "branch": "Fix/Delays_#12", "commit": "0123abc"}
    synthesize(ROOT, output=str(tmp_path), context=context, manifest=four_services(), checks=False, embedded_as="local")
    made = [json.loads(file.read_text())["Resources"] for file in tmp_path.glob("*.template.json")]
    types = {each["Type"] for resources in made for each in resources.values()}
    deployed = {each["Type"] for stack in branch.by_stack.values() for each in stack["Resources"].values()}
    assert deployed - types == {"AWS::SecretsManager::Secret", "Custom::DapflowPools"}
    assert types <= deployed
    text = json.dumps(made)
    assert f"dapflow-local-branches-{LOCAL}/{SLUG}/" in text
    assert "dapflow-local-key-raw" in text, "it reads the raw zone of its host"
    assert "dapflow-prod" not in text


@pytest.mark.slow
def test_an_airflow_of_its_own(tmp_path: Path) -> None:
    made = synthesized(tmp_path, manifest=four_services(), branch="big change", mwaa="dedicated")
    slug = branch_slug("big change")
    name = f"dapflow-branch-{slug}"
    airflow = made.one("AWS::MWAA::Environment", Name=name)
    assert airflow["DagS3Path"] == f"airflow/{name}/dags"
    assert airflow["RequirementsS3Path"].startswith(f"airflow/{name}/")
    assert made.one("Custom::DapflowBundle", Prefix=f"airflow/{name}/dags/")["Remove"] == "true"
    # Everything that it put into the host's bucket goes with it.
    assert {each["Remove"] for each in made.properties("Custom::DapflowBundle")} == {"true"}
    role = made.one("AWS::IAM::Role", RoleName=f"{name}-airflow")
    statements = {each["Sid"]: each for each in role["Policies"][0]["PolicyDocument"]["Statement"]}
    assert statements["RunServices"]["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/dapflow/staging/branch/{slug}/*"]
    bucket = f"arn:aws:s3:::dapflow-staging-airflow-{ACCOUNT}"
    assert all(each.startswith(f"{bucket}/airflow/{name}/") for each in statements["OwnFiles"]["Resource"])
    stacks = stacks_of(made)
    for each in ("air", "rail"):
        # IAM refuses a trust in a role that is not there yet.
        assert f"{name}-airflow" in stacks[f"{name}-service-{each}"]["dependencies"]
    steps = {
        each.removeprefix(f"{name}-"): stack["properties"]["tags"]["dapflow:teardown"] for each, stack in stacks.items()
    }
    assert [steps[each] for each in ("bundle", "service-rail", "airflow", "network")] == ["1", "2", "3", "4"]
