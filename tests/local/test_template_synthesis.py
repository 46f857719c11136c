"""Templates that are kept: made anew where others made them go, and nothing left of a synthesis that was killed."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from dapflow.local.cloudformation import template_synthesis
from dapflow.local.cloudformation.template_synthesis import Synthesis
from dapflow.manifest import Manifest
from dapflow.servers.state import State

# What stands in for the stacks: a program that writes one template.
STACKS = """
import pathlib, sys
options = dict(word[2:].split("=", 1) for word in sys.argv[1:])
(pathlib.Path(options["output"]) / "lake.template.json").write_text('{"Resources": {}}')
"""
TEMPLATES: dict[str, dict[str, object]] = {"lake": {"Resources": {}}}


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "dapflow").mkdir()
    for name in ("branch", "environment", "manifest", "platform"):
        (tmp_path / f"dapflow/{name}.py").touch()
    (tmp_path / "stacks/__init__.py").touch()
    (tmp_path / "stacks/local.py").write_text(STACKS)
    (tmp_path / "cdk.json").write_text("{}")
    monkeypatch.setattr(template_synthesis, "REPOSITORY", tmp_path)
    return tmp_path


def test_what_was_forgotten_meanwhile_is_made_again(clone: Path) -> None:
    assert Synthesis(clone, Manifest({}, {})).templates() == TEMPLATES
    (folder,) = State.of(clone).templates.iterdir()
    synthesis = Synthesis(clone, Manifest({}, {}))
    assert not synthesis.under_way
    shutil.rmtree(folder)
    assert synthesis.templates() == TEMPLATES
    assert folder.is_dir()


def test_what_a_killed_one_left_goes_and_what_is_being_made_stays(clone: Path) -> None:
    kept = State.of(clone).templates
    for name in (".torn", ".young"):
        (kept / name).mkdir(parents=True)
    long_ago = time.time() - 3600
    os.utime(kept / ".torn", (long_ago, long_ago))
    assert Synthesis(clone, Manifest({}, {})).templates() == TEMPLATES
    assert {folder.name for folder in kept.glob(".*")} == {".young"}
