"""One DAG per service, built from the manifest alone. Nothing here parses SQL.

The DAG processor builds all DAGs again and again, so this reads the manifest's JSON as it is; the
manifest's classes are made where a task runs.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Asset, PartitionedAtRuntime, TriggerRule
from airflow.sdk.definitions.context import get_parsing_context

from dapflow.environment import Environment
from dapflow.runtime.alerts.callbacks import tell_failure, tell_success
from dapflow.runtime.assets import asset
from dapflow.runtime.aws import RETRIES
from dapflow.runtime.bundled_project import BundledProject
from dapflow.runtime.dataset_location import physical
from dapflow.runtime.links import linked, table_address, written_in
from dapflow.runtime.operators import IngestOperator, PublishOperator, ShowOperator, TransformOperator
from dapflow.runtime.schedule import asset_timetable, cron_timetable
from dapflow.runtime.starts import CRON, NAME, StartsOperator, Task

EXECUTION_TIMEOUT = timedelta(hours=3)
MAX_RETRY_DELAY = timedelta(minutes=15)
BOTOCORE = {"retries": RETRIES}

Data = dict[str, Any]


def build_dags(folder: Path) -> dict[str, DAG]:
    """The DAGs of the bundle in ``folder``, by DAG id. A worker asks for one of them; then only that one is built."""
    with _no_garbage_collection():
        project = BundledProject(folder)
        data = project.data()
        services, datasets = data["services"], data["datasets"]
        wanted = get_parsing_context().dag_id
        factory = _Factory(project, datasets)
        dags = {}
        for service in services.values():
            dag_id = project.environment.dag_id(service["name"])
            if wanted in (None, dag_id) and (published := factory.published(service)):
                dags[dag_id] = factory.dag(dag_id, service, published)
        return dags


def build_starts(folder: Path) -> dict[str, DAG]:
    """The DAG that starts what Airflow left waiting, by its id; none where nothing waits for several datasets."""
    project = BundledProject(folder)
    data, environment = project.data(), project.environment
    dag_id = environment.dag_id(NAME)
    factory = _Factory(project, data["datasets"])
    if not environment.scheduled or get_parsing_context().dag_id not in (None, dag_id):
        return {}
    waits = factory.waits(data["services"])
    return {dag_id: factory.starts(dag_id, waits)} if waits else {}


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Nothing that is built here becomes garbage, and each full collection walks through all of Airflow's objects."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            if not gc.get_freeze_count():
                # What was built counts as old at once; else the next object made would have all of it looked through.
                gc.freeze()
                gc.unfreeze()
            gc.enable()


class _Factory:
    """Makes the DAGs of one project."""

    def __init__(self, project: BundledProject, datasets: dict[str, Data]) -> None:
        self.project = project
        self.environment: Environment = project.environment
        self.branch = project.environment.branch
        self.datasets = datasets

    def published(self, service: Data) -> dict[str, Data]:
        """The datasets that this environment publishes for a service."""
        datasets = {key: self.datasets[key] for key in service["datasets"]}
        return {
            key: dataset
            for key, dataset in datasets.items()
            if self.environment.publishes(key, external=dataset["external"])
        }

    def dag(self, dag_id: str, service: Data, published: dict[str, Data]) -> DAG:
        """The DAG of a service."""
        environment = self.environment
        own = environment.services[service["name"]]
        common = {
            "owner": service["owner"] or service["name"],
            "retries": service["retries"],
            "retry_delay": timedelta(seconds=max(5.0, 12 * environment.poll_seconds)),
            "retry_exponential_backoff": True,
            "max_retry_delay": MAX_RETRY_DELAY,
            "execution_timeout": EXECUTION_TIMEOUT,
            "pool": own.pool,
            "aws_conn_id": own.connection,
            "region_name": environment.region,
            "botocore_config": BOTOCORE,
            "workgroup": own.workgroup,
            "sleep_time": environment.poll_seconds,
            "deferrable": environment.deferrable,
            # A backfill skips the tasks that it does not ask for, and not those behind them.
            "trigger_rule": TriggerRule.NONE_FAILED,
            "database": physical(environment, service["database"]),
        }
        with DAG(
            dag_id,
            description=service["description"] or service["title"],
            doc_md=self._dag_page(service, published),
            schedule=self._schedule(service, published),
            catchup=False,
            # Airflow pauses what is new, on MWAA too, and analysts may not unpause: a commit is a deployment.
            is_paused_upon_creation=False,
            max_active_runs=1,
            tags=["dapflow", service["name"], *([self.branch] if self.branch else [])],
        ) as dag:
            tasks: dict[str, Any] = {}
            for dataset_id, dataset in published.items():
                task = tasks[dataset_id] = self._task(dataset_id, dataset, common)
                # What set_upstream does, without its hash of the DAG, which prints the timetable, for every edge.
                for upstream in (tasks[key] for key in dataset["depends_on"] if key in tasks):
                    task.upstream_task_ids.add(upstream.task_id)
                    upstream.downstream_task_ids.add(task.task_id)
                if any(key in tasks for key in _slower(dataset)):
                    # Its ingest has no files on most days, and fails. What else is missing, the task finds itself.
                    task.trigger_rule = TriggerRule.ALL_DONE
        return dag

    def waits(self, services: dict[str, Data]) -> dict[Task, list[Task]]:
        """Of each service that waits for several datasets of others a task, and the tasks that make those datasets."""
        waits = {}
        for service in services.values():
            published = self.published(service)
            read = _read_elsewhere(published, self.datasets)
            if len(read) > 1 and (self.branch or not service["schedule"]):
                first = next(iter(published.values()))
                makers = [(self._maker(key, upstream), _task_id(upstream)) for key, upstream in read.items()]
                waits[self.environment.dag_id(service["name"]), _task_id(first)] = makers
        return waits

    def _maker(self, dataset_id: str, dataset: Data) -> str:
        """The DAG that makes a dataset: what a branch only reads, the environment that it runs on makes."""
        here = self.environment.publishes(dataset_id, external=dataset["external"])
        return self.environment.dag_id(dataset["service"]) if here else str(dataset["service"])

    def starts(self, dag_id: str, waits: dict[Task, list[Task]]) -> DAG:
        """The DAG that looks at what is due and was never started."""
        with DAG(
            dag_id,
            description="Starts what Airflow should have started",
            schedule=CRON,
            catchup=False,
            is_paused_upon_creation=False,
            max_active_runs=1,
            tags=["dapflow", *([self.branch] if self.branch else [])],
        ) as dag:
            StartsOperator(task_id="start", waits=waits, owner="dapflow", execution_timeout=timedelta(minutes=10))
        return dag

    def _task(self, dataset_id: str, dataset: Data, common: Data) -> PublishOperator:
        transform = dataset["transform"]
        kind = TransformOperator if transform else ShowOperator if dataset["external"] else IngestOperator
        task = kind(
            **common,
            task_id=_task_id(dataset),
            query=transform["sql"] if transform else "",
            doc_md=self._task_page(dataset),
            outlets=[self._asset(dataset_id, dataset)],
            **self._callbacks(dataset),
        )
        task.__dict__.update(dataset_id=dataset_id, project=self.project)
        return task

    def _callbacks(self, dataset: Data) -> Data:
        """What Airflow calls when a task has ended for good: where its service has a channel to be told through."""
        told = self.environment.services[dataset["service"]].alerts and not dataset["external"]
        return {"on_failure_callback": tell_failure, "on_success_callback": tell_success} if told else {}

    def _asset(self, dataset_id: str, dataset: Data) -> Asset:
        """The asset of a dataset. What a branch publishes must not start the DAGs of the environment it runs on."""
        path = f"{dataset['service']}/{dataset['zone']}/{dataset['name']}"
        if self.environment.branch and self.environment.publishes(dataset_id, external=dataset["external"]):
            return asset(f"{self.branch}__{dataset_id}", f"dapflow://{self.branch}/{path}")
        return asset(dataset_id, f"dapflow://{path}")

    def _dag_page(self, service: Data, published: dict[str, Data]) -> str:
        lines = [f"# {service['title']}", "", service["description"] or "", ""]
        if service["owner"]:
            lines += [f"Owner: {service['owner']}", ""]
        for dataset in published.values():
            lines.append(f"- {self._file(dataset, _task_id(dataset))} → {self._table(dataset, dataset['current'])}")
        return "\n".join(lines)

    def _task_page(self, dataset: Data) -> str:
        described = f"{dataset['description']}\n\n" if dataset["description"] else ""
        history, transform = self._table(dataset, dataset["history"]), dataset["transform"]
        if dataset["external"]:
            return f"{described}Something else makes {history}."
        if transform is None:
            return f"{described}Ingests the landing files into {history}, as {self._file(dataset)} says."
        return f"{described}{self._file(dataset)} → {history}\n\n```sql\n{transform['sql']}\n```"

    def _file(self, dataset: Data, text: str = "") -> str:
        """The file that a dataset is written in, with a link to it in git where that is known."""
        file = written_in(dataset["service"], dataset["transform"] and dataset["transform"]["file"])
        return linked(f"`{text or file}`", self.project.address(file))

    def _table(self, dataset: Data, table: str) -> str:
        """A table of a dataset, with a link to it in Glue's console where there is one."""
        database = dataset["database"]
        return linked(f"`{database}.{table}`", table_address(self.environment, database, table))

    def _schedule(self, service: Data, published: dict[str, Data]) -> Any:
        """The service's cron line; else the generations of what it needs from elsewhere; else daily.

        A branch's DAG has no cron line: it waits for the raw zone, which is another environment's.
        """
        read = _read_elsewhere(published, self.datasets)
        if not read or (service["schedule"] and not self.branch):
            if not self.environment.scheduled:
                return PartitionedAtRuntime()  # it never ticks, and takes the key of who triggers it
            return cron_timetable(service["schedule"], service["timezone"])
        return asset_timetable(self._asset(key, dataset) for key, dataset in read.items())


def _task_id(dataset: Data) -> str:
    return f"{dataset['zone']}.{dataset['name']}"


def _read_elsewhere(published: dict[str, Data], datasets: dict[str, Data]) -> dict[str, Data]:
    """What datasets need of the run's generation besides themselves.

    What has no generations is waited for by nobody, and a slower input only where another dataset cannot do without.
    """
    read = (key for dataset in published.values() for key in dataset["depends_on"] if key not in _slower(dataset))
    return {key: datasets[key] for key in read if key not in published and datasets[key]["has_generations"]}


def _slower(dataset: Data) -> Sequence[str]:
    """The inputs of which an older generation will do."""
    transform = dataset["transform"]
    return transform["slower_inputs"] if transform else ()
