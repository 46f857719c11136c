"""Take the DAGs of a branch out of an Airflow that runs."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from typing import Any

from dapflow.bundle import BRANCHES
from dapflow.local.airflow import NAME as AIRFLOW
from dapflow.local.airflow_api import AirflowApi
from dapflow.local.running import wait_until
from dapflow.local.state import State


def remove_dags(state: State, airflow: AirflowApi, slug: str) -> None:
    """End the runs of a branch, remove its bundle, and let Airflow forget its DAGs.

    Airflow looks for files that are gone every few seconds, and would note a DAG anew that it is reading meanwhile. So
    its DAGs are deleted when it has noticed. The tasks' processes have ended by then: they ask every second whether
    they still run.
    """
    for dag in _dags(airflow, slug):
        airflow.pause(dag["dag_id"])
        airflow.fail_runs(dag["dag_id"])
    folder = state.bundle / "dags" / BRANCHES / slug
    if folder.exists():
        # Gone at once: Airflow must not read half of it.
        with tempfile.TemporaryDirectory(prefix="removed-", dir=state.bundle) as removed:
            with suppress(FileNotFoundError):
                folder.rename(f"{removed}/{slug}")
            shutil.rmtree(removed, ignore_errors=True)
    wait_until(state, AIRFLOW, lambda: all(dag["is_stale"] for dag in _dags(airflow, slug)))
    for dag in _dags(airflow, slug):
        airflow.delete_dag(dag["dag_id"])
    for logs in (state.airflow / "logs").glob(f"dag_id={slug}__*"):
        shutil.rmtree(logs)


def _dags(airflow: AirflowApi, slug: str) -> list[dict[str, Any]]:
    """The DAGs of a branch that Airflow knows, those too whose file is gone. (No slug holds an underscore.)"""
    return [
        dag for dag in airflow.get_all("/dags", "dags", exclude_stale=False) if dag["dag_id"].startswith(f"{slug}__")
    ]
