"""When services run on this machine: seen, and switched on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dapflow.branch import check_bundled
from dapflow.bundle import build_bundle
from dapflow.environment import read_environment
from dapflow.local.airflow.schedules import bundled_schedules, is_scheduled, switch_schedules
from dapflow.local.cloudformation.provision import describe_local, describe_local_branch
from dapflow.manifest import Manifest
from dapflow.servers.state import State
from tests.project.writing import compile_files

FILES: dict[str, str | bytes] = {
    "air/service.yml": "sources: {flights: {columns: {a: integer}}}\ngrants: {rail: [raw], road: [raw]}\n",
    "rail/service.yml": "reads: [air.raw]\n",
    "rail/refined/x.sql": "SELECT a FROM air_raw_zone.flights",
    "road/service.yml": 'reads: [air.raw]\nschedule: "30 6 * * 1"\ntimezone: Europe/London\n',
    "road/refined/x.sql": "SELECT a FROM air_raw_zone.flights",
    "empty/service.yml": "title: Nothing yet\n",
}


def project(root: Path) -> tuple[State, Manifest]:
    return State.of(root), compile_files(root, FILES)


def test_what_each_service_waits_for_is_seen(tmp_path: Path) -> None:
    state, manifest = project(tmp_path)
    assert bundled_schedules(state) == []
    build_bundle(tmp_path, manifest, describe_local(tmp_path, manifest).environment, state.bundle)
    schedules = {schedule.service: schedule for schedule in bundled_schedules(state)}
    assert {name: (schedule.cron, schedule.timezone, schedule.waits_for) for name, schedule in schedules.items()} == {
        "air": ("0 5 * * *", "UTC", ()),
        "rail": (None, "UTC", ("air.raw.flights",)),
        "road": ("30 6 * * 1", "Europe/London", ()),
    }
    assert schedules["rail"].next is None
    following = schedules["road"].next
    assert following is not None
    assert (following.strftime("%A %H:%M"), following.tzname() in ("GMT", "BST")) == ("Monday 06:30", True)
    assert timedelta() < following - datetime.now(UTC) <= timedelta(days=7)


def test_schedules_start_nothing_until_they_are_switched_on(tmp_path: Path) -> None:
    state, manifest = project(tmp_path)
    for on in (False, True, False):
        if is_scheduled(state) != on:
            switch_schedules(state, on=on)
        environment = describe_local(tmp_path, manifest).environment
        assert (environment.scheduled, is_scheduled(state)) == (on, on)


def test_a_branch_environment_goes_on_after_the_switch(tmp_path: Path) -> None:
    """Its bundle must say what its host's does, or its DAGs are refused."""
    state, manifest = project(tmp_path)
    branch = describe_local_branch(tmp_path, manifest, "try").environment
    build_bundle(tmp_path, manifest, describe_local(tmp_path, manifest).environment, state.bundle)
    folder = build_bundle(tmp_path, manifest, branch, state.bundle)
    switch_schedules(state, on=True)
    build_bundle(tmp_path, manifest, describe_local(tmp_path, manifest).environment, state.bundle)
    now = read_environment(folder / "environment.json")
    assert now.scheduled
    check_bundled(folder, manifest, now)
