"""Take the DAGs of a branch out of an Airflow that runs."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import Any

from dapflow.branch import FOLDER
from dapflow.local.airflow.dag_files import unfinished
from dapflow.local.airflow.installation import NAME as AIRFLOW
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.processes.running import wait_until
from dapflow.servers.state import State

# A task's supervisor asks every second whether the task still runs, and kills it when it does not end in five.
_ENDING_SECONDS = 7.0


def remove_dags(state: State, airflow: AirflowApi, slug: str) -> None:
    """End the runs of a branch, remove its bundle, and let Airflow forget its DAGs.

    Airflow looks for files that are gone every few seconds, and would note a DAG anew that it is reading meanwhile. So
    its DAGs are deleted when it has noticed; until then it may still have begun a run.
    """
    tasks_end = time.monotonic()
    for dag in _dags(airflow, slug):
        if airflow.fail_runs(dag["dag_id"]):
            tasks_end = time.monotonic() + _ENDING_SECONDS
    folder = state.bundle / "dags" / FOLDER / slug
    with unfinished(state) as removed, suppress(FileNotFoundError):
        # Gone at once: Airflow must not read half of it.
        folder.rename(removed / slug)
    wait_until(state, AIRFLOW, lambda: all(dag["is_stale"] for dag in _dags(airflow, slug)))
    time.sleep(max(0.0, tasks_end - time.monotonic()))
    for dag in _dags(airflow, slug):
        airflow.fail_runs(dag["dag_id"])
        airflow.delete_dag(dag["dag_id"])
    # Who had read a module a moment before its file went has kept it compiled, in folders that it made anew.
    for left in (folder, *(state.airflow / "logs").glob(f"dag_id={slug}__*")):
        shutil.rmtree(left, ignore_errors=True)


def _dags(airflow: AirflowApi, slug: str) -> list[dict[str, Any]]:
    """The DAGs of a branch that Airflow knows, those too whose file is gone. (No slug holds an underscore.)"""
    return [
        dag for dag in airflow.get_all("/dags", "dags", exclude_stale=False) if dag["dag_id"].startswith(f"{slug}__")
    ]
