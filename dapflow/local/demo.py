"""The main job on the example's data, everything real: files land, Airflow runs the DAGs, products are published."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.local.airflow.dag_runs import DagRuns, RunState, Watch, failed_tasks
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.outstanding import ServiceRun, outstanding, producers
from dapflow.local.processes import components
from dapflow.local.processes.running import explained, require_alive
from dapflow.local.selection import comes_less_often
from dapflow.local.startup import Startup
from dapflow.publications.published import Publications, PublishedDatasets
from dapflow.runtime.generation import Generation
from dapflow.servers.state import State, read_json, write_json

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.runtime.aws import Clients

_LOG_LINES = 25


@dataclass(frozen=True)
class FailedTask:
    """A task that failed, and the end of what it said."""

    run: str
    task_id: str
    log: tuple[str, ...]


@dataclass(frozen=True)
class DemoOutcome:
    """What there is at the end, on a platform that still runs.

    Attributes:
        changed: whether anything had to be run.
        runs: the DAG runs, of this demo or, where it had nothing to run, of the one that had.
        left_out: runs that were not tried, because files are missing that the example does not bring.
    """

    clients: Clients
    environment: Environment
    generations: tuple[Generation, ...]
    published: PublishedDatasets
    changed: bool
    runs: tuple[RunState, ...]
    failures: tuple[FailedTask, ...]
    left_out: tuple[ServiceRun, ...]

    @property
    def succeeded(self) -> bool:
        """Whether all that was tried is there."""
        return not self.failures and all(run.state == "success" for run in self.runs)


@contextmanager
def demo(startup: Startup, watch: Watch) -> Iterator[DemoOutcome]:
    """Do what is left to do. Afterwards the platform is left as it was found: what this started is stopped again."""
    with startup.state.locked():
        try:
            with explained(startup.state, components.ALL):
                yield _run(startup, watch)
        finally:
            startup.undo()


def _run(startup: Startup, watch: Watch) -> DemoOutcome:
    manifest = startup.manifest
    # Where nothing was ever published, Airflow is needed for sure: it starts while the rest is prepared.
    first = not (startup.state.aws / "journal.jsonl").exists()
    startup.launch(components.ALL if first else components.SERVERS)
    clients = startup.connect()
    from dapflow.local.cloudformation.provision import describe_local  # noqa: PLC0415 (imports boto3)

    environment = describe_local(startup.state.root, manifest).environment
    generations, anew = _land(startup, clients, environment)
    publications = Publications(clients, manifest, environment)
    published = publications.all()
    stale = outstanding(manifest, published, generations, anew)
    possible = stale & _possible(publications, generations)
    states, failures = _remembered(startup.state), []
    if possible:
        startup.launch([components.AIRFLOW])
        api = startup.connect_airflow()
        startup.tell(f"Airflow is ready; {len(possible)} DAG runs to go")
        states = _run_dags(startup, api, possible, watch)
        failures = [_failure(api, state, task.task_id, task.attempt) for state, task in failed_tasks(states)]
        published = publications.all()
    return DemoOutcome(
        clients=clients,
        environment=environment,
        generations=tuple(generations),
        published=published,
        changed=bool(possible),
        runs=tuple(states),
        failures=tuple(failures),
        left_out=tuple(sorted(stale - possible)),
    )


def _land(
    startup: Startup, clients: Clients, environment: Environment
) -> tuple[list[Generation], Collection[tuple[str, Generation]]]:
    """Land the example's exports; the generations, and the raw datasets whose files are new."""
    from dapflow.example import land, snapshots  # noqa: PLC0415

    if not any(dataset.source for dataset in startup.manifest.datasets.values()):
        raise DapflowError("no-example", "the project has no raw tables that the example's files could be for")
    startup.tell("landing the nightly exports of the example")
    landed = land(clients.s3, environment.zones["landing"])
    startup.tell(f"landed {len(landed.written)} files; {len(landed.unchanged)} were there already")
    anew = {(f"{item.service}.raw.{item.table}", Generation(item.generation)) for item in landed.written}
    return [Generation(day) for day in snapshots()], anew


def _possible(publications: Publications, generations: Iterable[Generation]) -> set[ServiceRun]:
    """The runs of which all files have landed, and those of what their services read."""
    manifest = publications.manifest
    landed = {
        dataset.id: publications.landed(dataset.id)
        for dataset in manifest.datasets.values()
        if dataset.source is not None
    }
    slower = {dataset.id for dataset in manifest.datasets.values() if comes_less_often(manifest, dataset)}

    def possible(service: str, generation: Generation, asked: frozenset[str] = frozenset()) -> bool:
        own = [
            dataset_id
            for dataset_id in manifest.services[service].datasets
            if dataset_id in landed and dataset_id not in slower
        ]
        read = producers(manifest, service) - asked
        return (
            bool(own or read or asked)
            and all(generation in landed[dataset] for dataset in own)
            and all(possible(other, generation, asked | {service}) for other in read)
        )

    return {ServiceRun(day, service) for day in generations for service in manifest.services if possible(service, day)}


def _run_dags(startup: Startup, api: AirflowApi, wanted: set[ServiceRun], watch: Watch) -> list[RunState]:
    state, manifest = startup.state, startup.manifest
    runs = DagRuns(
        api=api,
        manifest=manifest,
        wanted=wanted,
        check=lambda: require_alive(state, components.ALL),
        watch=watch,
    )
    states = runs.complete()
    noted = [run.as_dict() for run in states]
    write_json(state.demo_file, {"runs": noted})
    return states


def _remembered(state: State) -> list[RunState]:
    runs = read_json(state.demo_file).get("runs")
    return [RunState.of_dict(run) for run in runs] if isinstance(runs, list) else []


def _failure(api: AirflowApi, state: RunState, task_id: str, attempt: int) -> FailedTask:
    lines: list[str] = []
    with suppress(DapflowError):
        lines = api.task_log(state.service, state.run_id or "", task_id, attempt)
    return FailedTask(f"{state.service} {state.generation}", task_id, tuple(lines[-_LOG_LINES:]))
