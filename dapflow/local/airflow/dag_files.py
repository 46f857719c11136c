"""The DAG files of an environment on the embedded platform: written, and waited for until Airflow has read them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from dapflow.bundle import ENTRY, build_bundle, bundle_folder
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.local.airflow.installation import NAME as AIRFLOW
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.processes.running import wait_until
from dapflow.manifest import Manifest
from dapflow.servers.state import State


@dataclass
class DagFiles:
    """What was written at ``since``, and the DAGs that Airflow will find there; it calls the file ``entry``."""

    state: State
    entry: str
    dags: tuple[str, ...]
    since: datetime
    _told: set[str] = field(default_factory=set)

    def wait(self, api: AirflowApi, tell: Callable[[str], None]) -> None:
        """Wait until Airflow has read every DAG and can run tasks.

        Raises DapflowError ``dag-import`` when it cannot read them; what is wrong with other DAG files is told once.
        """
        wait_until(self.state, AIRFLOW, lambda: self._are_read(api, tell))

    def _are_read(self, api: AirflowApi, tell: Callable[[str], None]) -> bool:
        health = api.get("/monitor/health")
        if health["scheduler"]["status"] != "healthy" or health["dag_processor"]["status"] != "healthy":
            return False
        self._look_at_import_errors(api, tell)
        read = {
            dag["dag_id"]: datetime.fromisoformat(dag["last_parsed_time"])
            for dag in api.get_all("/dags", "dags")
            if dag.get("last_parsed_time") and not dag.get("is_stale")
        }
        return all(name in read and read[name] > self.since for name in self.dags)

    def _look_at_import_errors(self, api: AirflowApi, tell: Callable[[str], None]) -> None:
        for error in api.import_errors():
            if datetime.fromisoformat(error["timestamp"]) <= self.since:
                continue
            failure = _import_failure(str(error["filename"]), str(error["stack_trace"]))
            if error["filename"] == self.entry:
                raise failure
            if error["filename"] not in self._told:
                self._told.add(error["filename"])
                tell(f"Airflow cannot read a DAG file: {failure}")


@contextmanager
def unfinished(state: State) -> Iterator[Path]:
    """A folder beside the bundle for what comes or goes as a whole; what a command that was killed left there goes too.

    Only for who holds the platform's lock.
    """
    folder = state.bundle / "unfinished"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def write_dag_files(state: State, manifest: Manifest, environment: Environment) -> DagFiles:
    """Build the bundle of an environment, and let Airflow look at it at once."""
    folder = bundle_folder(state.bundle, environment)
    if folder.exists():
        build_bundle(state.root, manifest, environment, state.bundle)
    else:
        # It appears as a whole: Airflow, which may run, would read the first files before the last are there.
        with unfinished(state) as new:
            built = build_bundle(state.root, manifest, environment, new)
            folder.parent.mkdir(parents=True, exist_ok=True)
            built.rename(folder)
    if environment.branch:
        # What runs the branch is what runs the main environment.
        write_whole(folder / ENTRY, (state.bundle / "dags" / ENTRY).read_bytes())
    since = datetime.now(UTC)
    # Airflow parses a file again when it has changed, which this one does not when only the manifest does.
    for file in folder.glob("*.py"):
        os.utime(file)
    dags = tuple(
        environment.dag_id(service.name)
        for service in manifest.services.values()
        if any(
            environment.publishes(dataset_id, external=manifest.datasets[dataset_id].external)
            for dataset_id in service.datasets
        )
    )
    return DagFiles(state, (folder / ENTRY).relative_to(state.bundle / "dags").as_posix(), dags, since)


def _import_failure(name: str, trace: str) -> DapflowError:
    """What is wrong with a DAG file, at the line of it where Python was."""
    lines = trace.strip().splitlines() or [""]
    places = re.findall(rf'File ".*/{re.escape(Path(name).name)}", line (\d+)', trace)
    line = int(places[-1]) if places else None
    return DapflowError("dag-import", lines[-1], file=f"dags/{name}", line=line)
