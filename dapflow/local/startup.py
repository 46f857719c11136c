"""Start what is missing of the embedded platform, bring it up to the project, and wait until it can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.local.airflow.dag_files import DagFiles, write_dag_files
from dapflow.local.airflow.installation import airflow_api
from dapflow.local.airflow.rest_api import AirflowApi
from dapflow.local.airflow.schedules import switch_schedules
from dapflow.local.aws_session import connect_to_platform
from dapflow.local.cloudformation.template_synthesis import SYNTHESIZING, Synthesis
from dapflow.local.processes import components
from dapflow.local.processes.interrupts import shielded
from dapflow.local.processes.ports import Ports, choose_ports, is_free, read_ports
from dapflow.local.processes.running import wait_until
from dapflow.local.processes.started import running, start, stop
from dapflow.manifest import Manifest
from dapflow.servers.state import State

if TYPE_CHECKING:
    from dapflow.runtime.aws import Clients

# How often a component is started again because its port was taken in the moment before it could listen.
_MOST_PORTS = 3
Tell = Callable[[str], None]


@dataclass
class Startup:
    """One start of the platform.

    Attributes:
        schedule: whether schedules start runs from now on; None leaves it as it is.
        started: the components that it started itself.
    """

    state: State
    manifest: Manifest
    tell: Tell
    schedule: bool | None = None
    started: list[str] = field(default_factory=list)
    ports: Ports = field(default_factory=Ports)
    _synthesis: Synthesis | None = None
    _dag_files: DagFiles | None = None

    def launch(self, names: Iterable[str]) -> None:
        """Start those of the components that do not run; returns before they are ready."""
        wanted = set(names)
        self.state.create()
        if self.schedule is not None:
            switch_schedules(self.state, on=self.schedule)
        if self._synthesis is None:
            # It takes as long as the servers do to start: beside them.
            self._synthesis = Synthesis(self.state.root, self.manifest)
        alive = {name for name in components.ALL if running(self.state, name)}
        before = read_ports(self.state)
        self.ports = choose_ports(self.state, alive, self.tell)
        stale = alive & set(components.who_knows(before, self.ports))
        if components.AIRFLOW in wanted:
            self.refresh_bundle()
        for name in components.ALL:
            if name not in stale and (name not in wanted or name in alive):
                continue
            # Of a component that died, processes may be left that it had started.
            stop(self.state, [name])
            self.tell(f"starting {name}")
            if name not in self.started:
                self.started.append(name)
            start(self.state, components.command(name, self.state, self.ports))
        if components.AIRFLOW not in wanted:
            # Branches are compared with it, and what Airflow finds when it is started is what is there.
            self.refresh_bundle()

    def refresh_bundle(self) -> None:
        """Build the bundle of the project as it is now, and let Airflow look at it at once."""
        from dapflow.local.cloudformation.provision import describe_local  # noqa: PLC0415 (imports boto3)

        environment = describe_local(self.state.root, self.manifest).environment
        self._dag_files = write_dag_files(self.state, self.manifest, environment)

    def connect(self) -> Clients:
        """Wait for AWS and Athena, provision them, and connect."""
        from dapflow.local.cloudformation import provision  # noqa: PLC0415 (imports boto3: a second, in which the servers start)

        ports = self.ports
        clients = connect_to_platform(self.state, ports)
        platform = provision.describe_local(self.state.root, self.manifest)
        synthesis = self._synthesis or Synthesis(self.state.root, self.manifest)
        if synthesis.under_way:
            self.tell(SYNTHESIZING)
        templates = synthesis.templates()
        wanted = provision.wanted_resources(templates, platform)
        provision.note_exports(self.state, templates)
        self.tell("bringing buckets, databases, workgroups and roles up to date")
        self._wait_for(components.AWS)
        if self.ports != ports:
            ports = self.ports
            clients = connect_to_platform(self.state, ports)
        provision.provision_aws(self.state, wanted)
        self._wait_for(components.ATHENA)
        if self.ports != ports:
            clients = connect_to_platform(self.state, self.ports)
        provision.provision_athena(self.state, wanted, clients.athena, platform)
        return clients

    def connect_airflow(self) -> AirflowApi:
        """Wait until Airflow has read every DAG of the project and can run tasks; provision it."""
        from dapflow.local.cloudformation.provision import describe_local, provision_airflow  # noqa: PLC0415

        self.tell("waiting until Airflow has read the DAGs")
        self._wait_for(components.AIRFLOW)
        api = airflow_api(self.state, self.ports)
        # The API that tasks report to is built at its first request, for seconds: not while tasks wait for it.
        api.healthy("/execution/health")
        provision_airflow(describe_local(self.state.root, self.manifest), api)
        if self._dag_files is not None:
            self._dag_files.wait(api, self.tell)
        return api

    def leaves(self) -> str:
        """In words, what runs after ``undo``."""
        kept = [name for name in components.ALL if name not in self.started and running(self.state, name)]
        if not self.started:
            return "the platform stays up"
        if not kept:
            return "the platform is stopped"
        return f"{' and '.join(self.started)} stopped again, as found; {' and '.join(kept)} still up"

    def undo(self) -> None:
        """Stop what this start started."""
        with shielded():
            if self._synthesis is not None:
                self._synthesis.cancel()
            if self.started:
                self.tell(f"stopping {', '.join(self.started)}")
            stop(self.state, self.started)
            self.started.clear()

    def _wait_for(self, name: str) -> None:
        """Wait until a component answers; when another program was quicker to take its port, start it on another."""
        for _ in range(_MOST_PORTS):
            try:
                wait_until(self.state, name, lambda: components.answers(name, self.state, self.ports))
            except DapflowError:
                if running(self.state, name) or is_free(components.port(name, self.ports)):
                    raise
                self.launch([name])
            else:
                return
        raise DapflowError("port", f"{name} found no port that stayed free", hint="try again")
