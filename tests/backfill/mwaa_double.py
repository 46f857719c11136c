"""MWAA's ``invoke_rest_api`` before a small Airflow: its answers, and runs whose tasks publish when they are let.

A task does here what its operator does: what the run asks of it, by the run time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.runtime.aws import Clients
from dapflow.runtime.generation import Generation
from dapflow.runtime.order import order_of
from dapflow.runtime.publish import Publisher

LONGEST_PATH = 64
PAGE = 100


@cache
def _input() -> Any:
    """What boto3 takes for a call."""
    return botocore.session.get_session().get_service_model("mwaa").operation_model("InvokeRestApi").input_shape


def refusal(code: str, status: int = 0, detail: str = "") -> ClientError:
    """How boto3 raises what MWAA refuses, or Airflow behind it."""
    said: Any = {"Error": {"Code": code, "Message": detail}, "RestApiStatusCode": status}
    said["RestApiResponse"] = {"detail": detail}
    return ClientError(said, "InvokeRestApi")


@dataclass
class Run:
    """A run and the states of its tasks."""

    dag_id: str
    run_id: str
    partition_key: str
    conf: dict[str, Any]
    state: str = "queued"
    tasks: dict[str, str | None] = field(default_factory=dict)


@dataclass
class MwaaDouble:
    """An Airflow that runs the DAGs of a project.

    Attributes:
        broken: asked before each call; what it gives is raised, after the call where ``late``.
        paused: ids of DAGs.
        published: what its tasks have published, in order, as ``dataset generation``.
    """

    clients: Clients
    manifest: Manifest
    environment: Environment
    broken: Callable[[dict[str, Any]], ClientError | None] = lambda _call: None
    late: bool = False
    paused: set[str] = field(default_factory=set)
    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)

    def invoke_rest_api(self, **call: Any) -> dict[str, Any]:
        """One call, as MWAA takes it."""
        assert call["Name"] == self.environment.airflow
        assert len(call["Path"]) <= LONGEST_PATH
        assert not ParamValidator().validate(call, _input()).has_errors()
        error = self.broken(call)
        if error is not None and not self.late:
            raise error
        answer = self._answer(call["Method"], call["Path"], call.get("Body") or call.get("QueryParameters") or {})
        if error is not None:
            raise error
        return {"RestApiStatusCode": 200, "RestApiResponse": answer}

    def _answer(self, method: str, path: str, given: dict[str, Any]) -> dict[str, Any]:
        match method, path.strip("/").split("/"):
            case "GET", ["dags", "~", "dagRuns"]:
                rows: list[dict[str, Any]]
                found = [run for run in self.runs.values() if run.run_id.startswith(given["run_id_prefix_pattern"])]
                rows = [{"dag_id": run.dag_id, "dag_run_id": run.run_id, "state": run.state} for run in found]
                return paged("dag_runs", rows, given["offset"], given["limit"])
            case "POST", ["dags", "~", "dagRuns", "~", "taskInstances", "list"]:
                rows = [
                    {"dag_run_id": run.run_id, "task_id": task, "state": state}
                    for run in self.runs.values()
                    for task, state in run.tasks.items()
                    if run.run_id in given["dag_run_ids"] and task in given["task_ids"]
                ]
                return paged("task_instances", rows, given["page_offset"], given["page_limit"])
            case "POST", ["dags", dag_id, "dagRuns"]:
                self._known(dag_id)
                key = dag_id, given["dag_run_id"]
                if key in self.runs:
                    raise refusal("RestApiClientException", 409, "DAGRun already exists")
                tasks = dict.fromkeys(self.manifest.dataset(name).task_id for name in self._datasets(dag_id))
                self.runs[key] = Run(*key, given["partition_key"], given["conf"], tasks=tasks)
                return {"dag_run_id": given["dag_run_id"]}
            case "GET", ["dags", dag_id]:
                self._known(dag_id)
                return {"dag_id": dag_id, "is_paused": dag_id in self.paused, "has_import_errors": False}
        raise AssertionError(f"{method} {path} is not asked of Airflow")

    def work(self, _seconds: float = 0) -> None:
        """One run of each DAG, the oldest that waits: `max_active_runs` is 1."""
        waiting: dict[str, Run] = {}
        for run in self.runs.values():
            if run.state == "queued" and run.dag_id not in self.paused:
                waiting.setdefault(run.dag_id, run)
        for run in waiting.values():
            self._run(run)

    def _run(self, run: Run) -> None:
        for dataset_id in self._datasets(run.dag_id):
            dataset = self.manifest.dataset(dataset_id)
            above = [run.tasks.get(self.manifest.dataset(read).task_id) for read in dataset.depends_on]
            behind = any(state in ("failed", "upstream_failed") for state in above)
            run.tasks[dataset.task_id] = "upstream_failed" if behind else self._task(run, dataset_id)
        run.state = "failed" if "failed" in run.tasks.values() else "success"

    def _task(self, run: Run, dataset_id: str) -> str:
        order = order_of(SimpleNamespace(run_id=run.run_id, conf=run.conf), dataset_id)
        if order is None:
            return "skipped"
        generation = Generation.parse(run.partition_key)
        project = self.manifest.reading_older(dataset_id, order.asked.older)
        publisher = Publisher(self.clients, project, self.environment, by="airflow")
        try:
            attempt = order.asked.attempts + 1
            staged = publisher.stage(dataset_id, generation, order.run, attempt, sql_sha=order.asked.sql_sha)
            publisher.wait(staged)
            publisher.finish(staged)
        except DapflowError:
            return "failed"
        self.published.append(f"{dataset_id} {generation}")
        return "success"

    def _known(self, dag_id: str) -> None:
        if dag_id not in self.manifest.services:
            raise refusal("RestApiClientException", 404, f"The Dag with ID: `{dag_id}` was not found")

    def _datasets(self, dag_id: str) -> tuple[str, ...]:
        return self.manifest.services[dag_id].datasets


def paged(key: str, rows: list[dict[str, Any]], offset: int, limit: int) -> dict[str, Any]:
    """A page, of at most 100 rows whatever is asked for."""
    return {key: rows[offset : offset + min(limit, PAGE)], "total_entries": len(rows)}
