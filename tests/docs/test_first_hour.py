"""From a folder of exports and a saved query to a product that runs every night: the guide's actions, all of them.

And the same on a platform that runs already, with a test, until it is committed: what is typed is counted and timed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dapflow.local.airflow.rest_api import AirflowApi
from tests.docs.markdown import ROOT, blocks, steps
from tests.docs.test_guides import Project
from tests.local.projects import LocalProject

PAGE = ROOT / "docs" / "guides" / "begin-a-service.md"
SECONDS = 300


def actions(page: Path) -> list[str]:
    """What a reader types or saves: commands, statements, and files other than the exports, which are there before."""
    taken = []
    for block in blocks(page):
        if block.language == "console":
            taken += [step.command for step in steps(block)]
        elif block.language == "sql":
            taken.append(f"save {block.attributes['file']}" if "file" in block.attributes else "dapflow query …")
    return taken


def test_there_are_at_most_ten() -> None:
    listed = actions(PAGE)
    assert len(listed) == 10, listed
    assert "Ten actions later" in PAGE.read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A copy of the repository on which nothing runs yet."""
    made = Project(tmp_path / "repository")
    yield made
    made.bash("dapflow local down --wipe")


@pytest.mark.slow
@pytest.mark.xdist_group("guides")
def test_a_saved_query_becomes_a_product_that_runs_every_night(project: Project) -> None:
    began = time.monotonic()
    project.follow(PAGE)
    print(f"{len(actions(PAGE))} actions took {time.monotonic() - began:.0f} s")

    status = LocalProject(project.folder).status()["airflow"]
    api = AirflowApi(status["url"], status["sign_in"]["user"], status["sign_in"]["password"])
    dag = api.get("/dags/libraries")
    assert (dag["is_paused"], dag["timetable_description"] is not None) == (False, True)
    assert dag["next_dagrun_run_after"] is not None
    # What the night will do, done now, for the day that has landed.
    run = api.trigger("libraries", "20240605")
    deadline = time.monotonic() + SECONDS
    while (states := {task["task_id"]: task["state"] for task in api.task_instances("libraries", run)}) != {
        "raw.branches": "success",
        "raw.loans": "success",
        "refined.loans_by_branch": "success",
    }:
        assert time.monotonic() < deadline, states
        time.sleep(1)


@pytest.mark.slow
@pytest.mark.xdist_group("guides")
def test_a_saved_query_of_a_new_service_is_a_tested_product_in_ten_actions(project: Project) -> None:
    """The exports and the query are those of the guide; every command does what it is typed for."""
    query = "transforms/libraries/refined/loans_by_branch.sql"
    files = {block.attributes["file"]: block.text for block in blocks(PAGE) if "file" in block.attributes}
    for name in files.keys() - {query}:
        save(project, name, files[name])
    said = project.bash("dapflow local up --no-airflow")
    assert said.returncode == 0, said.stdout

    walk: list[tuple[str, str]] = [
        ("dapflow new service libraries exports", "transforms/libraries/service.yml: 2 tables"),
        (f"save {query}", ""),
        ("dapflow check", "No mistakes in"),
        ("dapflow land exports/branches_2024-06-05.csv --to libraries.branches --date 2024-06-05", ""),
        ("dapflow land exports/loans_2024-06-05.csv --to libraries.loans --date 2024-06-05", ""),
        ("dapflow run libraries", "libraries.refined.loans_by_branch  2024-06-05"),
        ("dapflow test --new loans_by_branch", "transforms/libraries/tests/loans_by_branch.yml: "),
        ("dapflow test loans_by_branch", "one test passed, of one transform"),
        ("git add transforms && git commit --quiet --message 'Add the libraries'", ""),
        ("dapflow query 'SELECT sum(loans) AS n FROM libraries_refined_zone.loans_by_branch' --csv", '"3"'),
    ]
    assert len(walk) <= 10
    began = time.monotonic()
    for action, expected in walk:
        if action.startswith("save "):
            save(project, query, files[query])
            continue
        before, said = time.monotonic(), project.bash(action)
        print(f"{time.monotonic() - before:5.1f} s  {action}")
        assert (said.returncode, expected in said.stdout) == (0, True), f"{action}\n{said.stdout}"
    print(f"{len(walk)} actions took {time.monotonic() - began:.0f} s")
    assert project.bash("git status --porcelain -- transforms").stdout == ""


def save(project: Project, name: str, text: str) -> None:
    """Save a file, as a person does from an editor."""
    file = project.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
