"""`dapflow compile` once more: nothing is done where nothing has changed, and all is where anything has."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import dapflow.known_answers
import dapflow.project
from dapflow.compiled import inputs
from dapflow.known_answers import reader
from tests.cli.in_process import dapflow as command
from tests.project.writing import write_project

FILES = {
    "air/service.yml": "title: Air\nsources:\n  flights:\n    columns: {carrier: string, year: int}\n",
    "air/refined/late.sql": "SELECT carrier, year FROM flights",
    "air/refined/late.yml": "description: Late ones\nchecks:\n  none is early: {sql: none_early.sql}\n",
    "air/checks/none_early.sql": "SELECT * FROM air_refined_lake.late WHERE year < 2000",
    "sea/service.yml": "title: Sea\n",
}
SETTINGS = '[tool.dapflow]\ndatabase = "{service}_{zone}_lake"\n'


@pytest.fixture(autouse=True)
def _this_dapflow() -> Iterator[None]:
    """Who reads is looked up again after a test in which it was another one."""
    yield
    reader.cache_clear()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that was compiled."""
    project = write_project(tmp_path / "project", {**FILES})
    (project / "pyproject.toml").write_text(SETTINGS)
    assert compiled(project).returncode == 0
    return project


def compiled(root: Path) -> subprocess.CompletedProcess[str]:
    return command("compile", "--project", str(root), cwd=root)


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The projects that were read."""
    projects: list[Path] = []
    read: Callable[[Path], Any] = dapflow.project.compile_project

    def compile_project(root: Path) -> Any:
        projects.append(root)
        return read(root)

    monkeypatch.setattr(dapflow.project, "compile_project", compile_project)
    return projects


def test_nothing_is_read_where_nothing_has_changed(root: Path, reading: list[Path], tmp_path: Path) -> None:
    file = root / ".dapflow" / "manifest.json"
    written = file.read_bytes()
    again = compiled(root)
    assert (again.returncode, reading) == (0, [])
    assert file.read_bytes() == written
    elsewhere = command("compile", "--project", str(root), "--output", str(tmp_path / "m.json"), cwd=root)
    assert reading == [root]
    assert again.stdout.replace(str(file), "F") == elsewhere.stdout.replace(str(tmp_path / "m.json"), "F")
    assert (tmp_path / "m.json").read_bytes() == written


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("transforms/air/service.yml", FILES["air/service.yml"].replace("Air", "Sky")),
        ("transforms/air/refined/late.sql", "SELECT carrier, year FROM flights -- all"),
        ("transforms/air/refined/late.sql", None),
        ("transforms/air/refined/early.sql", "SELECT carrier FROM flights"),
        ("transforms/air/refined/late.yml", "description: Late"),
        ("transforms/air/checks/none_early.sql", "SELECT * FROM air_refined_lake.late WHERE year < 1999"),
        ("transforms/air/checks/none_early.sql", None),
        ("transforms/air/late.sql", "SELECT 1 AS a"),
        ("transforms/air/refined/deep/er/late.sql", "SELECT 1 AS a"),
        ("transforms/air/refined/late.sql.orig", ""),
        ("transforms/sea/service.yml", None),
        ("transforms/land/service.yml", "title: Land"),
        ("pyproject.toml", SETTINGS.replace("lake", "zone")),
        ("pyproject.toml", None),
        (".dapflow/manifest.json", "{}"),
        (".dapflow/manifest.json", None),
        (".dapflow/known/manifests", "{}"),
        (".dapflow/known/manifests", "nothing"),
    ],
)
def test_whatever_changes_is_read(root: Path, reading: list[Path], file: str, text: str | None, tmp_path: Path) -> None:
    if text is None:
        (root / file).unlink()
    else:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    again = compiled(root)
    assert reading == [root]
    elsewhere = command("compile", "--project", str(root), "--output", str(tmp_path / "m.json"), cwd=root)
    assert again.returncode == elsewhere.returncode
    if again.returncode == 0:
        assert (root / ".dapflow" / "manifest.json").read_bytes() == (tmp_path / "m.json").read_bytes()
    else:
        assert again.stderr == elsewhere.stderr


def test_another_dapflow_reads_all_again(root: Path, reading: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dapflow.known_answers, "__version__", "another")
    reader.cache_clear()
    assert compiled(root).returncode == 0
    assert reading == [root]
    monkeypatch.setattr(sys, "version", "another")
    reader.cache_clear()
    assert compiled(root).returncode == 0
    assert reading == [root, root]


def test_a_changed_module_of_dapflow_reads_all_again(
    root: Path, reading: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = tmp_path / "code" / "trino"
    code.mkdir(parents=True)
    shutil.copy(str(dapflow.known_answers.__file__), tmp_path / "code" / "known_answers.py")
    (code / "types.py").write_text("A = 1")
    monkeypatch.setattr(dapflow.known_answers, "__file__", str(tmp_path / "code" / "known_answers.py"))
    for change, times in (("A = 1", 1), (None, 1), ("A = 2", 2)):
        if change is not None:
            (code / "types.py").write_text(change)
        reader.cache_clear()
        assert compiled(root).returncode == 0
        assert len(reading) == times


def test_what_changes_meanwhile_is_read_the_next_time(
    root: Path, reading: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = root / "transforms/air/refined/late.sql"
    before, read = file.read_text(), dapflow.project.compile_project

    def compile_project(project: Path) -> Any:
        file.write_text("SELECT year FROM flights")
        manifest = read(project)
        # As it was before: the manifest is of another text all the same.
        file.write_text(before)
        return manifest

    (root / ".dapflow" / "known" / "manifests").unlink()
    monkeypatch.setattr(dapflow.project, "compile_project", compile_project)
    assert compiled(root).returncode == 0
    monkeypatch.setattr(dapflow.project, "compile_project", read)
    assert compiled(root).returncode == 0
    assert reading == [root, root]
    assert before in (root / ".dapflow" / "manifest.json").read_text()


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """What is opened from now on, files and folders."""
    names: list[str] = []
    under_way = True

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if under_way and event in {"open", "os.listdir", "os.scandir"}:
            names.append(str(arguments[0]))

    sys.addaudithook(note)
    yield names
    # A hook stays for as long as the process lives.
    under_way = False


def test_all_that_is_read_is_among_what_is_looked_at(root: Path, opened: list[str], tmp_path: Path) -> None:
    """So that nobody lets the compiler read another file without it."""
    assert command("compile", "--project", str(root), "--output", str(tmp_path / "m.json"), cwd=root).returncode == 0
    # What is known of a text is found by the text, and makes no other manifest.
    read = {name for name in opened if name.startswith(str(root)) and ".dapflow" not in name}
    opened.clear()
    assert inputs(root) is not None
    assert read <= set(opened)
    assert len(read) > len(FILES)


def test_links_that_lead_nowhere_or_around_are_no_hindrance(root: Path, reading: list[Path]) -> None:
    (root / "transforms" / "air" / "notes.txt").symlink_to("nowhere")
    assert compiled(root).returncode == 0
    assert compiled(root).returncode == 0
    assert reading == [root, root]
    (root / "transforms" / "air" / "notes.txt").unlink()
    (root / "transforms" / "air" / "around").symlink_to(root / "transforms", target_is_directory=True)
    assert "[DAP302 misplaced-file]" in compiled(root).stderr
