"""docs/versions.md says what is locked, and the way it gives to the next release works."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.docs.markdown import ROOT, blocks

PAGE = ROOT / "docs" / "versions.md"


def locked() -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        versions.setdefault(package["name"], set()).add(package["version"])
    return versions


def table() -> dict[str, list[str]]:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \|(.+)\|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


def test_the_table_says_what_is_locked() -> None:
    shown = table()
    assert {"apache-airflow", "apache-airflow-providers-amazon", "boto3", "duckdb", "moto"} <= shown.keys()
    for name, cells in shown.items():
        assert {cells[0]} == locked()[name], name


def test_what_the_image_has_is_what_is_locked() -> None:
    """Where MWAA's image has the package, the lock has the same version of it."""
    for name, (here, image) in table().items():
        assert image in {here, "none"}, name


def test_every_constraint_of_the_lock_holds() -> None:
    constraints = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]
    versions = locked()
    for line in constraints["constraint-dependencies"]:
        name, _, version = line.partition("==")
        assert version.partition(";")[0] in versions[name], line


def test_the_program_that_selects_constraints_selects_those_of_the_lock(tmp_path: Path) -> None:
    (program,) = [block.text for block in blocks(PAGE) if block.attributes.get("file") == "select_constraints.py"]
    published = tmp_path / "constraints-3.12.txt"
    published.write_text(
        "# published by Airflow\nboto3==9.9.9\nPyYAML==8.8.8\nAuthlib==1.0\nstarlette==1.2.3\n", encoding="utf-8"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, str(published)], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert run.stdout.split() == ['"boto3==9.9.9",', '"pyyaml==8.8.8",', '"starlette==1.2.3",']
