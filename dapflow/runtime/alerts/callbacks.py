"""What Airflow calls when a task has ended for good.

It calls in the task's own process, or in the DAG processor where that process was killed. A call that is lost loses
nothing but time: the next one looks at the same lake.
"""

from __future__ import annotations

from typing import Any

from botocore.config import Config

from dapflow.errors import DapflowError
from dapflow.runtime.alerts.telling import Alerts
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.schedule import generation_of_run

_BACKFILL = "backfill"
# A channel that cannot be reached keeps no worker busy.
_QUICK = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})


def tell_failure(context: Any) -> None:
    """Tell of a task that failed, and will not be tried again, where nobody knows yet."""
    run, instance = context["dag_run"], context["ti"]
    if str(run.run_type) == _BACKFILL:
        return  # who fills a history looks at it
    task = context["task"]
    try:
        with aws_errors():
            _alerts(task).failed(generation_of_run(run), run.run_id, str(getattr(instance, "log_url", "") or ""))
    except DapflowError as error:
        task.log.warning("Nobody was told of this failure: %s", error)


def tell_success(context: Any) -> None:
    """Tell of a task that succeeded where it ends an incident."""
    task = context["task"]
    try:
        with aws_errors():
            _alerts(task).published(generation_of_run(context["dag_run"]))
    except DapflowError as error:
        task.log.warning("Nobody was told whether the dataset is well: %s", error)


def _alerts(task: Any) -> Alerts:
    publisher = task.publisher
    target = publisher.target(task.dataset_id)
    return Alerts(target, publisher.manifest, publisher.environment, task.client("sns", _QUICK), task.log.info)
