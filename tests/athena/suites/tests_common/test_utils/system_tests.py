"""A system test is a DAG that has to succeed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
from airflow.utils.db import initdb


def get_test_run(dag: Any) -> Callable[[], None]:
    """The test of a DAG, in a database of its own."""

    def test_run() -> None:
        initdb()
        DagBundlesManager().sync_bundles_to_db()
        # Airflow runs a DAG only as it is kept in the database.
        sync_bag_to_db(DagBag(dag.fileloc), "dags-folder", None)
        assert dag.test().state == "success"

    return test_run
