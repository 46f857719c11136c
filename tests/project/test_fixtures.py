"""Projects with mistakes, as folders: each beside an ``expected.txt`` of all that is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.project import check_project

PROJECTS = sorted((Path(__file__).parents[1] / "fixtures" / "projects").iterdir())


@pytest.mark.parametrize("root", PROJECTS, ids=lambda root: root.name)
def test_mistakes(root: Path) -> None:
    manifest, errors = check_project(root)
    assert manifest is None
    assert "\n\n".join(map(str, errors)) + "\n" == (root / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("root", PROJECTS, ids=lambda root: root.name)
def test_every_mistake_names_its_file(root: Path) -> None:
    _, errors = check_project(root)
    for error in errors:
        assert error.file is not None
        assert (root / error.file).exists()
        assert error.file.startswith("transforms/")


def test_there_are_fixtures() -> None:
    assert len(PROJECTS) > 25
