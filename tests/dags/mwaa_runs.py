"""A backfill of a deployed environment by a real Airflow: its REST API, its task runner and its scheduler's code.

MWAA is a few lines that forward ``invoke_rest_api`` to that API. Started by tests as a process of its own:
``python -m tests.dags.mwaa_runs <dags folder> <other manifest>``. Prints one JSON document.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from airflow.api_fastapi.app import create_app
from airflow.api_fastapi.auth.managers.simple.services.login import SimpleAuthManagerLogin
from airflow.models.asset import AssetEvent, AssetPartitionDagRun
from airflow.models.dagrun import DagRun
from airflow.models.taskinstance import TaskInstance
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from botocore.exceptions import ClientError
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from dapflow.backfill.by_airflow import AirflowBackfill
from dapflow.backfill.calendar import days_between
from dapflow.backfill.mwaa import MwaaAirflow
from dapflow.backfill.plan import plan_backfill
from dapflow.backfill.snapshot import Snapshot
from dapflow.manifest import Manifest, read_manifest
from dapflow.publications.published import Publications
from dapflow.runtime.aws import connect
from dapflow.runtime.bundled_project import BundledProject
from dapflow.runtime.generation import Generation
from dapflow.runtime.starts import recent
from tests.dags.airflow_runs import cache_api_server, consumers, execute, load

DAYS = days_between(Generation.parse("2013-12-30"), Generation.parse("2013-12-31"))


class Mwaa:
    """``invoke_rest_api`` before an Airflow that is not MWAA's."""

    def __init__(self, airflow: TestClient) -> None:
        self.airflow = airflow

    def invoke_rest_api(self, **call: Any) -> dict[str, Any]:
        """One call, with MWAA's limit and its way to pass Airflow's refusals on."""
        assert len(call["Path"]) <= 64
        method, path = call["Method"], f"/api/v2{call['Path']}"
        answer = self.airflow.request(method, path, json=call.get("Body"), params=call.get("QueryParameters"))
        body = answer.json()
        if answer.is_error:
            said: Any = {"Error": {"Code": "RestApiClientException", "Message": ""}}
            said |= {"RestApiStatusCode": answer.status_code, "RestApiResponse": body}
            raise ClientError(said, "InvokeRestApi")
        return {"RestApiStatusCode": answer.status_code, "RestApiResponse": body}


def main(folder: Path, other: Path) -> dict[str, Any]:
    """Build both services for two days; again; a product alone; and by another text than the one that is deployed."""
    initdb()
    dags = load(folder)
    project = BundledProject(folder)
    clients = connect(boto3.Session(), project.environment.region)
    with TestClient(create_app(apps="core")) as airflow:
        token = SimpleAuthManagerLogin.create_token_all_admins()
        airflow.headers["Authorization"] = f"Bearer {token}"

        def backfill(manifest: Manifest, *names: str, again: bool = False) -> list[list[Any]]:
            snapshot = Snapshot(Publications(clients, manifest, project.environment))
            building = AirflowBackfill(snapshot, MwaaAirflow(Mwaa(airflow), "dapflow-test"), 2)
            building.pause = lambda _seconds: work(dags)
            wanted = [manifest.dataset(name) for name in names]
            plan = plan_backfill(snapshot, wanted, DAYS, lambda step: False)
            building.check(plan)
            outcomes = list(building.outcomes(plan))
            return [
                [
                    str(outcome.step),
                    outcome.publication.rows if outcome.publication else None,
                    outcome.error and outcome.error.code,
                ]
                for outcome in outcomes
            ]

        return {
            "both": backfill(project.manifest, "weather.raw.hours", "reports.refined.both"),
            "alone": backfill(project.manifest, "weather.refined.few"),
            "other": backfill(read_manifest(other), "weather.refined.few"),
            **there(),
        }


def work(dags: dict[str, Any]) -> None:
    """What Airflow does meanwhile: the queued runs, and those that assets would start."""
    with create_session() as session:
        queued = session.scalars(select(DagRun.id).where(DagRun.state == DagRunState.QUEUED).order_by(DagRun.id)).all()
    for identity in queued:
        with create_session() as session:
            dag_run = session.scalars(select(DagRun).where(DagRun.id == identity)).one()
            execute(dags[dag_run.dag_id], dag_run, session)
    with create_session() as session:
        consumers(session)


def there() -> dict[str, Any]:
    """What is in Airflow's database at the end."""
    with create_session() as session:
        runs = session.scalars(select(DagRun).order_by(DagRun.id)).all()
        tasks = session.scalars(select(TaskInstance)).all()
        return {
            "runs": [(run.dag_id, run.partition_key, str(run.state), str(run.run_type)) for run in runs],
            "tasks": sorted((each.run_id, each.task_id, str(each.state)) for each in tasks),
            "events": session.scalar(select(func.count()).select_from(AssetEvent)),
            "pending": session.scalar(select(func.count()).select_from(AssetPartitionDagRun)),
            "seen by dapflow-starts": list(recent(iter([run.run_id for run in runs]))),
        }


if __name__ == "__main__":
    cache_api_server()
    print("RESULT " + json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2])), default=str))
