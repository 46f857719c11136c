"""Pairs of asset events in the same moment, before two schedulers: who is started, and what the look for it adds.

Started by tests as a process of its own: ``python -m tests.dags.starts_runs <dags folder> <pairs>``.
Prints one JSON document.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

from airflow import settings
from airflow.assets.manager import AssetManager
from airflow.jobs.job import Job
from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
from airflow.models.asset import AssetModel, AssetPartitionDagRun
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, TaskInstanceState
from airflow.utils.timezone import utcnow
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import func, select

from dapflow.runtime import starts
from tests.dags.airflow_runs import cache_api_server, execute, load

TASKS = ("raw.hours", "raw.days")


def main(folder: Path, pairs: int) -> dict[str, Any]:
    """Let ``weather`` publish two datasets for many generations; count the runs of ``reports``."""
    initdb()
    dags = load(folder)
    keys = [(date(2013, 1, 1) + timedelta(days=number)).strftime("%Y%m%d") for number in range(pairs)]
    for key in keys:
        publish(key)
        schedulers()
    schedulers()
    with create_session() as session:
        natively = started(session)
        pending = session.scalar(select(func.count()).where(AssetPartitionDagRun.created_dag_run_id.is_(None)))
    starts.GRACE = timedelta(0)
    for _look in range(2):
        with create_session() as session:
            look = dags["dapflow-starts"]
            scheduled = SerializedDagModel.get(look.dag_id, session=session).dag
            dag_run = create(scheduled, None, session)
            execute(look, dag_run, session)
            state = str(dag_run.state)
    with create_session() as session:
        return {"natively": natively, "pending": pending, "look": state, "started": started(session)}


def publish(key: str) -> None:
    """Both tasks of a run succeed in the same moment: each in a transaction of its own, as in the API server."""
    with create_session() as session:
        dag_run = create(SerializedDagModel.get("weather", session=session).dag, key, session)
        run_id = dag_run.run_id
    ready = Barrier(len(TASKS))

    def succeed(task_id: str) -> None:
        with create_session() as session:
            instance = next(
                candidate
                for candidate in session.scalars(select(DagRun).where(DagRun.run_id == run_id)).one().task_instances
                if candidate.task_id == task_id
            )
            asset = session.scalars(select(AssetModel).where(AssetModel.name == f"weather.{task_id}")).one()
            ready.wait()
            instance.state = TaskInstanceState.SUCCESS
            AssetManager.register_asset_change(task_instance=instance, asset=asset, session=session, partition_key=key)

    together(*(lambda task_id=task_id: succeed(task_id) for task_id in TASKS))


def schedulers() -> None:
    """The loops of two schedulers, as on MWAA; of one on SQLite, which locks no rows and is for one only."""
    together(*[schedule] * (1 if settings.SQL_ALCHEMY_CONN.startswith("sqlite") else 2))


def schedule() -> None:
    """What one scheduler does of its loop."""
    with create_session() as session:
        SchedulerJobRunner(Job())._create_dagruns_for_partitioned_asset_dags(session)


def create(dag: Any, key: str | None, session: Any) -> Any:
    """A run of a DAG."""
    now = utcnow()
    return dag.create_dagrun(
        run_id=f"manual__{now.isoformat()}_{key}",
        run_after=now,
        run_type=DagRunType.MANUAL,
        triggered_by=DagRunTriggeredByType.TEST,
        state=DagRunState.RUNNING,
        partition_key=key,
        session=session,
    )


def started(session: Any) -> dict[str, int]:
    """How many generations have how many runs of ``reports``."""
    runs = session.scalars(select(DagRun).where(DagRun.dag_id == "reports"))
    by_generation = Counter(run.partition_key or (run.conf or {}).get("generation") for run in runs)
    return {str(number): times for number, times in Counter(by_generation.values()).items()}


def together(*work: Callable[[], None]) -> None:
    """Run all at once; raises what one of them raised."""
    errors: list[Exception] = []

    def run_one(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits
            errors.append(error)

    threads = [Thread(target=run_one, args=(job,)) for job in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


if __name__ == "__main__":
    cache_api_server()
    print("RESULT " + json.dumps(main(Path(sys.argv[1]), int(sys.argv[2])), default=str))
