"""Fixtures of the embedded platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.in_process import PlatformProject
from tests.local.projects import LocalProject, make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[LocalProject]:
    """A project; what is left of its platform is stopped at the end."""
    project = make_project(tmp_path / "a project")
    yield project
    project.run("local", "down", "--wipe")


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalProject]:
    """A platform without Airflow, for the tests that share a worker as ``local-platform`` and leave it as it was."""
    project = PlatformProject(make_project(tmp_path_factory.mktemp("platform")).root)
    project.run("local", "up", "--no-airflow")
    yield project
    project.run("local", "down", "--wipe")
