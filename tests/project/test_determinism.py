"""Equal files compile to equal bytes: whatever the order of a folder or the locale."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dapflow.manifest import read_manifest
from dapflow.project import compile_project
from tests.bench.compile import write_project as write_many


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    write_many(root, services=4, transforms=40)
    return root


def test_twice_the_same(project: Path) -> None:
    assert compile_project(project).to_json() == compile_project(project).to_json()


def compiled_elsewhere(project: Path, file: Path, **environment: str) -> str:
    """What `dapflow compile` writes in a process of its own."""
    command = [sys.executable, "-m", "dapflow", "compile", "--project", str(project), "--output", str(file)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
    return file.read_text(encoding="utf-8")


def test_another_process_in_another_place(project: Path, tmp_path: Path) -> None:
    first = compiled_elsewhere(project, tmp_path / "one.json", LC_ALL="C", PYTHONHASHSEED="1")
    other = compiled_elsewhere(
        project, tmp_path / "other.json", LC_ALL="tr_TR.UTF-8", TZ="Asia/Tokyo", PYTHONHASHSEED="2"
    )
    assert first == other
    assert read_manifest(tmp_path / "one.json") == compile_project(project)


def test_the_order_of_folders_does_not_matter(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = compile_project(project).to_json()
    listed = os.listdir

    def backwards(path: str) -> list[str]:
        return sorted(listed(path), reverse=True)

    monkeypatch.setattr(os, "listdir", backwards)
    assert compile_project(project).to_json() == expected
