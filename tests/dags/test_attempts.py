"""The operators' attempts, as Airflow runs them: one that was taken for dead ends while the next is at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from dapflow.environment import Environment
from dapflow.manifest import Manifest
from dapflow.runtime.aws import Clients
from dapflow.runtime.operators import STAGED, TransformOperator
from tests.runtime.lake import DAY, Lake
from tests.runtime.merging import Merging

# It takes longer than any test waits.
LONG = (
    "SELECT count(*) AS n FROM UNNEST(sequence(1, 10000)) AS a (x), UNNEST(sequence(1, 10000)) AS b (y), "
    "UNNEST(sequence(1, 100)) AS c (z)"
)


SQL = "SELECT CAST(NULL AS integer) AS n"


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


@dataclass
class _Project:
    """What an operator asks of its project."""

    manifest: Manifest
    environment: Environment

    def address(self, path: str) -> str:
        return f"https://git.example.org/{path}"


class Task:
    """One attempt of a task."""

    def __init__(self, lake: Lake, dataset_id: str, attempt: int, *, deferrable: bool) -> None:
        operator = TransformOperator(task_id="product", query="", database="", output_location="")
        operator.project = _Project(lake.manifest, lake.environment)  # type: ignore[assignment]
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


def test_a_task_that_takes_over_waits_for_no_query(lake: Lake, clients_of_branch: Clients, tmp_path: Path) -> None:
    files = {"air_traffic/service.yml": "", "air_traffic/refined/x.sql": SQL}
    merging = Merging(lake, clients_of_branch, tmp_path)
    merging.merge({**files, "air_traffic/refined/x.sql": "SELECT 1 AS n"})
    merging.built(files, "air_traffic.refined.x")
    task = Task(lake, "air_traffic.refined.x", 1, deferrable=True)
    noted = task.operator.execute(task.context)
    assert noted["taken_from"] == merging.platform(lake.manifest).environment.branch
    assert task.instance.pushed == {}, "there is no query to lead to"
    task.operator.on_kill()
    assert lake.rows(lake.datasets["air_traffic.refined.x"]) == [(None,)]


def test_links_are_there_while_a_task_waits_and_lead_to_the_check_that_fails_it(lake: Lake, tmp_path: Path) -> None:
    """A task that is killed while it waits has said where it leads."""
    checks = "checks:\n  keys: {not_null: n}\n"
    lake.compile(
        tmp_path, {"air_traffic/service.yml": "", "air_traffic/refined/x.sql": SQL, "air_traffic/refined/x.yml": checks}
    )
    task = Task(lake, "air_traffic.refined.x", 1, deferrable=True)
    task.deferred()
    pushed = task.instance.pushed
    assert pushed["_link_FileLink"] == "https://git.example.org/transforms/air_traffic/refined/x.sql"
    assert "/tables/view/x?database=air_traffic_refined_zone&" in pushed["_link_ProductLink"]
    query = pushed["_athena_query_results"]["query_execution_id"]
    assert query == pushed[STAGED]["query_id"]
    task.waited()
    with pytest.raises(AirflowFailException, match=r"x\.yml:2:\d+: check keys: not_null\(n\).*\[check-failed\]"):
        task.resumed()
    failed = pushed["_athena_query_results"]["query_execution_id"]
    assert failed != query
    asked = lake.clients.athena.get_query_execution(QueryExecutionId=failed)["QueryExecution"]
    assert "IS NULL" in asked["Query"]
