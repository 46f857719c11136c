"""The operators' attempts, as Airflow runs them: one that was taken for dead ends while the next is at it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from dapflow.runtime.operators import STAGED, TransformOperator
from tests.runtime.lake import DAY, Lake

# It takes longer than any test waits.
LONG = (
    "SELECT count(*) AS n FROM UNNEST(sequence(1, 10000)) AS a (x), UNNEST(sequence(1, 10000)) AS b (y), "
    "UNNEST(sequence(1, 100)) AS c (z)"
)


class EnoughError(Exception):
    """The test has seen what it wanted to see."""


class Instance:
    """What an operator asks of its task instance."""

    def __init__(self, try_number: int) -> None:
        self.try_number = try_number
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return self.pushed[key]


class Task:
    """One attempt of a task."""

    def __init__(self, lake: Lake, dataset_id: str, attempt: int, *, deferrable: bool) -> None:
        operator = TransformOperator(task_id="product", query="", database="", output_location="")
        operator.project = SimpleNamespace(manifest=lake.manifest, environment=lake.environment)  # type: ignore[assignment]
        operator.dataset_id = dataset_id
        operator.deferrable = deferrable
        operator.__dict__["publisher"] = lake.publisher
        operator.__dict__["hook"] = SimpleNamespace(conn_region_name="eu-west-2", conn_partition="aws")
        self.operator = operator
        self.instance = Instance(attempt)
        run = SimpleNamespace(run_id=f"manual__{lake.run}", partition_key=DAY.key, conf={})
        self.context: Any = {"ti": self.instance, "task_instance": self.instance, "dag_run": run, "outlet_events": {}}

    def deferred(self) -> None:
        """Run until the task waits in the triggerer."""
        with pytest.raises(TaskDeferred):
            self.operator.execute(self.context)

    def waited(self) -> None:
        """What the trigger does."""
        self.operator.publisher.wait(self.operator.staged)  # type: ignore[arg-type]

    def resumed(self) -> dict[str, Any]:
        """Airflow makes the operator anew."""
        self.operator.staged = None
        return self.operator.execute_complete(self.context, {})


def test_a_deferred_attempt_whose_query_was_stopped_by_the_one_before_begins_anew(lake: Lake) -> None:
    product = lake.product("product", LONG)
    first, second = (Task(lake, product.id, attempt, deferrable=True) for attempt in (1, 2))
    first.deferred()
    second.deferred()
    taken_up = second.instance.pushed[STAGED]["query_id"]
    assert taken_up == first.instance.pushed[STAGED]["query_id"]
    first.operator.on_kill()
    second.waited()
    with pytest.raises(TaskDeferred):
        second.resumed()
    assert second.instance.pushed[STAGED]["query_id"] != taken_up
    second.operator.on_kill()


def test_an_attempt_that_waits_begins_anew_too(lake: Lake) -> None:
    product = lake.product("product", LONG)
    first, second = (Task(lake, product.id, attempt, deferrable=attempt == 1) for attempt in (1, 2))
    first.deferred()
    athena = second.operator.publisher.target(product.id).athena
    sleep = athena.sleep

    def killed_meanwhile(seconds: float) -> None:
        if second.operator.query_execution_id == first.operator.query_execution_id:
            first.operator.on_kill()
            sleep(seconds)
        elif second.operator.query_execution_id:
            raise EnoughError

    athena.sleep = killed_meanwhile
    with pytest.raises(EnoughError):
        second.operator.execute(second.context)
    second.operator.on_kill()


def test_a_task_killed_just_after_the_switch_leaves_what_it_published(lake: Lake) -> None:
    product = lake.product("product", "SELECT 1 AS n")
    task = Task(lake, product.id, 1, deferrable=True)
    task.deferred()
    task.waited()
    task.resumed()
    task.operator.on_kill()
    assert lake.rows(product) == lake.rows(product, history=True) == [("1",)]
