"""The partition key with which a service's DAG is triggered for a generation."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from dapflow.local.published import producers
from dapflow.local.state import State
from dapflow.manifest import Manifest
from dapflow.runtime.generation import Generation


def partition_key(state: State, manifest: Manifest, service: str, generation: Generation) -> str:
    """``20131231``; for a service whose cron ticks carry the time of day, noon of that day where the service is.

    The DAGs that wait for the service take such a key apart, and would not understand the other.
    """
    own = manifest.services[service]
    has_ticks = own.schedule is not None or not producers(manifest, service)
    if own.timezone == "UTC" or not has_ticks:
        return generation.key
    # Only what the DAGs are made with knows, and importing Airflow writes into its home.
    os.environ.setdefault("AIRFLOW_HOME", str(state.airflow))
    from dapflow.runtime.schedule import MOMENT_FORMAT, Ticks  # noqa: PLC0415

    if not Ticks(own.schedule, own.timezone).in_moments:
        return generation.key
    noon = datetime.combine(generation.day, time(12), ZoneInfo(own.timezone))
    return noon.astimezone(UTC).strftime(MOMENT_FORMAT)
