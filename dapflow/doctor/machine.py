"""The machine: Python and its packages, git, Node.js, room on the disk."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from dapflow.doctor.diagnosis import Diagnosis
from dapflow.git import git

_OLDEST, _NEWEST = (3, 11), (3, 13)
_SETUP = "make setup"
_MOST_NAMED = 4
_GB = 1000**3
# A demo with Airflow writes less than one; a lake of one's own grows.
_LEAST_GB, _LITTLE_GB = 1, 5


def machine_diagnoses(root: Path) -> Iterator[Diagnosis]:
    """What the machine has for the project at ``root``."""
    yield _python()
    yield from _packages(root)
    yield _git(root)
    yield _node()
    yield _disk(root)


def _python() -> Diagnosis:
    version = ".".join(map(str, sys.version_info[:3]))
    if _OLDEST <= sys.version_info[:2] <= _NEWEST:
        return Diagnosis("python", "ok", f"{version}, {sys.executable}")
    hint = "take one of these: rm -r .venv, then make PYTHON=python3.12 setup"
    return Diagnosis("python", "mend", f"{version}, and dapflow needs 3.11, 3.12 or 3.13", hint)


def _packages(root: Path) -> Iterator[Diagnosis]:
    """Whether the packages are those of uv.lock, where the project has one that locks dapflow."""
    try:
        locked = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8")).get("package", [])
    except OSError:
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        yield Diagnosis(
            "packages", "mend", f"uv.lock cannot be read: {error}", "take it from git: git checkout uv.lock"
        )
        return
    needed = next((package.get("dependencies", []) for package in locked if package.get("name") == "dapflow"), None)
    if needed is None:
        return
    differing = sorted(_differing(locked, {dependency["name"] for dependency in needed}))
    if differing:
        named = ", ".join(differing[:_MOST_NAMED]) + (" …" if len(differing) > _MOST_NAMED else "")
        yield Diagnosis("packages", "mend", f"{len(differing)} not as in uv.lock: {named}", _SETUP)
    else:
        yield Diagnosis("packages", "ok", "as in uv.lock")


def _differing(locked: list[dict[str, Any]], needed: set[str]) -> Iterator[str]:
    """Packages that are of another version than those of the lock, and direct ones that are not there."""
    installed = {_normal(package.metadata["Name"]): package.version for package in distributions()}
    versions: dict[str, set[str]] = {}
    for package in locked:
        if "registry" in package.get("source", {}):
            versions.setdefault(package["name"], set()).add(package["version"])
    for name, wanted in versions.items():
        version = installed.get(name)
        if version is None and name in needed:
            yield f"{name} is missing"
        elif version is not None and version not in wanted:
            yield f"{name} {version}, not {' or '.join(sorted(wanted))}"


def _normal(name: str) -> str:
    """As the lock writes names."""
    return name.lower().replace("_", "-").replace(".", "-")


def _git(root: Path) -> Diagnosis:
    if shutil.which("git") is None:
        return Diagnosis("git", "mend", "there is no git", "install it: a commit is a deployment")
    if not git(root, "rev-parse", "--git-dir"):
        hint = "git init here, or clone the repository of your team; branches, diffs and records go by commits"
        return Diagnosis("git", "look", f"{root} is in no repository", hint)
    if not git(root, "config", "user.email"):
        hint = "git config --global user.email you@example.org"
        return Diagnosis("git", "look", "git does not know who you are, and takes no commit", hint)
    return Diagnosis("git", "ok", f"on {git(root, 'branch', '--show-current') or 'no branch'}")


def _node() -> Diagnosis:
    own = Path(sys.executable).with_name("node")
    node = str(own) if own.exists() else shutil.which("node")
    if node is None:
        hint = f"{_SETUP} installs one beside Python, or install Node.js; only cdk synth and cdk deploy need it"
        return Diagnosis("node", "look", "there is no Node.js", hint)
    return Diagnosis("node", "ok", node)


def _disk(root: Path) -> Diagnosis:
    free = shutil.disk_usage(root).free / _GB
    said = f"{free:.1f} GB free"
    hint = "make room; dapflow local down --wipe removes what the embedded platform holds"
    if free < _LITTLE_GB:
        return Diagnosis("disk", "mend" if free < _LEAST_GB else "look", said, hint)
    return Diagnosis("disk", "ok", said)
