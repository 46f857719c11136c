"""``dapflow doctor``: what is wrong, and what to do about it."""

from __future__ import annotations

import json
import socket
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.in_process import dapflow
from tests.local.ports import free_port
from tests.project.writing import write_project

LOCK = """\
version = 1
[[package]]
name = "dapflow"
version = "0.1.0"
source = {{ editable = "." }}
dependencies = [{{ name = "typer" }}, {{ name = "{direct}" }}]
[[package]]
name = "typer"
version = "{typer}"
source = {{ registry = "https://example.org/simple" }}
[[package]]
name = "no-such-package"
version = "1.0"
source = {{ registry = "https://example.org/simple" }}
"""


def _examined(root: Path, *arguments: str, status: int = 0) -> dict[str, tuple[str, str, str]]:
    run = dapflow("doctor", "--json", *arguments, cwd=root)
    assert (run.returncode, run.stderr) == (status, "")
    document = json.loads(run.stdout)
    assert document["ok"] == (status == 0)
    return {found["subject"]: (found["state"], found["said"], found["hint"]) for found in document["diagnoses"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in a repository, whose platform would take ports that are free."""
    root = write_project(tmp_path, {"air/refined/x.sql": "SELECT year FROM flights"})
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "config", "user.email", "a@example.org"], check=True)
    (root / ".dapflow").mkdir()
    ports = {"aws": free_port(), "athena": free_port(), "airflow": free_port()}
    (root / ".dapflow/ports.json").write_text(json.dumps(ports))
    return root


def test_nothing_need_be_mended(root: Path) -> None:
    examined = _examined(root)
    assert {examined[subject][0] for subject in ("python", "git", "transforms", "manifest", "platform", "ports")} == {
        "ok"
    }
    assert "packages" not in examined  # nothing locks them
    assert dapflow("doctor", cwd=root).stdout.startswith("ok    python      3.")


def test_packages_are_those_of_the_lock(root: Path) -> None:
    lock = root / "uv.lock"
    lock.write_text(LOCK.format(typer=version("typer"), direct="typer"))
    assert _examined(root)["packages"] == ("ok", "as in uv.lock", "")
    lock.write_text(LOCK.format(typer="0.0.1", direct="no-such-package"))
    missing = f"no-such-package is missing, typer {version('typer')}, not 0.0.1"
    assert _examined(root, status=1)["packages"] == ("mend", f"2 not as in uv.lock: {missing}", "make setup")
    lock.write_text("<<<<<<< HEAD\n")
    assert _examined(root, status=1)["packages"][0] == "mend"


def test_mistakes_and_a_manifest_that_is_not_of_now(root: Path) -> None:
    assert dapflow("compile", cwd=root).returncode == 0
    assert _examined(root)["manifest"][:2] == ("ok", "as transforms/ is")
    (root / "transforms/air/refined/x.sql").write_text("SELECT year, FROM flights")
    examined = _examined(root, status=1)
    assert examined["manifest"][0] == "look"
    state, said, hint = examined["transforms"]
    assert state == "mend"
    assert said.startswith("a mistake; transforms/air/refined/x.sql:1:14: ")
    assert hint == "dapflow check shows all"
    text = dapflow("doctor", cwd=root)
    assert text.returncode == 1
    assert "hint: dapflow check shows all" in text.stdout


def test_a_hook_that_git_passes_over(root: Path) -> None:
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\ndapflow check\n")
    hook.chmod(0o644)
    assert _examined(root)["hook"][0] == "look"
    hook.chmod(0o755)
    assert _examined(root)["hook"][0] == "ok"


def test_a_port_that_another_program_has_and_a_state_that_cannot_be_read(root: Path) -> None:
    file = root / ".dapflow/ports.json"
    port = json.loads(file.read_text())["athena"]
    with socket.create_server(("127.0.0.1", port)):
        state, said, _ = _examined(root)["ports"]
    assert (state, said) == ("look", f"in use by something else: {port} (athena)")
    file.write_text('{"aws": "none"}')
    assert _examined(root, status=1)["platform"][0] == "mend"


def test_credentials_are_looked_at_where_an_environment_is_named(root: Path) -> None:
    assert "credentials" not in _examined(root)
    state, said, hint = _examined(root, "--environment", "nowhere", status=1)["credentials"]
    assert state == "mend"
    assert "nowhere" in said + hint
