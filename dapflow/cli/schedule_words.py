"""When services run, in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dapflow.local.airflow.schedules import ServiceSchedule
    from dapflow.manifest import Manifest


def schedules_in_words(manifest: Manifest) -> dict[str, str]:
    """When each service runs, by its name; a service of nothing but what others make has no runs."""
    from dapflow.local.airflow.schedules import schedules  # noqa: PLC0415

    return {schedule.service: _when(schedule) for schedule in schedules(manifest)}


def _when(schedule: ServiceSchedule) -> str:
    if schedule.cron is None:
        return f"after {', '.join(dict.fromkeys(name.partition('.')[0] for name in schedule.waits_for))}"
    return schedule.cron if schedule.timezone == "UTC" else f"{schedule.cron} {schedule.timezone}"
