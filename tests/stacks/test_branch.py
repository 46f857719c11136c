"""Branch environments: they read production's raw zone, write below their own names, and go."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dapflow.branch import BranchNames, branch_slug, limited
from dapflow.environment import Environment, ServiceEnvironment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.platform import describe, describe_branch, hosting
from stacks.names import check_names
from tests.stacks.example import four_services, project_with, service
from tests.stacks.prices import Price, priced
from tests.stacks.templates import Templates, synthesized

SLUG = branch_slug("Fix/Delays_#12")
ACCOUNT = "111122223333"
LOCAL = "123456789012"


@given(st.text(min_size=1, max_size=200).filter(str.strip))
@example(name="00000000000000:0")
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
    return {name: artifact for name, artifact in artifacts.items() if artifact["type"] == "aws:cloudformation:stack"}


def test_its_bundle_comes_after_its_services(branch: Templates) -> None:
    services = {stack for stack in branch.by_stack if "-service-" in stack}
    assert services <= set(stacks_of(branch)[f"dapflow-branch-{SLUG}-bundle"]["dependencies"])


def test_it_makes_databases_workgroups_and_nothing_else(branch: Templates) -> None:
    """No role, no policy, no secret and no function: whoever pushed the branch wrote these templates."""
    made = {resource["Type"] for template in branch.by_stack.values() for resource in template["Resources"].values()}
    assert made == {"AWS::Athena::WorkGroup", "AWS::Glue::Database", "Custom::DapflowBranch"}
    assert all(
        workgroup["Name"].startswith("dapflow-branch-") for workgroup in branch.properties("AWS::Athena::WorkGroup")
    )
    imported = set(re.findall(r'"Fn::ImportValue": "([^"]+)"', json.dumps(branch.by_stack)))
    # An export that is imported can neither change nor go: a branch holds on to nothing of prod.
    assert imported == {"dapflow-staging-key-athena-results"}


def test_it_is_deployed_with_roles_of_its_own(branch: Templates) -> None:
    for name, stack in stacks_of(branch).items():
        said = stack["properties"]
        assert said["assumeRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/dapflow-branch-deploy", name
        assert said["cloudFormationExecutionRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/dapflow-branch-cloudformation"
        assert said["lookupRole"]["arn"] == said["assumeRoleArn"]
        assert said["stackTemplateAssetObjectUrl"].startswith(f"s3://dapflow-staging-branches-{ACCOUNT}/assets/")
        assert "Rules" not in branch.by_stack[name]
    for file in branch.folder.glob("*.assets.json"):
        for asset in json.loads(file.read_text())["files"].values():
            for target in asset["destinations"].values():
                assert target["bucketName"] == f"dapflow-staging-branches-{ACCOUNT}"
                assert target["objectKey"].startswith("assets/")
                assert target["assumeRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/dapflow-branch-deploy"


def test_stacks_say_whose_they_are(branch: Templates) -> None:
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
    assert {stack["properties"]["tags"]["dapflow:owner"] for stack in stacks_of(made).values()} == {"dependabot_bot_"}


def test_a_boundary_is_on_every_role(tmp_path: Path) -> None:
    root = project_with(tmp_path / "project", "staging", permissions_boundary="no-prod")
    made = synthesized(tmp_path / "out", root=root, manifest=service("air"), checks=False, environment="staging")
    bounds = {str(role["PermissionsBoundary"]).rsplit(":", 1)[1] for role in made.properties("AWS::IAM::Role")}
    assert bounds == {"policy/no-prod"}


def test_it_owns_refined_and_trusted_and_no_raw(branch: Templates) -> None:
    names = {database["DatabaseInput"]["Name"] for database in branch.properties("AWS::Glue::Database")}
    stem = SLUG.replace("-", "_")
    assert names == {
        f"dapflow_branch_{stem}__{service}_{zone}_zone"
        for service in four_services().services
        for zone in ("refined", "trusted")
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
            "services": {name: ServiceEnvironment(**service) for name, service in environment["services"].items()},
        }
    )
    assert read.branch == SLUG
    assert read.databases["air_raw_zone"] == "air_raw_zone"
    assert read.databases["air_refined_zone"] == f"dapflow_branch_{SLUG.replace('-', '_')}__air_refined_zone"
    assert read.zones["raw"] == f"s3://dapflow-prod-raw-{ACCOUNT}/"
    assert read.zones["refined"] == f"s3://dapflow-staging-branches-{ACCOUNT}/{SLUG}/refined/"
    properties = branch.one("Custom::DapflowBranch")
    assert properties["ServiceToken"].endswith(":function:dapflow-staging-branch")
    # The run time is the host's: a branch brings data.
    [folder] = [file.parent for file in branch.folder.glob("asset.*/environment.json")]
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    [compiled] = folder.glob("manifests/*.json")
    assert files == {"manifest.json", "environment.json", f"manifests/{compiled.name}"}


def test_it_leaves_to_its_base_what_it_does_not_change(tmp_path: Path) -> None:
    root = project_with(tmp_path / "project", "staging")
    products = {
        "first": "SELECT 1 AS one",
        "second": "SELECT one FROM rail_refined_zone.first",
        "third": "SELECT 3 AS n",
    }
    for name, text in {"service.yml": "title: Rail\n", **{f"refined/{n}.sql": t for n, t in products.items()}}.items():
        file = root / "transforms" / "rail" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(root)]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Rail"]):
        subprocess.run([*git, *command], check=True)
    (root / "transforms/rail/refined/third.sql").write_text("-- The same.\nselect (3) n")
    (root / "transforms/rail/refined/second.sql").write_text("SELECT one + 1 AS one FROM rail_refined_zone.first")

    def deferred(**more: str) -> list[str]:
        made = synthesized(tmp_path / f"out{len(more)}", root=root, checks=False, branch="Fix", **more)
        listed: list[str] = bundled_environment(made)["deferred"]
        return listed

    assert deferred(base="main") == ["rail.refined.first", "rail.refined.third"]
    # Without a base to compare with, a branch builds everything.
    assert deferred() == []
    with pytest.raises(DapflowError) as caught:
        synthesized(tmp_path / "none", root=root, checks=False, branch="Fix", base="nowhere")
    assert caught.value.code == "no-base"


def test_a_branch_and_its_host_share_no_name() -> None:
    manifest = four_services()
    host = describe(manifest, name="staging", account=ACCOUNT, region="eu-west-2")
    raw = describe(manifest, name="prod", account=ACCOUNT, region="eu-west-2").environment
    for dedicated in (False, True):
        names = BranchNames.of(SLUG)
        made = describe_branch(manifest, names, hosting(host, raw).environment, dedicated=dedicated)
        for kind in ("databases", "workgroups", "roles"):
            assert not {part.name for part in getattr(made, kind)} & {part.name for part in getattr(host, kind)}


def test_no_environment_that_lasts_has_a_database_that_would_be_a_branchs() -> None:
    manifest = service("air")
    air = dataclasses.replace(manifest.services["air"], databases={"raw": "dapflow_branch_x__air"})
    platform = describe(Manifest({"air": air}, {}), name="prod", account=ACCOUNT, region="eu-west-2")
    with pytest.raises(DapflowError, match="would belong to branches") as caught:
        check_names(platform)
    assert caught.value.code == "name-clash"


def test_on_the_embedded_platform_it_is_the_same(branch: Templates, local_branch: Templates) -> None:
    types, local = (
        {resource["Type"] for template in made.by_stack.values() for resource in template["Resources"].values()}
        for made in (branch, local_branch)
    )
    assert types == local
    text = json.dumps(local_branch.by_stack)
    assert f"dapflow-local-branches-{LOCAL}/{SLUG}/" in text
    assert "dapflow-prod" not in text


def test_code_that_nobody_reviewed_runs_in_no_account_with_live_data(tmp_path: Path) -> None:
    with pytest.raises(DapflowError) as caught:
        synthesized(tmp_path, manifest=service("air"), checks=False, branch="x", mwaa="dedicated")
    assert "staging.account: is that of prod, which is live" in caught.value.message
    assert caught.value.source is not None and "111122223333" in caught.value.source


@pytest.mark.slow
def test_an_airflow_of_its_own(tmp_path: Path) -> None:
    root = project_with(tmp_path / "project", "prod", account="444455556666")
    settings = json.loads((root / "cdk.json").read_text())
    settings["context"]["environments"]["branch"]["data_from"] = "staging"
    (root / "cdk.json").write_text(json.dumps(settings))
    made = synthesized(tmp_path / "out", root=root, manifest=four_services(), branch="big change", mwaa="dedicated")
    slug = branch_slug("big change")
    name = f"dapflow-branch-{slug}"
    airflow = made.one("AWS::MWAA::Environment", Name=name)
    assert airflow["DagS3Path"] == f"airflow/{name}/dags"
    assert airflow["RequirementsS3Path"].startswith(f"airflow/{name}/")
    assert made.one("Custom::DapflowBundle", Prefix=f"airflow/{name}/dags/")["Remove"] == "true"
    # Everything that it put into the host's bucket goes with it.
    assert {bundle["Remove"] for bundle in made.properties("Custom::DapflowBundle")} == {"true"}
    role = made.one("AWS::IAM::Role", RoleName=f"{name}-airflow")
    statements = {statement["Sid"]: statement for statement in role["Policies"][0]["PolicyDocument"]["Statement"]}
    assert statements["RunServices"]["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/dapflow/staging/branch/{slug}/*"]
    bucket = f"arn:aws:s3:::dapflow-staging-airflow-{ACCOUNT}"
    # MWAA wants the whole of the bucket that it loads its files from, as AWS documents, and no other one.
    assert statements["OwnFiles"]["Resource"] == [bucket, f"{bucket}/*"]
    stacks = stacks_of(made)
    for service_name in ("air", "rail"):
        # IAM refuses a trust in a role that is not there yet.
        assert f"{name}-airflow" in stacks[f"{name}-service-{service_name}"]["dependencies"]
    assert priced(made)[Price.HOUR] == {"AWS::MWAA::Environment", "AWS::EC2::NatGateway", "AWS::EC2::EIP"}
    # The names by which the reaper takes them one after the other.
    assert {stack.removeprefix(f"{name}-") for stack in stacks} >= {"bundle", "service-rail", "airflow", "network"}
