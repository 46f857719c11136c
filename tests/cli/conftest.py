"""Fixtures of commands that work on the embedded platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.in_process import PlatformProject
from tests.local.projects import SERVICE, LocalProject, make_project

# A service whose branches come less often than its loans.
LIBRARIES = {
    "service.yml": "sources: {loans: {columns: {branch: integer}}, branches: {columns: {branch: integer}}}\n",
    "refined/busy.sql": "SELECT branch, count(*) AS loans FROM loans WHERE branch IN (SELECT branch FROM branches) "
    "GROUP BY branch\n",
    "refined/busy.yml": "inputs: {branches: {on_missing: previous}}\n",
    "refined/days.sql": "SELECT count(DISTINCT import_date) AS days FROM loans_history\n",
}


# Before the tests of every file get a group of their own.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the one platform share a worker; those of other rooms may call theirs the same."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "platform" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("cli-platform"))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[LocalProject]:
    """A project; what is left of its platform is stopped at the end."""
    project = make_project(tmp_path / "a project")
    yield project
    project.run("local", "down", "--wipe")


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProject]:
    """A project whose AWS and Athena run for all tests of commands, with two nights of housing's repairs landed."""
    project = PlatformProject(make_project(tmp_path_factory.mktemp("platform")).root)
    project.write("transforms/roads/service.yml", SERVICE.replace("Housing", "Roads"))
    for name, text in LIBRARIES.items():
        project.write(f"transforms/libraries/{name}", text)
    project.run("local", "up", "--no-airflow")
    s3 = project.client("s3")
    for night, lines in {"2024-06-04": "1,10.5,true\n", "2024-06-05": "1,10.5,true\n2,5,false\n3,,false\n"}.items():
        key = f"housing/repairs/{night}/repairs.csv"
        s3.put_object(Bucket="dapflow-local-landing-123456789012", Key=key, Body=f"id,cost,done\n{lines}".encode())
    yield project
    project.run("local", "down", "--wipe")
