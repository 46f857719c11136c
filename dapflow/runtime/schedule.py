"""When a service's DAG runs, and which generation a run is for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

# The one in airflow.sdk takes no time zone in 3.2.1.
from airflow.partition_mappers.temporal import StartOfDayMapper
from airflow.sdk import Asset, AssetAll, CronPartitionTimetable, PartitionedAssetTimetable

from dapflow.errors import DapflowError
from dapflow.runtime.generation import Generation

DAILY = "0 5 * * *"
KEY_FORMAT = "%Y%m%d"
# Airflow formats the key of a cron tick in UTC. Where the service's day may be another one, the key carries the time,
# and the day is taken from it in the service's time zone.
MOMENT_FORMAT = "%Y%m%dT%H%M%z"
_PRESETS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *"}
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Ticks:
    """When a service's cron line ticks; None is daily."""

    cron: str | None
    timezone: str

    @property
    def in_moments(self) -> bool:
        """Whether the day of a tick may differ between the service's time zone and UTC."""
        if self.timezone == "UTC":
            return False
        least, most = _offsets(self.timezone)
        first, last = _minutes_of_day(self.cron or DAILY)
        return first < most or last - least >= _DAY_MINUTES


def cron_timetable(ticks: Ticks) -> CronPartitionTimetable:
    """Runs at each tick; the partition key is the generation."""
    key_format = MOMENT_FORMAT if ticks.in_moments else KEY_FORMAT
    return CronPartitionTimetable(ticks.cron or DAILY, timezone=ticks.timezone, key_format=key_format)


def asset_timetable(assets: Sequence[tuple[Asset, Ticks | None]]) -> PartitionedAssetTimetable:
    """Runs for a generation as soon as all of these assets have it.

    Each comes with the ticks that give its keys, or None where its keys come from other assets.
    """
    mappers = {
        asset: StartOfDayMapper(timezone=ticks.timezone, input_format=MOMENT_FORMAT, output_format=KEY_FORMAT)
        for asset, ticks in assets
        if ticks is not None and ticks.in_moments
    }
    return PartitionedAssetTimetable(assets=AssetAll(*(asset for asset, _ in assets)), partition_mapper_config=mappers)


def generation_of_run(dag_run: Any, timezone: str) -> Generation:
    """The generation that a DAG run is for. Raises DapflowError ``no-generation``."""
    key = getattr(dag_run, "partition_key", None) or (dag_run.conf or {}).get("generation")
    if not key:
        raise DapflowError(
            "no-generation",
            f"run {dag_run.run_id} says no generation",
            hint="trigger the DAG with a partition key such as 20131231, or with the configuration "
            '{"generation": "2013-12-31"}',
        )
    try:
        moment = datetime.strptime(str(key), MOMENT_FORMAT)
    except ValueError:
        return Generation.parse(str(key))
    return Generation(moment.astimezone(ZoneInfo(timezone)).date())


@cache
def _offsets(timezone: str) -> tuple[int, int]:
    """Least and greatest offset from UTC in minutes, over the years in which this runs."""
    zone, start = ZoneInfo(timezone), datetime(2020, 1, 1, tzinfo=UTC)
    moments = (start + timedelta(days=15 * number) for number in range(24 * 20))
    offsets = [moment.astimezone(zone).utcoffset() or timedelta() for moment in moments]
    return int(min(offsets).total_seconds() // 60), int(max(offsets).total_seconds() // 60)


@cache
def _minutes_of_day(cron: str) -> tuple[int, int]:
    """Earliest and latest minute of the day at which a cron line ticks; the whole day where that is not plain."""
    fields = _PRESETS.get(cron, cron).split()
    if len(fields) < 2 or not all(re.fullmatch(r"[0-9]+([,-][0-9]+)*", field) for field in fields[:2]):
        return 0, _DAY_MINUTES - 1
    minutes, hours = ([int(part) for part in re.split("[,-]", field)] for field in fields[:2])
    return min(hours) * 60 + min(minutes), max(hours) * 60 + max(minutes)
