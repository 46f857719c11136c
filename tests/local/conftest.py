"""Fixtures of the embedded platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.projects import LocalProject, make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[LocalProject]:
    """A project; what is left of its platform is stopped at the end."""
    project = make_project(tmp_path / "a project")
    yield project
    project.run("local", "down", "--wipe")
