"""The partition key with which a service's DAG is triggered for a generation."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from dapflow.local.state import State
from dapflow.manifest import Service
from dapflow.runtime.generation import Generation


def partition_key(state: State, service: Service, generation: Generation) -> str:
    """``20131231``; for a service whose cron ticks carry the time of day, noon of that day where the service is."""
    if service.timezone == "UTC":
        return generation.key
    # Only what Airflow's DAGs are made with knows, and importing Airflow writes into its home.
    os.environ.setdefault("AIRFLOW_HOME", str(state.airflow))
    from dapflow.runtime.schedule import MOMENT_FORMAT, Ticks  # noqa: PLC0415

    if not Ticks(service.schedule, service.timezone).in_moments:
        return generation.key
    noon = datetime.combine(generation.day, time(12), ZoneInfo(service.timezone))
    return noon.astimezone(UTC).strftime(MOMENT_FORMAT)
