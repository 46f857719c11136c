"""The repository holds what it should, where it should, and nothing of the machine it was written on."""

import re
import subprocess
from pathlib import Path

from tests.docs.markdown import ROOT

TOP_LEVEL = {
    "app.py",
    "cdk.json",
    "pyproject.toml",
    "uv.lock",
    "Makefile",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "dapflow",
    "dags",
    "docs",
    "stacks",
    "tests",
    "transforms",
    ".ci",
    ".github",
    ".gitignore",
    ".vscode",
    ".gitattributes",
    ".python-version",
}
# Written in two parts, so that this file does not find itself.
MACHINE_PATHS = re.compile("(?<![A-Za-z0-9_.-])/(" + "work|root|home|Users" + ")/[A-Za-z]")
MOST_LINES = 600


def tracked() -> list[Path]:
    """The files that git holds and that are still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_top_level_holds_only_what_belongs_there() -> None:
    top = {file.relative_to(ROOT).parts[0] for file in tracked()}
    assert not top - TOP_LEVEL


def test_no_path_of_a_machine_is_committed() -> None:
    paths = []
    for file in tracked():
        if file.name == "uv.lock":
            continue
        text = file.read_bytes().decode("utf-8", errors="ignore")
        paths += [f"{file.relative_to(ROOT)}: {match[0]}" for match in MACHINE_PATHS.finditer(text)]
    assert not paths


def test_no_file_of_the_package_is_too_long_to_read() -> None:
    long = {}
    for file in (ROOT / "dapflow").rglob("*.py"):
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            long[str(file.relative_to(ROOT))] = lines
    assert not long


def test_packages_are_named_after_what_they_hold() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
    assert not [file for file in (ROOT / "dapflow").rglob("*.py") if {file.stem, file.parent.name} & vague]
