"""A text in an editor is told what ``dapflow check`` tells its file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dapflow.editor.edited_project import EditedProject
from tests.mistakes import FILES, project_of, text_of
from tests.project.writing import write_project


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> EditedProject:
    return EditedProject(project_of(tmp_path_factory.mktemp("project")))


def test_what_is_typed_is_told_what_the_file_is(mistakes: EditedProject) -> None:
    """Every mistake of the fixtures, typed into the file of another one that has none."""
    snapshot = mistakes.read()
    different = {}
    for file in FILES:
        name = f"transforms/housing/refined/{file.name}"
        typed = [str(finding) for finding in mistakes.findings(snapshot, name, text_of(file))]
        if typed != [str(finding) for finding in snapshot.findings.get(name, [])]:
            different[file.name] = typed
    assert different == {}


def test_a_circle_is_found_while_it_is_typed(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": "sources: {flights: {columns: {year: integer}}}",
        "air/refined/a.sql": "SELECT year FROM flights",
        "air/refined/b.sql": "SELECT year FROM air_refined_zone.a",
    }
    project = EditedProject(write_project(tmp_path, files))
    name = "transforms/air/refined/a.sql"
    codes = [finding.code for finding in project.findings(project.read(), name, "SELECT year FROM air_refined_zone.b")]
    assert codes == ["cycle"]
    [itself] = project.findings(project.read(), name, "SELECT year FROM air_refined_zone.a")
    assert (itself.code, itself.message) == ("cycle", "air.refined.a reads itself")


def test_unsaved_texts_stand_in_place_of_files(tmp_path: Path) -> None:
    project = EditedProject(write_project(tmp_path, {"air/refined/a.sql": "SELECT year FROM flights"}))
    assert project.read().findings == {}
    path = tmp_path / "transforms" / "air" / "service.yml"
    project.unsaved[path] = "sources: {flights: {columns: {day: date}}}"
    assert [finding.code for finding in project.read().findings["transforms/air/refined/a.sql"]] == ["unknown-column"]
    del project.unsaved[path]
    assert project.read().findings == {}


def test_a_file_in_place_of_another_of_its_size_and_time_is_read(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": "sources: {flights: {columns: {year: integer}}}",
        "air/refined/a.sql": "SELECT year FROM flights",
    }
    project = EditedProject(write_project(tmp_path, files))
    assert project.read().findings == {}
    file, other = tmp_path / "transforms" / "air" / "refined" / "a.sql", tmp_path / "other.sql"
    other.write_text("SELECT yeer FROM flights")
    status = file.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    other.replace(file)
    assert [finding.code for finding in project.read().findings["transforms/air/refined/a.sql"]] == ["unknown-column"]


def test_a_project_that_is_none_is_silent(tmp_path: Path) -> None:
    project = EditedProject(tmp_path)
    assert [finding.code for found in project.read().findings.values() for finding in found] == ["unreadable-file"]
    (tmp_path / "pyproject.toml").write_text("not toml [")
    assert project.read().findings["pyproject.toml"][0].code == "bad-settings"
