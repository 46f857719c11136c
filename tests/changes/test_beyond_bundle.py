"""Which changes of transforms/ are a new manifest alone: by what the files hold, and by their names in deploy.yml."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dapflow.changes import beyond_bundle
from dapflow.manifest import Manifest
from tests.project.writing import compile_files

WORKFLOW = Path(__file__).parents[2] / ".github" / "workflows" / "deploy.yml"
SERVICE = """\
title: Air
reads: [parks.refined.trees]
sources:
  flights:
    columns: {year: integer, carrier: string}
    checks: {years are real: {sql: years.sql}}
"""
PARKS = """\
grants:
  air: [refined.trees]
sources:
  planted:
    columns: {kind: string}
"""
FILES: dict[str, str | bytes] = {
    "air/service.yml": SERVICE,
    "air/refined/x.sql": "select year, carrier from flights",
    "air/checks/years.sql": "select * from flights where year < 0",
    "parks/service.yml": PARKS,
    "parks/refined/trees.sql": "select kind from planted",
}
BUNDLE_ALONE: list[dict[str, str | bytes]] = [
    {"air/refined/x.sql": "select year from flights"},
    {"air/refined/x.yml": "description: Of years.\nchecks: {known: {not_null: year}}\n"},
    {"air/trusted/y.sql": "select year from air_refined_zone.x"},
    {"air/checks/years.sql": "select * from flights where year < 1903"},
    {"air/tests/x.yml": "not even a test"},
]
MORE: list[tuple[dict[str, str | bytes], str]] = [
    ({"air/service.yml": SERVICE + "schedule: 0 6 * * *\n"}, "transforms/air/service.yml (schedule)"),
    ({"air/service.yml": SERVICE.replace("integer", "string")}, "air.raw.flights in service.yml (columns, source)"),
    ({"air/service.yml": SERVICE + "  planes: {}\n"}, "air.raw.planes, which is new in service.yml"),
    (
        {"parks/service.yml": PARKS.replace("refined.trees", "refined")},
        "transforms/parks/service.yml (grants)",
    ),
    ({"sea/service.yml": "title: Sea\n"}, "the service sea is new"),
]


def changed(folder: Path, files: dict[str, str | bytes]) -> tuple[Manifest, Manifest]:
    """The project before and after files were written."""
    return compile_files(folder / "before", FILES), compile_files(folder / "after", {**FILES, **files})


def deployed_as_a_bundle(files: dict[str, str | bytes]) -> bool:
    """What the workflow makes of a commit of these files."""
    found = re.search(r"BUNDLE='(.*)'", WORKFLOW.read_text())
    assert found is not None
    return all(re.search(found[1], f"transforms/{name}") for name in files)


@pytest.mark.parametrize("files", BUNDLE_ALONE, ids=lambda files: next(iter(files)))
def test_products_checks_and_tests_take_no_deployment(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    before, after = changed(tmp_path, files)
    assert beyond_bundle(before, after) == []
    assert beyond_bundle(after, before) == []
    assert deployed_as_a_bundle(files)


@pytest.mark.parametrize(("files", "said"), MORE, ids=lambda value: value if isinstance(value, str) else "")
def test_what_services_say_does(tmp_path: Path, files: dict[str, str | bytes], said: str) -> None:
    before, after = changed(tmp_path, files)
    assert beyond_bundle(before, after) == [said]
    assert beyond_bundle(after, before) == [said.replace("is new", "is gone")]
    assert not deployed_as_a_bundle(files)


def test_so_do_other_names_of_a_table_that_is_granted_by_its_name(tmp_path: Path) -> None:
    """A product's names are its own, unless a role holds them."""
    files: dict[str, str | bytes] = {
        f"{product}.yml": "current: z\n" for product in ("parks/refined/trees", "air/refined/x")
    }
    before, after = changed(tmp_path, files)
    assert beyond_bundle(before, after) == [
        "the names of the tables of parks.refined.trees, which the role of air may read by them"
    ]
