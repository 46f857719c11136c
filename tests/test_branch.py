"""The environments of branches: names, and what a branch's bundle may say to the host that runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dapflow.branch import BranchNames, branch_environment, branch_slug
from dapflow.bundle import build_bundle
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.platform import describe, hosting
from dapflow.project import compile_project
from dapflow.runtime.bundled_project import BundledProject
from tests.project.writing import write_project

SLUG = branch_slug("Fix/Delays")


@pytest.fixture
def bundled(tmp_path: Path) -> Path:
    """The bundle of a branch, below its host's."""
    root = write_project(tmp_path / "project", {"air/refined/x.sql": "select year from flights"})
    manifest = compile_project(root)
    host = hosting_environment(manifest)
    build_bundle(root, manifest, host, tmp_path / "bundle")
    branch = branch_environment(manifest, BranchNames.of(SLUG), host)
    return build_bundle(root, manifest, branch, tmp_path / "bundle")


def hosting_environment(manifest: Manifest) -> Environment:
    platform = describe(manifest, name="staging", account="111122223333", region="eu-west-2", database_prefix="s__")
    raw = describe(manifest, name="prod", account="111122223333", region="eu-west-2").environment
    return hosting(platform, raw).environment


def test_its_bundle_is_data(bundled: Path) -> None:
    files = {file.relative_to(bundled).as_posix() for file in bundled.rglob("*") if file.is_file()}
    [manifest] = bundled.glob("manifests/*.json")
    assert files == {"manifest.json", "environment.json", f"manifests/{manifest.name}"}


def test_its_host_runs_it(bundled: Path) -> None:
    project = BundledProject(bundled)
    environment = project.environment
    assert environment.branch == SLUG
    stem = SLUG.replace("-", "_")
    assert environment.databases["air_refined_zone"] == f"dapflow_branch_{stem}__air_refined_zone"
    # The raw zone is that of prod, not that of its host.
    assert environment.databases["air_raw_zone"] == "air_raw_zone"
    assert environment.zones["raw"] == "s3://dapflow-prod-raw-111122223333/"
    assert environment.zones["refined"] == f"s3://dapflow-staging-branches-111122223333/{SLUG}/refined/"
    assert environment.services["air"].connection == f"branch_{stem}_air"


def change(folder: Path, name: str, edit: Callable[[Any], Any]) -> None:
    """Change a JSON file of a bundle."""
    file = folder / name
    data = json.loads(file.read_text())
    edit(data)
    file.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda e: e["services"]["air"].update(connection="dapflow_air"), "services is"),
        (lambda e: e["services"]["air"].update(connection=f"branch_{'x_123456'}_air"), "services is"),
        (lambda e: e["services"]["air"].update(workgroup="dapflow-staging-air"), "services is"),
        (lambda e: e["services"]["air"].update(pool="default_pool"), "services is"),
        (lambda e: e["services"]["air"].update(role_arn="arn:aws:iam::111122223333:role/admin"), "services is"),
        (lambda e: e["services"].update(other=e["services"]["air"]), "services is"),
        (lambda e: e["zones"].update(refined="s3://dapflow-prod-refined-111122223333/"), "zones is"),
        (lambda e: e["zones"].update(raw="s3://elsewhere/"), "zones is"),
        (lambda e: e["databases"].update(air_refined_zone="air_refined_zone"), "databases is"),
        (lambda e: e["databases"].update(more="s__air_raw_zone"), "databases is"),
        (lambda e: e["base"]["databases"].update(more="x"), "base is x for more"),
        (lambda e: e["base"]["zones"].update(trusted="s3://elsewhere/"), "base is s3://elsewhere/ for trusted"),
        (lambda e: e.update(base=None), "base is None"),
        (lambda e: e.update(deferred=["air.refined.report"]), "deferred is"),
        # Without a branch its DAGs would have the names of the host's.
        (lambda e: e.update(branch=""), "branch is"),
        (lambda e: e.update(branch="other-123456", name="other-123456"), "name is other-123456"),
        (lambda e: e.update(account="999999999999"), "account is"),
        (lambda e: e.update(retention_seconds=0), "retention_seconds is"),
        (lambda e: e.update(poll_seconds=0.001), "poll_seconds is"),
    ],
)
def test_it_names_nothing_but_what_is_its_own(bundled: Path, edit: Callable[[Any], Any], said: str) -> None:
    change(bundled, "environment.json", edit)
    with pytest.raises(DapflowError) as caught:
        BundledProject(bundled)
    assert caught.value.code == "branch-refused"
    assert said in caught.value.message
    assert "deploy it again" in (caught.value.hint or "")


def test_one_of_another_release_is_refused_with_a_message(bundled: Path) -> None:
    [manifest] = bundled.glob("manifests/*.json")
    change(bundled, f"manifests/{manifest.name}", lambda data: data.update(schema=1))
    with pytest.raises(DapflowError, match="the manifest has schema 1, this dapflow reads") as caught:
        BundledProject(bundled)
    assert caught.value.code == "manifest"
    change(bundled, "environment.json", lambda data: data.update(something="new"))
    with pytest.raises(DapflowError, match="written by another release") as caught:
        BundledProject(bundled)
    assert caught.value.code == "environment"


@pytest.mark.parametrize(
    "content", ["[]", "1", '{"schema": SCHEMA}', '{"schema": SCHEMA, "services": [], "datasets": []}']
)
def test_what_is_no_manifest_is_refused_with_a_message(bundled: Path, content: str) -> None:
    [manifest] = bundled.glob("manifests/*.json")
    schema = json.loads(manifest.read_text())["schema"]
    manifest.write_text(content.replace("SCHEMA", str(schema)))
    with pytest.raises(DapflowError) as caught:
        BundledProject(bundled)
    assert caught.value.code == "manifest"


@pytest.mark.parametrize("name", ["/etc/hostname", "manifests/../../../manifest.json", "environment.json", ""])
def test_its_pointer_names_a_manifest_of_its_own(bundled: Path, name: str) -> None:
    change(bundled, "manifest.json", lambda data: data.update(manifest=name))
    with pytest.raises(DapflowError, match=r"names .*, no manifest"):
        BundledProject(bundled)


def test_a_host_that_hosts_no_branches_runs_none(bundled: Path) -> None:
    change(bundled.parents[1], "environment.json", lambda data: data.update(branches=None))
    with pytest.raises(DapflowError, match="hosts no branches"):
        BundledProject(bundled)


@pytest.mark.parametrize("name", ["", "x", "..", "a-12345", "A-123456", "a-123456/../b-123456", "a_b-123456"])
def test_what_is_no_slug_is_no_name(name: str) -> None:
    with pytest.raises(DapflowError):
        BranchNames.of(name)
