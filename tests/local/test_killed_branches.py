"""Branches that are killed at any step of up and down: the same command, ``down`` and the reaper get to a clear end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from botocore.client import BaseClient

from dapflow.errors import DapflowError
from dapflow.local import branches
from dapflow.local.branches import extend, take_down, take_down_expired
from dapflow.local.cloudformation.query_resources import Databases
from dapflow.servers.state import read_json
from tests.aws_servers import LocalAws
from tests.local.projects import SERVICE, LocalProject
from tests.local.test_branches import NAME, SLUG, Airflow, airflow, everything, project, up
from tests.reliability.faults import KilledError

__all__ = ["airflow", "project"]
# Of all steps, what a quick run dies at.
SAMPLE = 3
_NAMES = ("unlink", "rmdir", "replace", "rename", "mkdir")
_AIRFLOW = tuple(
    (Airflow, name)
    for name in ("put_pool", "put_connection", "fail_runs", "delete_dag", "delete_pool", "delete_connection")
)


class Dying:
    """Counts the steps after which something outside the process is otherwise, and ends the process at one of them."""

    def __init__(self, at: int | None, *, after: bool = False) -> None:
        self.steps = 0
        self._at, self._after = at, after

    def step(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call as a step."""

        def counted(*arguments: Any, **named: Any) -> Any:
            self.steps += 1
            if self._at is not None and self.steps > self._at:
                # Nothing of a process that is dead reaches anything.
                raise KilledError
            if self.steps == self._at and not self._after:
                raise KilledError
            answer = call(*arguments, **named)
            if self.steps == self._at:
                raise KilledError
            return answer

        return counted


@contextmanager
def dying(at: int | None, *, after: bool = False) -> Iterator[Dying]:
    """Let calls of AWS and Airflow, and changes of files' names, be steps."""
    steps = Dying(at, after=after)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((BaseClient, "_make_api_call"), *((os, name) for name in _NAMES), *_AIRFLOW):
            patch.setattr(owner, name, steps.step(getattr(owner, name)))
        with suppress(KilledError):
            yield steps


def steps_of(command: Callable[[], object]) -> int:
    with dying(None) as counted:
        command()
    return counted.steps


def deaths(steps: int, slow: bool) -> list[tuple[int, bool]]:
    """At which steps it dies, and whether after them."""
    every = [(at, after) for at in range(1, steps + 1) for after in (False, True)]
    return every if slow else every[:: max(1, len(every) // SAMPLE)]


def down(project: LocalProject) -> None:
    """Take it down, or be told that there is nothing."""
    try:
        take_down(project.state, NAME, lambda _: None)
    except DapflowError as error:
        assert error.code == "branch-not-up"


def expire(project: LocalProject) -> None:
    file = project.state.branches / SLUG / "branch.json"
    if noted := read_json(file):
        file.write_text(json.dumps({**noted, "expires": "2020-01-01T00:00:00+00:00"}))


def reaped(project: LocalProject) -> None:
    """What ``dapflow local up`` does with what has expired."""
    expire(project)
    take_down_expired(project.state, lambda _: None)


def left(project: LocalProject, aws: LocalAws, airflow: Airflow) -> dict[str, Any]:
    """All that could be left of a branch, folders too."""
    folders = {path.name for path in project.state.branches.glob("*")}
    return {**everything(aws, airflow, project.state), "folders": folders}


def settled(what: dict[str, Any]) -> dict[str, Any]:
    """The same without files that were not finished: they go with the branch."""
    return {**what, "files": {name for name in what["files"] if not name.rpartition("/")[2].startswith(".")}}


def differing(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What is in one of them alone."""
    return {key: set(one[key]) ^ set(other[key]) for key in one if set(one[key]) != set(other[key])}


LENGTHS = [pytest.param(False, id="some"), pytest.param(True, id="all", marks=pytest.mark.slow)]


@pytest.mark.parametrize("slow", LENGTHS)
def test_killed_while_it_comes_up(aws: LocalAws, airflow: Airflow, project: LocalProject, slow: bool) -> None:
    steps = steps_of(lambda: up(project))
    whole = settled(left(project, aws, airflow))
    down(project)
    before = left(project, aws, airflow)
    print(f"{steps} steps of up")
    for number, (at, after) in enumerate(deaths(steps, slow)):
        for end in (down, reaped) if slow else ((down, reaped)[number % 2],):
            with dying(at, after=after):
                up(project)
            end(project)
            assert not differing(left(project, aws, airflow), before), f"{end.__name__} after a death at {at}"
        with dying(at, after=after):
            up(project)
        up(project)
        assert not differing(settled(left(project, aws, airflow)), whole), f"up again after a death at {at}"
        down(project)
        assert not differing(left(project, aws, airflow), before), f"up and down after a death at {at}"


@pytest.mark.parametrize("slow", LENGTHS)
def test_killed_while_it_goes_down(aws: LocalAws, airflow: Airflow, project: LocalProject, slow: bool) -> None:
    before = left(project, aws, airflow)
    up(project)
    whole = settled(left(project, aws, airflow))
    steps = steps_of(lambda: down(project))
    print(f"{steps} steps of down")
    for number, (at, after) in enumerate(deaths(steps, slow)):
        for end in (down, reaped) if slow else ((down, reaped)[number % 2],):
            up(project)
            with dying(at, after=after):
                take_down(project.state, NAME, lambda _: None)
            end(project)
            assert not differing(left(project, aws, airflow), before), f"{end.__name__} after a death at {at}"
        up(project)
        with dying(at, after=after):
            take_down(project.state, NAME, lambda _: None)
        up(project)
        assert not differing(settled(left(project, aws, airflow)), whole), f"up again after a death at {at}"
        down(project)
    assert not differing(left(project, aws, airflow), before)


def test_killed_while_a_database_gets_another_name(aws: LocalAws, airflow: Airflow, project: LocalProject) -> None:
    before = left(project, aws, airflow)
    up(project)
    project.write("transforms/housing/service.yml", f"{SERVICE}databases: {{refined: homes_refined_zone}}\n")
    create = Databases.create

    def die(kind: Databases, name: str, properties: dict[str, Any]) -> None:
        create(kind, name, properties)
        raise KilledError

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(Databases, "create", die)
        up(project)
    assert {"homes", "housing"} <= {
        name.split("__")[1].split("_")[0] for name in left(project, aws, airflow)["databases"] if "__" in name
    }
    # Back to the old name, which is still there, and then away.
    project.write("transforms/housing/service.yml", SERVICE)
    up(project)
    assert not [name for name in left(project, aws, airflow)["databases"] if "homes" in name]
    down(project)
    assert not differing(left(project, aws, airflow), before)


@pytest.mark.slow
def test_killed_while_it_follows_the_project(aws: LocalAws, airflow: Airflow, project: LocalProject) -> None:
    """A service more, one with other databases: what was, and what was to be, are both taken away."""
    before = left(project, aws, airflow)
    service = project.root / "transforms/housing/service.yml"
    text = service.read_text()
    parking = {
        "service.yml": "sources: {permits: {columns: {id: integer}}}\n",
        "refined/few.sql": "SELECT id FROM permits\n",
    }

    def change(*, there: bool) -> None:
        service.write_text(text if not there else f"{text}databases: {{refined: homes_refined_zone}}\n")
        for name, content in parking.items():
            if there:
                project.write(f"transforms/parking/{name}", content)
            else:
                (project.root / "transforms/parking" / name).unlink(missing_ok=True)
        if not there and (project.root / "transforms/parking").is_dir():
            (project.root / "transforms/parking/refined").rmdir()
            (project.root / "transforms/parking").rmdir()

    up(project)
    change(there=True)
    steps = steps_of(lambda: up(project))
    whole = settled(left(project, aws, airflow))
    down(project)
    for at, after in deaths(steps, slow=True):
        change(there=False)
        up(project)
        change(there=True)
        with dying(at, after=after):
            up(project)
        change(there=False)
        down(project)
        assert not differing(left(project, aws, airflow), before), f"down after a death at {at}"
        up(project)
        change(there=True)
        with dying(at, after=after):
            up(project)
        up(project)
        assert not differing(settled(left(project, aws, airflow)), whole), f"up again after a death at {at}"
        down(project)
    assert not differing(left(project, aws, airflow), before)


def test_killed_while_it_is_extended(project: LocalProject) -> None:
    up(project)
    noted = branches.find_branch(project.state, NAME)
    for at, after in deaths(steps_of(lambda: extend(project.state, NAME, 40)), slow=True):
        with dying(at, after=after):
            extend(project.state, NAME, 50)
        assert branches.find_branch(project.state, NAME).expires >= noted.expires
        extend(project.state, NAME, 50)
    down(project)
    assert not list(project.state.branches.glob("*"))
