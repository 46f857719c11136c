"""When a service's DAG runs, and which generation a run is for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow.sdk import Asset, AssetAll, CronPartitionTimetable, PartitionedAssetTimetable

from dapflow.errors import DapflowError
from dapflow.manifest import DAILY
from dapflow.runtime.generation import Generation

# A partition key is a generation. Airflow formats that of a cron tick in the time zone of the timetable, since 3.3.
KEY_FORMAT = "%Y%m%d"


def cron_timetable(cron: str | None, timezone: str) -> CronPartitionTimetable:
    """Runs at each tick, daily where no cron line is given; the partition key is the tick's day in the time zone."""
    return CronPartitionTimetable(cron or DAILY, timezone=timezone, key_format=KEY_FORMAT)


def asset_timetable(assets: Iterable[Asset]) -> PartitionedAssetTimetable:
    """Runs for a generation as soon as all of these assets have it."""
    return PartitionedAssetTimetable(assets=AssetAll(*assets))


def generation_of_run(dag_run: Any) -> Generation:
    """The generation that a DAG run is for. Raises DapflowError ``no-generation``, or ``generation`` for no date."""
    key = getattr(dag_run, "partition_key", None) or (dag_run.conf or {}).get("generation")
    if not key:
        raise DapflowError(
            "no-generation",
            f"run {dag_run.run_id} says no generation",
            hint="trigger the DAG with a partition key such as 20131231, or with the configuration "
            '{"generation": "2013-12-31"}',
        )
    try:
        return Generation.parse(str(key))
    except DapflowError as error:
        raise DapflowError(error.code, f"run {dag_run.run_id}: {error.message}", hint=error.hint) from None
