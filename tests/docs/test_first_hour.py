"""From a folder of exports and a saved query to a product that runs every night: the guide's actions, all of them."""

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
