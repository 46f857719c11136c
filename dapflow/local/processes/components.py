"""What the embedded platform consists of, and how each part is started and known to be ready."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from dapflow.local.airflow import installation as airflow
from dapflow.local.aws_session import athena_url, aws_url, platform_environment
from dapflow.local.processes.ports import Ports
from dapflow.local.processes.started import Component, running, was_started
from dapflow.servers import HEALTH_PATH
from dapflow.servers.state import State, read_json

AWS = "aws"
ATHENA = "athena"
AIRFLOW = airflow.NAME
SERVERS = (AWS, ATHENA)
ALL = (*SERVERS, AIRFLOW)
# Another program that took the port may never answer; a component that is busy is asked again.
_ANSWER_SECONDS = 3


@dataclass(frozen=True)
class Status:
    """How a component is: ``running``, ``stopped``, or ``dead`` when it was started and is gone.

    ``parts`` are the processes that it consists of, by name, where it has several; ``sign_in`` is the user and the
    password of its pages, where it has some.
    """

    name: str
    state: str
    url: str
    pid: int | None = None
    started: float | None = None
    parts: dict[str, int] | None = None
    sign_in: dict[str, str] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The shape that ``--json`` prints."""
        return asdict(self)


def command(name: str, state: State, ports: Ports) -> Component:
    """How a component is started."""
    environment = platform_environment(state, ports, os.environ)
    if name == AWS:
        arguments = ("-P", "-m", "dapflow.local.aws", "--port", str(ports.aws), "--state", str(state.aws))
        return Component(AWS, arguments, environment)
    if name == ATHENA:
        address = ("--port", str(ports.athena), "--aws-endpoint", aws_url(ports))
        return Component(ATHENA, ("-P", "-m", "dapflow", "athena", *address, "--state", str(state.athena)), environment)
    return airflow.component(state, ports)


def port(name: str, ports: Ports) -> int:
    """The port of a component."""
    return int(getattr(ports, name))


def who_knows(before: Ports, now: Ports) -> tuple[str, ...]:
    """The components that were told the address of one that has moved: each knows those in front of it."""
    moved = [index for index, name in enumerate(ALL) if port(name, before) != port(name, now)]
    return ALL[moved[0] + 1 :] if moved else ()


def answers(name: str, state: State, ports: Ports) -> bool:
    """Whether the server of a component answers, and is this platform's."""
    if name == AWS:
        return bool(_read(f"{aws_url(ports)}{HEALTH_PATH}").get("state") == str(state.aws))
    if name == ATHENA:
        process = running(state, ATHENA)
        return process is not None and _read(f"{athena_url(ports)}{HEALTH_PATH}").get("pid") == process.pid
    # Who takes this platform's password is this platform's.
    health = _read(f"{airflow.airflow_url(ports)}/api/v2/monitor/health")
    return "metadatabase" in health and airflow.airflow_api(state, ports).admits()


def statuses(state: State, ports: Ports) -> Iterator[Status]:
    """How all components are."""
    urls = {AWS: aws_url(ports), ATHENA: athena_url(ports), AIRFLOW: airflow.airflow_url(ports)}
    for name, url in urls.items():
        process = running(state, name)
        if process is None:
            yield Status(name, "dead" if was_started(state, name) else "stopped", url)
            continue
        parts, sign_in = None, None
        if name == AIRFLOW:
            parts = _airflow_parts(state)
            sign_in = {"user": airflow.USER, "password": airflow.password(state)}
        yield Status(name, "running", url, process.pid, process.create_time(), parts, sign_in)


def _airflow_parts(state: State) -> dict[str, int]:
    noted = read_json(airflow.children_file(state))
    return {name: pid for name, pid in noted.items() if isinstance(pid, int) and psutil.pid_exists(pid)}


def _read(url: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_ANSWER_SECONDS) as response:
            data = json.load(response)
    except (urllib.error.URLError, OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
