"""Airflow's own backfill: of DAGs with a cron line, by the days of their time zone; of no others."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.dags.airflow_process import ROOT, airflow_environment, said
from tests.dags.bundles import product, raw, service, write_bundle


def backfill(tmp_path: Path, dag_id: str, first: str, last: str) -> dict[str, Any]:
    """Of a service that runs half an hour after midnight in London, and one that waits for it."""
    folder = write_bundle(
        tmp_path / "bundle",
        [service("weather", schedule="30 0 * * *", timezone="Europe/London"), service("reports")],
        [raw("weather", "hours"), product("reports", "both", "weather.raw.hours")],
    )
    shutil.copy(ROOT / "dags" / "dapflow_services.py", folder)
    command = [sys.executable, "-m", "tests.dags.backfill_runs", str(folder), dag_id, first, last]
    made, _ = said(command, airflow_environment(tmp_path, folder, {}), tmp_path)
    return made


@pytest.mark.slow
def test_a_run_for_each_day_with_the_day_as_its_key(tmp_path: Path) -> None:
    """In summer half past midnight in London is the day before in UTC."""
    made = backfill(tmp_path, "weather", "2024-07-01", "2024-07-03T23:59:59")
    assert made["refusal"] is None
    assert made["runs"] == [[key, "backfill", "queued"] for key in ("20240701", "20240702", "20240703")]


@pytest.mark.slow
def test_what_waits_for_others_is_refused(tmp_path: Path) -> None:
    made = backfill(tmp_path, "reports", "2024-07-01", "2024-07-03")
    assert made["runs"] == []
    assert "does not support backfills" in made["refusal"]
