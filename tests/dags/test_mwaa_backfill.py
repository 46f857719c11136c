"""``dapflow backfill`` of a deployed environment under the real Airflow, over the embedded AWS and Athena."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dapflow.bundle import build_bundle
from tests.dags.airflow_process import ROOT, airflow_environment, said
from tests.runtime.conftest import environment
from tests.runtime.lake import DAY, EARLIER, Lake


@pytest.mark.slow
def test_runs_in_order_of_what_is_asked_for_alone(
    lake: Lake, aws_endpoint: str, athena_endpoint: str, tmp_path: Path
) -> None:
    """A service that waits for another is built after it, by the command and not by assets, once for each day."""
    made = runs(lake, aws_endpoint, athena_endpoint, tmp_path)
    assert made["both"] == [
        ["weather.raw.hours 2013-12-30", 1, None],
        ["weather.raw.hours 2013-12-31", 2, None],
        ["reports.refined.both 2013-12-30", 1, None],
        ["reports.refined.both 2013-12-31", 2, None],
    ]
    # The raw table that it reads is skipped, and the product behind it is built.
    assert made["alone"] == [["weather.refined.few 2013-12-30", 1, None], ["weather.refined.few 2013-12-31", 2, None]]
    assert {(name, code) for name, _, code in made["other"]} == {
        (f"weather.refined.few {day}", "other-text") for day in (EARLIER, DAY)
    }
    assert Counter((dag, key, kind) for dag, key, _, kind in made["runs"]) == {
        ("weather", "20131230", "manual"): 3,
        ("weather", "20131231", "manual"): 3,
        ("reports", "20131230", "manual"): 1,
        ("reports", "20131231", "manual"): 1,
    }
    assert (made["events"], made["pending"], made["seen by dapflow-starts"]) == (0, 0, [])
    assert lake.publications.generations("reports.refined.both") == [EARLIER, DAY]


def runs(lake: Lake, aws_endpoint: str, athena_endpoint: str, tmp_path: Path) -> dict[str, Any]:
    """What tests/dags/mwaa_runs.py says."""
    lake.services = {name: lake.service(name) for name in ("weather", "reports")}
    lake.provision()
    hours = lake.raw("hours", service="weather")
    lake.land(hours, EARLIER, hours_csv="tailnum,seats\nN1,1\n")
    lake.land(hours, DAY, hours_csv="tailnum,seats\nN1,1\nN2,2\n")
    few = lake.product("few", "SELECT tailnum FROM hours", [("FROM hours", hours.id)], service="weather")
    sql = "SELECT tailnum FROM weather_raw_zone.hours"
    lake.product("both", sql, [("weather_raw_zone.hours", hours.id)], service="reports")
    lake.overrides["deferrable"] = False
    folder = build_bundle(ROOT, lake.manifest, lake.environment, tmp_path / "bundle")
    assert few.transform is not None
    lake.datasets[few.id] = replace(few, transform=replace(few.transform, sha="another"))
    (tmp_path / "other.json").write_text(lake.manifest.to_json())
    own = {
        **airflow_environment(tmp_path, folder, environment(aws_endpoint, athena_endpoint)),
        # The command is not in the bundle, and brings the same run time.
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret of this test, which is long enough to sign tokens with",
    }
    command = [sys.executable, "-m", "tests.dags.mwaa_runs", str(folder), str(tmp_path / "other.json")]
    made, _ = said(command, own, tmp_path)
    return made
