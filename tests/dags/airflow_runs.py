"""Runs a bundle's DAGs in this process: Airflow's database, task runner and scheduler code, without its servers.

Started by tests as a process of its own, because Airflow reads its configuration once:
``python -m tests.dags.airflow_runs <dags folder>``. Prints one JSON document.
"""

from __future__ import annotations

import functools
import json
import sys
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow.api_fastapi.app import create_app
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag, sync_bag_to_db
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.asset import AssetEvent
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.taskinstance import TaskInstance
from airflow.sdk.definitions.dag import _run_task
from airflow.sdk.execution_time import supervisor
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.timezone import utcnow
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from fastapi.testclient import TestClient
from sqlalchemy import select, update

import dapflow


def main(folder: Path) -> dict[str, Any]:
    """Run ``weather`` for a generation; then what its assets start."""

    initdb()
    dags = load(folder)
    with create_session() as session:
        run(dags["weather"], "20131231", session)
        events = [
            {"key": event.partition_key, "run": event.source_run_id, "extra": event.extra, "task": event.source_task_id}
            for event in session.scalars(select(AssetEvent))
        ]
        started = consumers(session)
        for dag_run in started:
            execute(dags[dag_run.dag_id], dag_run, session)
        return {
            "events": events,
            "started": [(dag_run.dag_id, dag_run.partition_key, dag_run.run_type) for dag_run in started],
            "states": states(session),
            "links": links(session),
            "dapflow": str(dapflow.__file__),
            "installed": {name: bool(find_spec(name)) for name in ("duckdb", "moto", "aiobotocore")},
        }


def load(folder: Path) -> dict[str, Any]:
    """Parse the folder as the DAG processor does, and store its DAGs."""

    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
    assert not bag.import_errors, bag.import_errors
    with create_session() as session:
        DagBundlesManager().sync_bundles_to_db(session=session)
        session.commit()
        sync_bag_to_db(bag, "dags-folder", None, session=session)
        session.execute(update(DagModel).values(is_paused=False))
    return dict(bag.dags)


def run(dag: Any, key: str, session: Any) -> None:
    """A run that someone triggered with a partition key."""

    execute(dag, created(dag, key, session), session)


def created(dag: Any, key: str, session: Any) -> Any:
    """Such a run before any of its tasks."""

    scheduler_dag = SerializedDagModel.get(dag.dag_id, session=session).dag
    dag_run = scheduler_dag.create_dagrun(
        run_id=f"manual__{key}__{uuid.uuid4().hex}",
        run_after=utcnow(),
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST,
        state=DagRunState.RUNNING,
        partition_key=key,
        session=session,
    )
    session.commit()
    return dag_run


def execute(dag: Any, dag_run: Any, session: Any) -> None:
    """Run the tasks of a DAG run in their order, triggers included."""

    dag_run.dag = SerializedDagModel.get(dag.dag_id, session=session).dag
    dag_run.state = DagRunState.RUNNING
    session.commit()
    while dag_run.state == DagRunState.RUNNING:
        session.expire_all()
        ready, _ = dag_run.update_state(session=session)
        for instance in ready:
            instance.try_number += 1
            instance.state = TaskInstanceState.SCHEDULED
        session.commit()
        for instance in ready:
            _run_task(ti=instance, task=dag.task_dict[instance.task_id], run_triggerer=True)
            session.commit()
        if not ready and dag_run.state == DagRunState.RUNNING:
            break


def consumers(session: Any) -> list[Any]:
    """What the scheduler's own code starts for the asset events there are."""

    SchedulerJobRunner(Job())._create_dagruns_for_partitioned_asset_dags(session)
    session.commit()
    return list(session.scalars(select(DagRun).where(DagRun.run_type == DagRunType.ASSET_TRIGGERED)))


def states(session: Any) -> dict[str, str]:
    """State of every task instance."""

    return {
        f"{instance.dag_id}:{instance.task_id}": str(instance.state)
        for instance in session.scalars(select(TaskInstance))
    }


def links(session: Any) -> dict[str, dict[str, str | None]]:
    """Where each task leads, as Airflow's public API says it: https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html"""

    app = create_app()
    manager = app.state.auth_manager
    token = manager.generate_jwt(SimpleAuthManagerUser(username="reader", role="admin"))
    client = TestClient(app, headers={"Authorization": f"Bearer {token}"})
    led = {}
    for task in session.scalars(select(TaskInstance)):
        path = f"/api/v2/dags/{task.dag_id}/dagRuns/{quote(task.run_id)}/taskInstances/{task.task_id}/links"
        led[f"{task.dag_id}:{task.task_id}"] = client.get(path).raise_for_status().json()["extra_links"]
    return led


def cache_api_server() -> None:
    """Airflow builds its execution API anew for every task that runs in this process: two seconds each."""

    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)


if __name__ == "__main__":
    cache_api_server()
    print("RESULT " + json.dumps(main(Path(sys.argv[1])), default=str))
