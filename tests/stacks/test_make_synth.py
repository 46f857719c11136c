"""`make synth`: the templates of the example's environments, from a fresh copy and without credentials."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stacks.templates import ROOT

pytestmark = pytest.mark.slow

FOLDERS = ("dags", "dapflow", "stacks", "transforms")
FILES = ("Makefile", "app.py", "cdk.json", "pyproject.toml", "uv.lock")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in FOLDERS:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make_synth(project: Path) -> set[str]:
    """Run it without anything that AWS could be reached with; the templates that it lists."""
    # The copy has no environment of its own to set up.
    command = ["make", "-o", "setup", f"VENV={Path(sys.prefix)}", "synth"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(project)}
    run = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


def written(project: Path) -> dict[str, int]:
    return {str(file): file.stat().st_mtime_ns for file in project.glob("cdk.out/*/manifest.json")}


def test_it_writes_all_templates_and_then_only_what_changed(project: Path) -> None:
    listed = make_synth(project)
    assert listed == {str(file.relative_to(project)) for file in project.glob("cdk.out/*/*.template.json")}
    assert {template.split("/")[1] for template in listed} == {"prod", "staging", "branch"}
    assert "cdk.out/prod/dapflow-prod-airflow.template.json" in listed
    before = written(project)
    assert make_synth(project) == listed
    assert written(project) == before

    shutil.rmtree(project / "transforms" / "air_traffic" / "trusted")
    assert make_synth(project) == listed
    assert not before.items() & written(project).items()


def test_a_mistake_leaves_no_template_behind(project: Path) -> None:
    settings = project / "cdk.json"
    settings.write_text(settings.read_text().replace('"eu-west-2"', '"nowhere"', 1))
    with pytest.raises(AssertionError, match=r"context\.environments\.prod\.region: nowhere is not a region's name"):
        make_synth(project)
    assert not list(project.glob("cdk.out/*/*.template.json"))
