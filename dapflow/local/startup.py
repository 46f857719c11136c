"""Start what is missing of the embedded platform, bring it up to the project, and wait until it can be used."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dapflow.bundle import ENTRY, build_bundle
from dapflow.errors import DapflowError
from dapflow.local import components
from dapflow.local.airflow import airflow_url
from dapflow.local.airflow_api import AirflowApi
from dapflow.local.aws_session import connect_to_platform
from dapflow.local.interrupts import shielded
from dapflow.local.ports import Ports, choose_ports
from dapflow.local.processes import last_lines, log_file, running, start, stop
from dapflow.local.state import State
from dapflow.local.synthesis import Synthesis
from dapflow.manifest import Manifest

if TYPE_CHECKING:
    from dapflow.runtime.aws import Clients

_SECONDS = 300.0
Tell = Callable[[str], None]


@dataclass
class Startup:
    """One start of the platform. ``started`` are the components that it started itself."""

    state: State
    manifest: Manifest
    tell: Tell
    started: list[str] = field(default_factory=list)
    ports: Ports = field(default_factory=Ports)
    _synthesis: Synthesis | None = None
    _told: set[str] = field(default_factory=set)
    _parsed_after: datetime = field(default_factory=lambda: datetime.now(UTC))

    def launch(self, names: Iterable[str]) -> None:
        """Start those of the components that do not run; returns before they are ready."""
        wanted = list(names)
        self.state.create()
        if self._synthesis is None:
            # It takes as long as the servers do to start: beside them.
            self._synthesis = Synthesis(self.state.root, self.manifest)
        alive = {name for name in components.ALL if running(self.state, name)}
        self.ports = choose_ports(self.state, alive, self.tell)
        if components.AIRFLOW in wanted:
            self.refresh_bundle()
        for name in wanted:
            if name in alive:
                continue
            # Of a component that died, processes may be left that it had started.
            stop(self.state, [name])
            self.tell(f"starting {name}")
            self.started.append(name)
            start(self.state, components.command(name, self.state, self.ports))

    def refresh_bundle(self) -> None:
        """Build the bundle of the project as it is now, and let Airflow look at it at once."""
        from dapflow.local.provision import describe_local  # noqa: PLC0415 (imports boto3)

        environment = describe_local(self.state.root, self.manifest).environment
        dags = build_bundle(self.state.root, self.manifest, environment, self.state.bundle)
        # Airflow parses a file again when it has changed, which this one does not when only the manifest does.
        self._parsed_after = datetime.now(UTC)
        for file in dags.glob("*.py"):
            os.utime(file)

    def connect(self) -> Clients:
        """Wait for AWS and Athena, provision them, and connect."""
        from dapflow.local import provision  # noqa: PLC0415 (imports boto3: a second, in which the servers start)

        clients = connect_to_platform(self.ports)
        platform = provision.describe_local(self.state.root, self.manifest)
        synthesis = self._synthesis or Synthesis(self.state.root, self.manifest)
        wanted = provision.wanted_resources(synthesis.templates(), platform)
        self._wait_for(components.AWS)
        provision.provision_aws(self.state, wanted)
        self._wait_for(components.ATHENA)
        provision.provision_athena(self.state, wanted, clients.athena, platform)
        return clients

    def connect_airflow(self) -> AirflowApi:
        """Wait until Airflow has read every DAG of the project and can run tasks; provision it."""
        from dapflow.local.provision import describe_local, provision_airflow  # noqa: PLC0415

        self._wait_for(components.AIRFLOW)
        api = AirflowApi(airflow_url(self.ports))
        # The API that tasks report to is built at its first request, for seconds: not while tasks wait for it.
        api.healthy("/execution/health")
        provision_airflow(describe_local(self.state.root, self.manifest), api)
        self._wait(components.AIRFLOW, lambda: self._is_parsed(api))
        return api

    def undo(self) -> None:
        """Stop what this start started."""
        with shielded():
            if self._synthesis is not None:
                self._synthesis.cancel()
            stop(self.state, self.started)
            self.started.clear()

    def _wait_for(self, name: str) -> None:
        self._wait(name, lambda: components.answers(name, self.state, self.ports))

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not ready():
            log = log_file(self.state, name)
            if running(self.state, name) is None:
                raise DapflowError(
                    "component-failed", f"{name} ended while it was starting:\n{last_lines(log)}", file=log
                )
            if time.monotonic() > deadline:
                raise DapflowError("component-failed", f"{name} is not ready after {_SECONDS:.0f} seconds", file=log)
            time.sleep(0.1)

    def _is_parsed(self, api: AirflowApi) -> bool:
        health = api.get("/monitor/health")
        if health["scheduler"]["status"] != "healthy" or health["dag_processor"]["status"] != "healthy":
            return False
        self._look_at_import_errors(api)
        parsed = {
            dag["dag_id"]: datetime.fromisoformat(dag["last_parsed_time"])
            for dag in api.get_all("/dags", "dags")
            if dag.get("last_parsed_time") and not dag.get("is_stale")
        }
        return all(name in parsed and parsed[name] > self._parsed_after for name in self.manifest.services)

    def _look_at_import_errors(self, api: AirflowApi) -> None:
        """Raise what keeps the services' DAGs from being read; tell once what is wrong with other DAG files."""
        for error in api.import_errors():
            if datetime.fromisoformat(error["timestamp"]) <= self._parsed_after:
                continue
            failure = _import_failure(str(error["filename"]), str(error["stack_trace"]))
            if error["filename"] == ENTRY:
                raise failure
            if error["filename"] not in self._told:
                self._told.add(error["filename"])
                self.tell(f"Airflow cannot read a DAG file: {failure}")


def _import_failure(name: str, trace: str) -> DapflowError:
    """What is wrong with a DAG file, at the line of it where Python was."""
    lines = trace.strip().splitlines() or [""]
    places = re.findall(rf'File ".*/{re.escape(name)}", line (\d+)', trace)
    line = int(places[-1]) if places else None
    return DapflowError("dag-import", lines[-1], file=f"dags/{name}", line=line)
