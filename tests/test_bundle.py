"""The bundle: whole files, the pointer last, nothing of compile time in it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dapflow import bundle
from dapflow.bundle import ENTRY, build_bundle
from dapflow.environment import Environment, read_environment
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.manifest import Manifest, read_manifest
from dapflow.platform import describe
from dapflow.project import compile_project
from dapflow.runtime.bundled_project import BundledProject
from tests.project.writing import write_project


def compiled(root: Path, sql: str = "select 1 as a") -> tuple[Manifest, Environment]:
    manifest = compile_project(write_project(root, {"air/refined/x.sql": sql}))
    return manifest, describe(manifest, name="test", account="123456789012", region="eu-west-2").environment


def pointed(dags: Path) -> Path:
    return dags / str(json.loads((dags / "manifest.json").read_text())["manifest"])


def test_what_is_in_it(tmp_path: Path) -> None:
    root = tmp_path / "project"
    manifest, environment = compiled(root)
    (root / "dags" / "team").mkdir(parents=True)
    (root / "dags" / "team" / "by_hand.py").write_text("x = 1\n")
    (root / "dags" / "README.md").write_text("not code")
    dags = build_bundle(root, manifest, environment, tmp_path / "bundle")
    assert dags == tmp_path / "bundle" / "dags"
    assert read_manifest(pointed(dags)) == manifest
    assert pointed(dags).name == f"{manifest.sha}.json"
    assert read_environment(dags / "environment.json") == environment
    assert (dags / "team" / "by_hand.py").read_text() == "x = 1\n"
    names = {file.relative_to(dags).as_posix() for file in dags.rglob("*") if file.is_file()}
    assert {"dapflow_services.py", ".airflowignore", "dapflow/runtime/__init__.py", "dapflow/errors.py"} <= names
    assert {name.split("/")[1] for name in names if name.count("/") > 1 and name.startswith("dapflow/")} == {"runtime"}
    assert "README.md" not in names


def test_it_says_which_commit_its_transforms_are_of(tmp_path: Path) -> None:
    root = tmp_path / "project"
    manifest, environment = compiled(root)

    def commit() -> str:
        dags = build_bundle(root, manifest, environment, tmp_path / "bundle")
        return BundledProject(dags).commit

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        done = subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)
        return done.stdout.decode().strip()

    assert commit() == ""
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "one")
    first = git("rev-parse", "HEAD")
    assert commit() == first
    (root / "README.md").write_text("no transform\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "two")
    assert commit() == first
    (root / "transforms" / "new.txt").write_text("x\n")
    assert commit() == f"{first}+changes"


def test_it_says_where_the_files_of_its_commit_are_shown(tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    root = repository / "platform"
    manifest, environment = compiled(root)

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
        done = subprocess.run(["git", "-C", str(repository), *identity, *arguments], check=True, capture_output=True)
        return done.stdout.decode().strip()

    def address() -> str:
        return BundledProject(build_bundle(root, manifest, environment, tmp_path / "bundle")).address("a b.sql")

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "one")
    assert address() == ""
    git("remote", "add", "origin", "https://me:secret@gitlab.example.org/team/data.git")
    commit = git("rev-parse", "HEAD")
    assert address() == f"https://gitlab.example.org/team/data/-/blob/{commit}/platform/a%20b.sql"
    assert "secret" not in (tmp_path / "bundle/dags/manifest.json").read_text()
    (root / "transforms" / "new.txt").write_text("x\n")
    assert address() == ""


def test_a_branchs_lies_below_the_one_of_its_host_and_neither_touches_the_other(tmp_path: Path) -> None:
    root, target = tmp_path / "project", tmp_path / "bundle"
    (root / "dags").mkdir(parents=True)
    (root / "dags" / "by_hand.py").write_text("x = 1\n")
    manifest, environment = compiled(root)
    branch = replace(environment, branch="fix-it-0a1b2c")
    host = build_bundle(root, manifest, environment, target)
    own = build_bundle(root, manifest, branch, target)
    assert own == host / "branches" / "fix-it-0a1b2c"
    assert read_environment(own / "environment.json") == branch
    # Its DAGs would have the names of the host's.
    assert not (own / "by_hand.py").exists()
    assert build_bundle(root, *compiled(root, "select 2 as a"), target) == host
    assert read_manifest(pointed(own)) == manifest


def test_its_code_stands_on_its_own(tmp_path: Path) -> None:
    """What is bundled of dapflow is all that its own modules ask for."""
    root = tmp_path / "project"
    dags = build_bundle(root, *compiled(root), tmp_path / "bundle")
    program = (
        "import sys, importlib, pathlib\n"
        f"dags = pathlib.Path({str(dags)!r})\n"
        "sys.path.insert(0, str(dags))\n"
        "for file in sorted((dags / 'dapflow').rglob('*.py')):\n"
        "    if file.name not in {'dag_factory.py', 'operators.py'}:\n"
        "        name = '.'.join(file.relative_to(dags).with_suffix('').parts).removesuffix('.__init__')\n"
        "        module = importlib.import_module(name)\n"
        "        assert module.__file__.startswith(str(dags)), module.__file__\n"
        "assert not {'duckdb', 'typer', 'moto'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True)


def test_building_again_touches_nothing(tmp_path: Path) -> None:
    root = tmp_path / "project"
    manifest, environment = compiled(root)
    dags = build_bundle(root, manifest, environment, tmp_path / "bundle")
    before = {file: file.stat().st_mtime_ns for file in dags.rglob("*")}
    build_bundle(root, manifest, environment, tmp_path / "bundle")
    assert {file: file.stat().st_mtime_ns for file in dags.rglob("*")} == before


def test_a_new_manifest_leaves_the_old_one_for_runs_under_way(tmp_path: Path) -> None:
    root = tmp_path / "project"
    dags = build_bundle(root, *compiled(root), tmp_path / "bundle")
    old = pointed(dags)
    build_bundle(root, *compiled(root, "select 2 as a"), tmp_path / "bundle")
    assert pointed(dags) != old
    assert old.is_file()


def test_what_is_gone_from_the_project_is_gone_from_the_bundle(tmp_path: Path) -> None:
    root = tmp_path / "project"
    (root / "dags").mkdir(parents=True)
    (root / "dags" / "by_hand.py").write_text("x = 1\n")
    manifest, environment = compiled(root)
    dags = build_bundle(root, manifest, environment, tmp_path / "bundle")
    (root / "dags" / "by_hand.py").unlink()
    build_bundle(root, manifest, environment, tmp_path / "bundle")
    assert not (dags / "by_hand.py").exists()


def test_old_manifests_do_not_pile_up_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "KEPT_MANIFESTS", 2)
    root = tmp_path / "project"
    for number in range(5):
        dags = build_bundle(root, *compiled(root, f"select {number} as a"), tmp_path / "bundle")
    assert len(list((dags / "manifests").iterdir())) == 2
    assert pointed(dags).is_file()


@pytest.mark.parametrize("failing", ["environment.json", "manifest.json", "errors.py"])
def test_a_build_that_breaks_off_leaves_a_bundle_that_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    root = tmp_path / "project"
    first, environment = compiled(root)
    dags = build_bundle(root, first, environment, tmp_path / "bundle")

    def full(path: Path, content: bytes) -> None:
        if path.name == failing:
            raise OSError(28, "No space left on device", str(path))
        write_whole(path, content)

    monkeypatch.setattr(bundle, "write_whole", full)
    with pytest.raises(DapflowError, match="No space left"):
        build_bundle(root, *compiled(root, "select 2 as a"), tmp_path / "bundle")
    assert read_manifest(pointed(dags)) == first
    assert not [file for file in dags.rglob(".*") if file.name != ".airflowignore"]


def test_not_over_the_project_itself(tmp_path: Path) -> None:
    manifest, environment = compiled(tmp_path)
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "by_hand.py").write_text("x = 1\n")
    with pytest.raises(DapflowError, match="cannot be built over the project"):
        build_bundle(tmp_path, manifest, environment, tmp_path)
    assert (tmp_path / "dags" / "by_hand.py").exists()


def test_the_projects_own_dag_file_is_the_one_of_projects_that_have_none(tmp_path: Path) -> None:
    """Airflow skips a DAG file that does not name it, in silence; one tested text serves every project."""
    project = Path(__file__).parents[1]
    manifest, environment = compiled(tmp_path / "without")
    own = build_bundle(project, manifest, environment, tmp_path / "own") / ENTRY
    none = build_bundle(tmp_path / "without", manifest, environment, tmp_path / "none") / ENTRY
    assert own.read_text() == none.read_text()
    assert "airflow" in own.read_text().lower()
    assert "dag" in own.read_text().lower()
