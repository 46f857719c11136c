"""When services run: what they wait for, and whether schedules start runs on this platform.

They do not until that is asked for: landing files of a laptop are of other days than today.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from croniter import croniter  # type: ignore[import-untyped]

from dapflow.branch import FOLDER
from dapflow.environment import read_environment
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.manifest import DAILY, POINTER, Manifest, read_manifest
from dapflow.servers.state import State, read_json, write_json


@dataclass(frozen=True)
class ServiceSchedule:
    """When a service runs.

    Attributes:
        cron: its cron line; None where it runs when what it ``waits_for`` has a generation.
    """

    service: str
    cron: str | None
    timezone: str
    waits_for: tuple[str, ...]

    @property
    def next(self) -> datetime | None:
        """The next tick of the cron line."""
        if self.cron is None:
            return None
        tick: datetime = croniter(self.cron, datetime.now(ZoneInfo(self.timezone))).get_next(datetime)
        return tick


def is_scheduled(state: State) -> bool:
    """Whether schedules start runs on this platform."""
    return read_json(state.schedule_file).get("on") is True


def switch_schedules(state: State, *, on: bool) -> None:
    """Let schedules start runs from the next bundle on, or no longer."""
    write_json(state.schedule_file, {"on": on})
    # A branch's bundle must say what its host's says (``dapflow.branch.check_bundled``).
    for file in (state.bundle / "dags" / FOLDER).glob("*/environment.json"):
        write_whole(file, replace(read_environment(file), scheduled=on).to_json().encode())
        for entry in file.parent.glob("*.py"):
            os.utime(entry)


def schedules(manifest: Manifest) -> list[ServiceSchedule]:
    """When each service runs, by the rule of the DAG factory."""
    service_schedules = []
    for service in manifest.services.values():
        waits_for = tuple(sorted(_waits_for(manifest, service.datasets)))
        cron = service.schedule or (None if waits_for else DAILY)
        if service.datasets:
            service_schedules.append(ServiceSchedule(service.name, cron, service.timezone, () if cron else waits_for))
    return service_schedules


def bundled_schedules(state: State) -> list[ServiceSchedule]:
    """The same of the bundle that Airflow has; empty without one."""
    dags = state.bundle / "dags"
    pointer = read_json(dags / POINTER).get("manifest")
    try:
        return schedules(read_manifest(dags / str(pointer))) if pointer else []
    except DapflowError:
        return []  # of another release, until the next `local up`


def _waits_for(manifest: Manifest, datasets: tuple[str, ...]) -> set[str]:
    awaited: set[str] = set()
    for dataset_id in datasets:
        dataset = manifest.datasets[dataset_id]
        slower = dataset.transform.slower_inputs if dataset.transform else ()
        awaited.update(read for read in dataset.depends_on if read not in slower and read not in datasets)
    return {read for read in awaited if manifest.datasets[read].has_generations}
