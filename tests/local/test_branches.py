"""Branch environments over moto and the embedded Athena, with an Airflow that answers from memory."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dapflow.branch import branch_slug
from dapflow.bundle import build_bundle
from dapflow.errors import DapflowError
from dapflow.local import branches
from dapflow.local.airflow import branch_dags
from dapflow.local.branches import bring_up, extend, take_down, take_down_expired
from dapflow.local.cloudformation.provision import describe_local, describe_local_branch
from dapflow.local.cloudformation.template_synthesis import GitBranch
from dapflow.local.git_branch import git_branch
from dapflow.local.processes import running
from dapflow.local.processes.ports import Ports
from dapflow.local.processes.running import require_running
from dapflow.manifest import Manifest
from dapflow.project import compile_project
from dapflow.servers.state import State, read_json
from tests.aws_servers import REGION, LocalAws
from tests.local.projects import LocalProject, make_project

NAME = "Fix/Repairs #1"
SLUG = branch_slug(NAME)
BUCKET = "dapflow-local-branches-123456789012"


class Airflow:
    """Keeps pools, connections and DAGs, and finds out by itself that DAG files are gone."""

    def __init__(self) -> None:
        self.pools = {"default_pool", "dapflow_housing"}
        self.connections = {"dapflow_housing"}
        self.dags = {"housing"}
        self.bundle = Path()
        self.failed: list[str] = []

    def put_pool(self, name: str, *_: Any) -> None:
        self.pools.add(name)

    def put_connection(self, name: str, *_: Any) -> None:
        self.connections.add(name)

    def get_all(self, path: str, key: str, **_: Any) -> Iterator[dict[str, Any]]:
        assert (path, key) == ("/dags", "dags")
        for name in self.dags:
            slug = name.partition("__")[0]
            yield {"dag_id": name, "is_stale": not (self.bundle / "branches" / slug).exists()}

    def fail_runs(self, dag_id: str) -> int:
        self.failed.append(dag_id)
        return 0

    def delete_dag(self, dag_id: str) -> None:
        self.dags.remove(dag_id)

    def delete_pool(self, name: str) -> None:
        self.pools.discard(name)

    def delete_connection(self, name: str) -> None:
        self.connections.discard(name)


def templates(project: LocalProject, manifest: Manifest, git: GitBranch) -> Mapping[str, Any]:
    """What the stacks say of a branch, as far as it matters here."""
    platform = describe_local_branch(project.root, manifest, git.branch)
    expires = (datetime.now(UTC) + timedelta(days=14)).isoformat(timespec="seconds")
    declared: dict[str, Any] = {}
    for database in platform.databases:
        declared[f"{database.service} {database.zone}"] = (
            "AWS::Glue::Database",
            {"CatalogId": "1", "DatabaseInput": {"Name": database.name}},
        )
    for group in platform.workgroups:
        declared[f"group {group.service}"] = (
            "AWS::Athena::WorkGroup",
            {
                "Name": group.name,
                "RecursiveDeleteOption": True,
                "Tags": [{"Key": "dapflow:expires", "Value": expires}],
                "WorkGroupConfiguration": {"ResultConfiguration": {"OutputLocation": group.output_location}},
            },
        )
    own = {"ServiceToken": "arn", "AssetKey": "x", "Bucket": BUCKET, "Prefix": f"{platform.environment.branch}/"}
    declared["bundle"] = ("Custom::DapflowBranch", own)
    resources = {key: {"Type": kind, "Properties": properties} for key, (kind, properties) in declared.items()}
    return {f"dapflow-branch-{platform.environment.branch}": {"Resources": resources}}


@pytest.fixture
def airflow() -> Airflow:
    return Airflow()


@pytest.fixture
def project(tmp_path: Path, aws: LocalAws, airflow: Airflow, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalProject]:
    """A project whose platform consists of the test's servers; its main environment is there."""
    project = make_project(tmp_path / "project")
    aws.become_the_default(monkeypatch)
    monkeypatch.setattr(branches, "require_running", lambda *_: Ports())
    # Nor are they asked whether they live where a call was refused.
    monkeypatch.setattr(running, "require_alive", lambda *_: None)
    monkeypatch.setattr(branches, "connect_to_platform", lambda *_: None)
    monkeypatch.setattr(branches, "airflow_api", lambda *_: airflow)
    monkeypatch.setattr(branch_dags, "wait_until", lambda _state, _name, ready: ready() or pytest.fail("not ready"))

    class Synthesis:
        def __init__(self, _root: Path, manifest: Manifest, git: GitBranch) -> None:
            self.templates = lambda: templates(project, manifest, git)

        def cancel(self) -> None:
            """Nothing runs."""

    def read(files: Any, _airflow: Any, _tell: Any) -> None:
        airflow.dags.update(files.dags)

    monkeypatch.setattr(branches, "Synthesis", Synthesis)
    monkeypatch.setattr("dapflow.local.airflow.dag_files.DagFiles.wait", read)
    manifest = compile_project(project.root)
    main = describe_local(project.state.root, manifest).environment
    airflow.bundle = build_bundle(project.root, manifest, main, project.state.bundle)
    aws.glue.create_database(DatabaseInput={"Name": "housing_refined_zone"})
    aws.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield project
    for item in aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        aws.s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    aws.s3.delete_bucket(Bucket=BUCKET)
    aws.glue.delete_database(Name="housing_refined_zone")


def up(project: LocalProject, name: str = NAME) -> Any:
    return bring_up(project.state, compile_project(project.root), GitBranch(name), lambda _: None)


def everything(aws: LocalAws, airflow: Airflow, state: State) -> dict[str, Any]:
    """All that could be left of a branch."""
    iam = aws.session.client("iam", endpoint_url=aws.aws_url)
    return {
        "databases": {database["Name"] for database in aws.glue.get_databases()["DatabaseList"]},
        "workgroups": {workgroup["Name"] for workgroup in aws.athena.list_work_groups()["WorkGroups"]},
        "roles": {role["RoleName"] for role in iam.list_roles()["Roles"]},
        "objects": [item["Key"] for item in aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())],
        "pools": set(airflow.pools),
        "connections": set(airflow.connections),
        "dags": set(airflow.dags),
        "files": {
            file.relative_to(state.directory).as_posix() for file in state.directory.rglob("*") if file.is_file()
        },
    }


def test_a_branch_comes_and_goes_and_leaves_nothing(aws: LocalAws, airflow: Airflow, project: LocalProject) -> None:
    before = everything(aws, airflow, project.state)
    made, platform, _ = up(project)
    assert list(branches.branches(project.state)) == [made]
    assert made.branch == NAME
    there = everything(aws, airflow, project.state)
    stem = SLUG.replace("-", "_")
    assert there["databases"] - before["databases"] == {
        f"dapflow_branch_{stem}__housing_{zone}_zone" for zone in ("refined", "trusted")
    }
    assert there["dags"] - before["dags"] == {f"{SLUG}__housing"}
    assert there["connections"] - before["connections"] == {f"branch_{stem}_housing"}
    assert there["pools"] == before["pools"], "the service's pool bounds what runs for it, wherever it runs"
    assert there["workgroups"] - before["workgroups"] == {f"dapflow-branch-{SLUG}-housing"}
    assert there["roles"] == before["roles"], "its queries run with the main environment's role for branches"
    assert platform.environment.databases["housing_raw_zone"] == "housing_raw_zone"
    assert not platform.environment.scheduled
    aws.s3.put_object(Bucket=BUCKET, Key=f"{SLUG}/refined/housing/x", Body=b"1")
    aws.s3.put_object(Bucket=BUCKET, Key=f"{SLUG}-other/refined/housing/x", Body=b"1")

    take_down(project.state, NAME, lambda _: None)
    assert set(airflow.failed) == {f"{SLUG}__housing"}, "the main environment's runs go on"
    after = everything(aws, airflow, project.state)
    assert after.pop("objects") == [f"{SLUG}-other/refined/housing/x"]
    assert after == {key: value for key, value in before.items() if key != "objects"}
    assert not (project.state.branches / SLUG).exists()


def test_what_left_the_project_meanwhile_goes_too(aws: LocalAws, airflow: Airflow, project: LocalProject) -> None:
    before = everything(aws, airflow, project.state)
    project.write("transforms/parking/service.yml", "sources: {permits: {columns: {id: integer}}}\n")
    project.write("transforms/parking/refined/few.sql", "SELECT id FROM permits\n")
    up(project)
    assert "dapflow_parking" in airflow.pools
    for name in ("service.yml", "refined/few.sql"):
        (project.root / "transforms" / "parking" / name).unlink()
    (project.root / "transforms" / "parking" / "refined").rmdir()
    (project.root / "transforms" / "parking").rmdir()
    up(project)
    take_down(project.state, NAME, lambda _: None)
    assert everything(aws, airflow, project.state) == before


def test_a_pool_stays_while_another_branch_has_it(aws: LocalAws, airflow: Airflow, project: LocalProject) -> None:
    project.write("transforms/parking/service.yml", "sources: {permits: {columns: {id: integer}}}\n")
    project.write("transforms/parking/refined/few.sql", "SELECT id FROM permits\n")
    for name in ("one", "two"):
        up(project, name)
    take_down(project.state, "one", lambda _: None)
    assert "dapflow_parking" in airflow.pools
    assert f"{branch_slug('two')}__parking" in airflow.dags
    take_down(project.state, "two", lambda _: None)
    assert "dapflow_parking" not in airflow.pools


def test_down_can_be_repeated_after_a_failure(
    aws: LocalAws, airflow: Airflow, project: LocalProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(aws, airflow, project.state)
    up(project)

    def refuse(*_: Any) -> None:
        raise DapflowError("aws", "not now")

    with monkeypatch.context() as patch:
        patch.setattr("dapflow.local.cloudformation.query_resources.Databases.delete", refuse)
        with pytest.raises(DapflowError, match="not now"):
            take_down(project.state, NAME, lambda _: None)
    take_down(project.state, NAME, lambda _: None)
    assert everything(aws, airflow, project.state) == before


def test_what_has_expired_is_taken_down_and_nothing_else(
    aws: LocalAws, airflow: Airflow, project: LocalProject
) -> None:
    for name in ("old", "new"):
        up(project, name)
    file = project.state.branches / branch_slug("old") / "branch.json"
    file.write_text(json.dumps({**read_json(file), "expires": "2020-01-01T00:00:00+00:00"}))
    said: list[str] = []
    take_down_expired(project.state, said.append)
    assert [branch.branch for branch in branches.branches(project.state)] == ["new"]
    assert "old" in said[0]
    take_down(project.state, "new", lambda _: None)


class TestExtending:
    def left(self, project: LocalProject) -> timedelta:
        (branch,) = branches.branches(project.state)
        return datetime.fromisoformat(branch.expires) - datetime.now(UTC)

    def expire(self, project: LocalProject) -> None:
        file = project.state.branches / SLUG / "branch.json"
        file.write_text(json.dumps({**read_json(file), "expires": "2020-01-01T00:00:00+00:00"}))

    def test_it_stays_as_long_as_it_was_extended_also_when_it_is_brought_up_again(self, project: LocalProject) -> None:
        before, _, _ = up(project)
        for _ in range(2):
            extended = extend(project.state, NAME, 40)
            assert timedelta(days=39) < self.left(project) <= timedelta(days=40), "twice is not twice as long"
        assert extended == dataclasses.replace(before, expires=extended.expires)
        up(project)
        assert self.left(project) > timedelta(days=39)
        take_down(project.state, NAME, lambda _: None)

    def test_one_that_has_expired_is_brought_up_and_not_extended(self, project: LocalProject) -> None:
        up(project)
        self.expire(project)
        with pytest.raises(DapflowError, match="expired on 2020-01-01, and goes with the next") as raised:
            extend(project.state, NAME, 40)
        assert (raised.value.code, raised.value.hint) == (
            "branch-expired", "dapflow branch up takes it up again",
        )  # fmt: skip
        up(project)
        assert self.left(project) > timedelta(days=13)
        take_down(project.state, NAME, lambda _: None)

    def test_nothing_else_can_be_extended(self, project: LocalProject) -> None:
        with pytest.raises(DapflowError) as raised:
            extend(project.state, NAME, 40)
        assert raised.value.code == "branch-not-up"
        up(project)
        for days, said in {
            -1: "must be 1 to 365",
            0: "must be 1 to 365",
            366: "must be 1 to 365",
            3: "as it is",
        }.items():
            with pytest.raises(DapflowError, match=f"--days {days}: .*{said}") as raised:
                extend(project.state, NAME, days)
            assert raised.value.code == "option"
        assert self.left(project) > timedelta(days=13)
        take_down(project.state, NAME, lambda _: None)


class TestMistakes:
    def test_a_branch_that_was_never_brought_up(self, project: LocalProject) -> None:
        with pytest.raises(DapflowError, match="no environment of a branch fix") as raised:
            take_down(project.state, "fix", lambda _: None)
        assert (raised.value.code, raised.value.hint) == ("branch-not-up", "there is none of any branch")

    def test_one_that_is_up_is_named(self, project: LocalProject) -> None:
        up(project)
        with pytest.raises(DapflowError) as raised:
            take_down(project.state, NAME.lower(), lambda _: None)
        assert NAME in str(raised.value.hint)
        take_down(project.state, NAME, lambda _: None)

    @pytest.mark.parametrize("name", ["", "  "])
    def test_no_name(self, project: LocalProject, name: str) -> None:
        for call in (lambda: up(project, name), lambda: take_down(project.state, name, lambda _: None)):
            with pytest.raises(DapflowError) as raised:
                call()
            assert raised.value.code == "branch-name"

    def test_two_branches_that_would_have_one_name(
        self, project: LocalProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Six digits of a hash can be made to collide; the branch that is up is not taken over."""
        up(project)
        file = project.state.branches / SLUG / "branch.json"
        file.write_text(json.dumps({**read_json(file), "branch": "another"}))
        with pytest.raises(DapflowError, match="would have the names of another") as raised:
            up(project)
        assert raised.value.code == "branch-clash"
        with pytest.raises(DapflowError, match="there is no environment"):
            take_down(project.state, NAME, lambda _: None)
        file.write_text(json.dumps({**read_json(file), "branch": NAME}))
        take_down(project.state, NAME, lambda _: None)

    def test_a_database_of_somebody_else_is_not_taken_over(self, aws: LocalAws, project: LocalProject) -> None:
        name = f"dapflow_branch_{SLUG.replace('-', '_')}__housing_refined_zone"
        aws.glue.create_database(DatabaseInput={"Name": name})
        with pytest.raises(DapflowError) as raised:
            up(project)
        assert raised.value.code == "name-clash"
        assert not (project.state.branches / SLUG).exists()
        aws.glue.delete_database(Name=name)

    def test_a_platform_that_does_not_run(self, project: LocalProject, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(branches, "require_running", require_running)
        with pytest.raises(DapflowError, match="the embedded platform is not running") as raised:
            up(project)
        assert raised.value.code == "embedded-platform-not-up"


def test_a_branch_is_named_or_is_the_one_that_git_stands_on(tmp_path: Path) -> None:
    assert git_branch(tmp_path, "x") == GitBranch("x", "", git_branch(tmp_path, "x").owner)
    with pytest.raises(DapflowError, match="stands on no git branch") as raised:
        git_branch(tmp_path, None)
    assert raised.value.hint
    subprocess.run(["git", "init", "-q", "-b", "Fix/x-y", str(tmp_path)], check=True)
    assert git_branch(tmp_path, None).branch == "Fix/x-y"
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(tmp_path), *author, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    assert len(git_branch(tmp_path, "z").commit) == 40
    subprocess.run(["git", "-C", str(tmp_path), "checkout", "-q", "--detach"], check=True)
    with pytest.raises(DapflowError, match="stands on no git branch"):
        git_branch(tmp_path, None)
