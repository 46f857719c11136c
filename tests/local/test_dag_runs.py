"""The order in which DAGs are triggered, and when there is nothing more to wait for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from dapflow.local.airflow.dag_runs import DagRuns, RunState, failed_tasks
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.outstanding import ServiceRun
from dapflow.manifest import Manifest
from tests.local.test_outstanding import MANIFEST, NEW, OLD

# Airflow's duration is one that it computes on SQLite where a minute ends in between.
TIMES = {"start_date": "2026-11-29T20:00:59.500000Z", "end_date": "2026-11-29T20:01:00.600000Z"}


class Airflow:
    """Answers as Airflow does. Each look moves every run on by one state; ``fails`` are DAGs whose runs fail."""

    def __init__(self, *fails: str, starts_consumers: bool = True) -> None:
        self.runs: list[dict[str, Any]] = []
        self.triggered: list[str] = []
        self.fails = fails
        self.starts_consumers = starts_consumers

    def trigger(self, dag_id: str, partition_key: str) -> str:
        self.triggered.append(f"{dag_id} {partition_key}")
        return self._start(dag_id, partition_key, "manual")

    def dag_runs(self, since: datetime) -> list[dict[str, Any]]:
        assert since <= datetime.now(UTC)
        for run in list(self.runs):
            if run["state"] == "running":
                run["state"] = "failed" if run["dag_id"] in self.fails else "success"
                if run["dag_id"] == "weather" and run["state"] == "success" and self.starts_consumers:
                    self._start("traffic", run["partition_key"], "asset_triggered")
            elif run["state"] == "queued":
                run["state"] = "running"
        return self.runs

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        state = next(run["state"] for run in self.runs if run["dag_run_id"] == run_id)
        tasks = [MANIFEST.datasets[name].task_id for name in MANIFEST.services[dag_id].datasets]
        return [
            {"task_id": task, "state": state, **TIMES, "duration": -57.9, "try_number": 1} for task in reversed(tasks)
        ]

    def _start(self, dag_id: str, key: str, kind: str) -> str:
        run_id = f"{kind}__{dag_id}_{key}"
        run = {
            "dag_id": dag_id,
            "dag_run_id": run_id,
            "partition_key": key,
            "state": "queued",
            **TIMES,
            "duration": -58.9,
        }
        self.runs.append(run)
        return run_id


def complete(
    airflow: Airflow, wanted: set[ServiceRun], monkeypatch: Any, manifest: Manifest = MANIFEST
) -> list[RunState]:
    monkeypatch.setattr("dapflow.local.airflow.dag_runs._LOOK_SECONDS", 0.001)
    monkeypatch.setattr("dapflow.local.airflow.dag_runs._ASSET_SECONDS", 0.05)
    runs = DagRuns(
        api=cast(AirflowApi, airflow),
        manifest=manifest,
        wanted=wanted,
        check=lambda: None,
        watch=lambda _: None,
    )
    return runs.complete()


def test_consumers_are_left_to_their_assets(monkeypatch: Any) -> None:
    airflow = Airflow()
    wanted = {ServiceRun(day, service) for day in (OLD, NEW) for service in ("weather", "traffic", "parking")}
    states = complete(airflow, wanted, monkeypatch)
    assert airflow.triggered == [
        "parking 20240604",
        "weather 20240604",
        "parking 20240605",
        "weather 20240605",
    ]
    assert {(state.service, state.state) for state in states} == {
        ("weather", "success"),
        ("traffic", "success"),
        ("parking", "success"),
    }
    traffic = next(state for state in states if state.service == "traffic")
    assert [task.task_id for task in traffic.tasks] == ["raw.flights", "refined.delays"]
    assert {seconds for state in states for seconds in (state.seconds, *(task.seconds for task in state.tasks))} == {
        1.1
    }
    assert RunState.of_dict(traffic.as_dict()) == traffic


def test_a_consumer_whose_producers_are_up_to_date_is_triggered(monkeypatch: Any) -> None:
    airflow = Airflow()
    complete(airflow, {ServiceRun(NEW, "traffic")}, monkeypatch)
    assert airflow.triggered == ["traffic 20240605"]


def test_a_consumer_that_its_assets_do_not_start_is_triggered_in_the_end(monkeypatch: Any) -> None:
    airflow = Airflow(starts_consumers=False)
    complete(airflow, {ServiceRun(NEW, "weather"), ServiceRun(NEW, "traffic")}, monkeypatch)
    assert airflow.triggered == ["weather 20240605", "traffic 20240605"]


def test_after_a_failure_the_others_end_and_its_consumers_do_not_start(monkeypatch: Any) -> None:
    airflow = Airflow("weather")
    states = complete(airflow, {ServiceRun(NEW, service) for service in ("weather", "traffic", "parking")}, monkeypatch)
    assert {state.service: state.state for state in states} == {
        "weather": "failed",
        "traffic": None,
        "parking": "success",
    }
    assert [task.task_id for _, task in failed_tasks(states)] == ["raw.observations", "trusted.hours"]


def test_services_that_read_each_other_begin_with_the_one_that_has_a_schedule(monkeypatch: Any) -> None:
    circle = replace(MANIFEST.datasets["weather.trusted.hours"], depends_on=("traffic.raw.flights",))
    services = {**MANIFEST.services, "weather": replace(MANIFEST.services["weather"], schedule="0 5 * * *")}
    manifest = replace(MANIFEST, services=services, datasets={**MANIFEST.datasets, circle.id: circle})
    airflow = Airflow()
    states = complete(airflow, {ServiceRun(NEW, "weather"), ServiceRun(NEW, "traffic")}, monkeypatch, manifest)
    assert airflow.triggered == ["weather 20240605"]
    assert all(state.state == "success" for state in states)
