"""The operators under the real Airflow, over the embedded AWS and Athena."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from dapflow.bundle import build_bundle
from tests.dags.airflow_process import ROOT, airflow_environment, said
from tests.runtime.conftest import environment
from tests.runtime.lake import DAY, Lake

JOURNEY = {
    "weather:raw.hours": "success",
    "weather:refined.few": "success",
    "reports:refined.both": "success",
}


@pytest.mark.slow
def test_generation_travels_from_service_to_service(
    lake: Lake, aws_endpoint: str, athena_endpoint: str, tmp_path: Path
) -> None:
    """The partition key goes with the asset events, and starts the service that waits for it."""
    folder = bundle(lake, tmp_path, deferrable=False)
    result = airflow(sys.executable, tmp_path, folder, environment(aws_endpoint, athena_endpoint))
    assert result["states"] == JOURNEY
    assert [(event["key"], event["task"], event["extra"]["rows"]) for event in result["events"]] == [
        ("20131231", "raw.hours", 2),
        ("20131231", "refined.few", 2),
    ]
    assert result["started"] == [["reports", "20131231", "asset_triggered"]]
    assert lake.publications.generations("reports.refined.both") == [DAY]
    few = lake.datasets["weather.refined.few"]
    assert lake.rows(few) == [("N1", "{{ ds }}"), ("N2", "{{ ds }}")]


@pytest.mark.slow
def test_deferred_in_an_environment_with_mwaas_packages_only(
    lake: Lake, aws_endpoint: str, athena_endpoint: str, mwaa_python: Path, tmp_path: Path
) -> None:
    """The bundle brings all of dapflow that it needs, and Airflow's stock trigger waits for Athena."""
    folder = bundle(lake, tmp_path, deferrable=True)
    result = airflow(str(mwaa_python), tmp_path, folder, environment(aws_endpoint, athena_endpoint))
    assert result["states"] == JOURNEY
    assert result["dapflow"].startswith(str(folder))
    assert result["installed"] == {"duckdb": False, "moto": False, "aiobotocore": True}
    assert lake.publications.generations("reports.refined.both") == [DAY]


@pytest.mark.slow
@pytest.mark.parametrize("deferrable", [False, True], ids=["waiting", "deferred"])
def test_failing_tasks_say_why_and_publish_nothing(
    lake: Lake, aws_endpoint: str, athena_endpoint: str, mwaa_python: Path, tmp_path: Path, deferrable: bool
) -> None:
    """The exception names the file and what helps, a user's mistake is not tried again, nothing is left."""
    folder = bundle(
        lake, tmp_path, deferrable=deferrable, few="SELECT tailnum,\n  seats / (seats - seats) AS x FROM hours"
    )
    result = airflow(str(mwaa_python), tmp_path, folder, environment(aws_endpoint, athena_endpoint))
    assert result["states"] == {**JOURNEY, "weather:refined.few": "failed"}
    said = "transforms/air_traffic/refined/x.sql: DIVISION_BY_ZERO: Division by zero [query-failed]\nhint: divide by"
    assert f"AirflowFailException: {said}" in result["log"]
    assert "dapflow/runtime/athena.py" not in result["log"]
    led = result["links"]["weather:refined.few"]
    query = led["Query Results"].partition("#/query-editor/history/")[2]
    asked = lake.clients.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert (asked["Status"]["State"], "seats / (seats - seats)" in asked["Query"]) == ("FAILED", True)
    assert "/tables/view/few?database=weather_refined_zone&" in led["Product"]
    assert lake.tables("refined", "weather") == set()
    assert not [key for key in lake.objects("refined") if key.startswith("weather/")]


def bundle(lake: Lake, tmp_path: Path, *, deferrable: bool, few: str | None = None) -> Path:
    """A service with landing files, and one that waits for it."""
    lake.services = {name: lake.service(name) for name in ("weather", "reports")}
    lake.provision()
    hours = lake.raw("hours", service="weather")
    lake.land(hours, hours_csv="tailnum,seats\nN1,1\nN2,2\n")
    sql = few or "SELECT tailnum, '{{ ds }}' AS braces FROM hours"
    lake.product("few", sql, [("FROM hours", hours.id)], service="weather")
    sql = "SELECT h.tailnum FROM weather_raw_zone.hours h"
    lake.product("both", sql, [("weather_raw_zone.hours", hours.id)], service="reports")
    lake.overrides["deferrable"] = deferrable
    return build_bundle(ROOT, lake.manifest, lake.environment, tmp_path / "bundle")


def airflow(python: str, tmp_path: Path, folder: Path, endpoints: dict[str, str]) -> Any:
    """What tests/dags/airflow_runs.py says, with all that it printed as ``log``."""
    environment = airflow_environment(tmp_path, folder, endpoints)
    result, log = said([python, "-m", "tests.dags.airflow_runs", str(folder)], environment, tmp_path)
    return {**result, "log": log}
