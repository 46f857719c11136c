"""What is deployed is read as it is, or it is said why not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dapflow.branch import BranchNames, branch_environment, branch_slug
from dapflow.bundle import build_bundle
from dapflow.deployed.bundle import deployed_branch, deployed_project
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.platform import describe, hosting
from dapflow.project import compile_project
from dapflow.runtime.aws import Clients
from stacks.functions.resources import put_files
from tests.aws_servers import empty_aws
from tests.project.writing import write_project

SLUG = branch_slug("Fix/Delays")
HOST = "s3://dapflow-staging-airflow-111122223333/dags/"
BUCKET = "dapflow-staging-airflow-111122223333"
BELOW = f"dags/branches/{SLUG}/"


@dataclass(frozen=True)
class Bundles:
    """A host's bundle and a branch's in their bucket, and the project that both have."""

    clients: Clients
    manifest: Manifest

    def change(self, key: str, edit: Callable[[Any], Any]) -> None:
        """Change a JSON file of the bucket."""
        data = json.loads(self.clients.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        edit(data)
        self.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(data).encode())

    def refused(self) -> DapflowError:
        """How reading the branch's ends."""
        with pytest.raises(DapflowError) as refused:
            deployed_branch(self.clients.s3, HOST, SLUG, deploy="deploy it again")
        return refused.value


@pytest.fixture
def bundles(clients: Clients, tmp_path: Path) -> Bundles:
    empty_aws()
    root = write_project(tmp_path / "project", {"air/refined/x.sql": "select year from flights"})
    manifest = replace(compile_project(root), deferred=frozenset({"air.refined.x"}))
    host = hosting(*hosts(manifest), runner=True).environment
    assert host.branches is not None
    assert (host.branches.bundle, host.branches.base_bundle) == (HOST, HOST.replace("staging", "prod"))
    assert host.branches.run_role == "arn:aws:iam::111122223333:role/dapflow-branch-run"
    clients.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    branch = branch_environment(manifest, BranchNames.of(SLUG), host)
    for environment, prefix in ((host, "dags/"), (branch, BELOW)):
        folder = build_bundle(root, manifest, environment, tmp_path / "bundle")
        files = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.json")}
        put_files(clients.s3, BUCKET, prefix, {name: files[name] for name in files if "branches" not in name})
    return Bundles(clients, manifest)


def hosts(manifest: Manifest) -> tuple[Any, Any]:
    """The platform of a host, and the environment whose data its branches read."""
    platform = describe(manifest, name="staging", account="111122223333", region="eu-west-2", database_prefix="s__")
    return platform, describe(manifest, name="prod", account="111122223333", region="eu-west-2").environment


def test_a_branch_is_read_as_it_was_deployed(bundles: Bundles) -> None:
    project = deployed_branch(bundles.clients.s3, HOST, SLUG, deploy="")
    assert project is not None
    assert project.manifest == bundles.manifest
    assert project.environment.branch == SLUG
    assert project.environment.deferred == {"air.refined.x"}
    base = deployed_project(bundles.clients.s3, HOST, deploy="")
    assert base is not None
    assert (base.manifest, base.environment.name) == (bundles.manifest, "staging")


def test_what_is_not_deployed_is_none(bundles: Bundles) -> None:
    s3 = bundles.clients.s3
    assert deployed_branch(s3, HOST, branch_slug("another"), deploy="") is None
    assert deployed_project(s3, HOST.replace("staging", "prod"), deploy="") is None
    assert deployed_branch(s3, HOST.replace("staging", "prod"), SLUG, deploy="") is None


def test_a_manifest_of_another_release_says_what_to_do(bundles: Bundles) -> None:
    [name] = [f"{BELOW}manifests/{bundles.manifest.sha}.json"]
    bundles.change(name, lambda manifest: manifest.update(schema=1))
    refused = bundles.refused()
    assert (refused.code, refused.hint, refused.file) == ("manifest", "deploy it again", HOST)
    assert "the manifest has schema 1" in refused.message
    bundles.clients.s3.delete_object(Bucket=BUCKET, Key=name)
    assert "the manifest is missing" in bundles.refused().message


@pytest.mark.parametrize("name", ["../../../../x", "/etc/passwd", "manifests/../../../x.json", "environment.json"])
def test_a_pointer_leads_nowhere_else(bundles: Bundles, name: str) -> None:
    bundles.change(f"{BELOW}manifest.json", lambda pointer: pointer.update(manifest=name))
    assert bundles.refused().code == "manifest"


def test_no_role_is_taken_that_the_host_does_not_give(bundles: Bundles) -> None:
    role = "arn:aws:iam::111122223333:role/dapflow/prod/runner/dapflow-prod-air-runner"
    bundles.change(f"{BELOW}environment.json", lambda said: said["services"]["air"].update(role_arn=role))
    refused = bundles.refused()
    assert (refused.code, role in refused.message) == ("branch-refused", True)
