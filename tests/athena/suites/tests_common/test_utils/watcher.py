"""The task by which a DAG fails whose last tasks clean up whatever happened."""

from __future__ import annotations

from airflow.exceptions import AirflowException
from airflow.sdk import task


@task(trigger_rule="one_failed", retries=0)  # type: ignore[untyped-decorator]
def watcher() -> None:
    """Run, and fail, when any task before failed."""
    raise AirflowException("a task before has failed")
