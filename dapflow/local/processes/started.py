"""The processes of the embedded platform: started apart from the terminal, recognised, stopped with their children."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from dapflow.errors import DapflowError
from dapflow.local.processes.interrupts import shielded
from dapflow.servers.state import PRIVATE_UMASK, State, read_json, write_json

# In the environment of every process of a platform, so that none is taken for one that only got its number, and none
# is left behind whose parent was killed.
_PLATFORM = "DAPFLOW_PLATFORM"
_COMPONENT = "DAPFLOW_COMPONENT"
_LONGEST_LOG = 5_000_000


@dataclass(frozen=True)
class Component:
    """A process to start: its command without the interpreter, its environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def log_file(state: State, name: str) -> Path:
    """Where a component's output goes."""
    return state.logs / f"{name}.log"


def start(state: State, component: Component) -> psutil.Process:
    """Start a component. It goes on when this command ends, and hears nothing of this terminal's Ctrl-C."""
    log = log_file(state, component.name)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        if log.exists() and log.stat().st_size > _LONGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output, shielded():
            process = subprocess.Popen(
                [sys.executable, *component.arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=state.root,
                env=_environment(state, component),
                umask=PRIVATE_UMASK,
                start_new_session=True,
            )
            started = psutil.Process(process.pid)
            _note(state, component.name, started)
    except OSError as error:
        raise DapflowError(
            "component-failed", f"{component.name} could not be started: {error.strerror}", file=error.filename
        ) from error
    # The platform outlives this command, which therefore never waits for its children.
    process.returncode = 0
    return started


def running(state: State, name: str) -> psutil.Process | None:
    """The component's process, if it lives and really is this platform's."""
    pid = read_json(_record(state, name)).get("pid")
    if not isinstance(pid, int):
        return None
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE and _component(process, state) == name:
            return process
    return None


def was_started(state: State, name: str) -> bool:
    """Whether the component was started and not stopped, so that it should be running."""
    return _record(state, name).exists()


def members(state: State, names: Iterable[str]) -> list[psutil.Process]:
    """Every process of these components, also those whose parent is gone."""
    wanted = set(names)
    own = os.getuid()
    processes = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == own and _component(process, state) in wanted:
                processes.append(process)
    return processes


def stop(state: State, names: Sequence[str], seconds: float = 10.0) -> list[str]:
    """Stop components and everything they started; returns the names of those that were running."""
    processes = members(state, names)
    # Not by their records: one that is damaged must not keep anything from being stopped.
    components = {_component(process, state) for process in processes}
    alive = [name for name in names if name in components]
    _signal(processes, signal.SIGTERM)
    _, left = psutil.wait_procs(processes, timeout=seconds)
    # What was started meanwhile, and what does not listen.
    left = members(state, names)
    _signal(left, signal.SIGKILL)
    psutil.wait_procs(left, timeout=seconds)
    for name in names:
        _record(state, name).unlink(missing_ok=True)
    return alive


def last_lines(file: Path, count: int = 15) -> str:
    """The end of a log file."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - 65536))
            lines = log.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-count:])


def _environment(state: State, component: Component) -> dict[str, str]:
    environment = dict(component.environment)
    environment[_PLATFORM] = str(state.directory)
    environment[_COMPONENT] = component.name
    # setproctitle, which Airflow uses, would write a title over the environment that we recognise our processes by.
    environment["SPT_NOENV"] = "1"
    environment["PYTHONUNBUFFERED"] = "1"
    return with_compiled_modules(environment)


def with_compiled_modules(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python keeps its compiled modules; without, a process takes three times as long to start.

    Where no one wants them beside the sources, they go into the virtual environment's own folder.
    """
    with_them = dict(environment)
    if with_them.pop("PYTHONDONTWRITEBYTECODE", None):
        with_them.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "pycache"))
    return with_them


def _component(process: psutil.Process, state: State) -> str | None:
    """The component of this platform that a process belongs to, or None."""
    with contextlib.suppress(psutil.Error):
        environment = process.environ()
        if environment.get(_PLATFORM) == str(state.directory):
            return str(environment.get(_COMPONENT))
    return None


def _record(state: State, name: str) -> Path:
    return state.runs / f"{name}.json"


def _note(state: State, name: str, process: psutil.Process) -> None:
    record = {"pid": process.pid, "started": time.strftime("%Y-%m-%dT%H:%M:%S%z")}
    write_json(_record(state, name), record)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
