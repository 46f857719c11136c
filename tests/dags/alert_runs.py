"""Runs ``weather`` of a bundle once, and lets Airflow's DAG processor find a task of a later run killed.

Started by tests as a process of its own: ``python -m tests.dags.alert_runs <dags folder>``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import structlog
from airflow.api_fastapi.execution_api.datamodels.taskinstance import DagRun as DagRunData
from airflow.api_fastapi.execution_api.datamodels.taskinstance import TIRunContext
from airflow.callbacks.callback_requests import TaskCallbackRequest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.dag_processing.processor import _execute_task_callbacks
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from airflow.utils.state import TaskInstanceState

from tests.dags.airflow_runs import cache_api_server, created, load, run


def main(folder: Path) -> None:
    """A run that fails; then a task of another one is killed, which the scheduler notices."""
    initdb()
    dags = load(folder)
    with create_session() as session:
        run(dags["weather"], "20131231", session)
        killed(folder, created(dags["weather"], "20140101", session), session)


def killed(folder: Path, dag_run: Any, session: Any) -> None:
    """What the scheduler asks of the DAG processor when a task's process is gone, and what that does."""
    instance = dag_run.get_task_instance("raw.hours", session=session)
    request = TaskCallbackRequest(
        filepath="dapflow_services.py",
        bundle_name="dags-folder",
        bundle_version=None,
        ti=instance,
        msg="killed",
        task_callback_type=TaskInstanceState.FAILED,
        context_from_server=TIRunContext(
            dag_run=DagRunData.model_validate(dag_run, from_attributes=True),
            max_tries=0,
            variables=[],
            connections=[],
            xcom_keys_to_clear=[],
        ),
    )
    # It travels as text through Airflow's database.
    again = TaskCallbackRequest.model_validate_json(request.model_dump_json())
    bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
    _execute_task_callbacks(bag, again, structlog.get_logger())


if __name__ == "__main__":
    cache_api_server()
    main(Path(sys.argv[1]))
