"""The commands of a user, as the benchmarks type them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from dapflow.servers.state import State, read_json

_MIB = 1024**2


@dataclass(frozen=True)
class Done:
    """A command that has ended: how long it took, and the most memory that it had, in MiB."""

    seconds: float
    memory: float


def dapflow(project: Path, *arguments: str, status: int = 0) -> Done:
    """Run ``dapflow`` on a project. Raises RuntimeError with what it said where it ends with another status."""
    command = [sys.executable, "-m", "dapflow", *arguments, "--project", str(project)]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        _, ended, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(ended)
        if process.returncode != status:
            said.seek(0)
            raise RuntimeError(f"dapflow {' '.join(arguments)}\n{said.read().decode(errors='replace')}")
    return Done(seconds, usage.ru_maxrss * 1024 / _MIB)


@contextmanager
def platform(project: Path) -> Iterator[None]:
    """The embedded platform of a project, without Airflow, while a benchmark needs it."""
    dapflow(project, "local", "up", "--no-airflow")
    try:
        yield
    finally:
        dapflow(project, "local", "down", "--wipe")


def server_memory(project: Path, name: str) -> float:
    """The most memory that a server of the platform and its children had so far, in MiB. Linux only."""
    process = psutil.Process(int(str(read_json(State.of(project).runs / f"{name}.json")["pid"])))
    return sum(peak_memory(member.pid) for member in [process, *process.children(recursive=True)])


def peak_memory(pid: int | str) -> float:
    """The most memory that a process had since it began its program, in MiB. Linux only.

    What getrusage tells of a process has the peak of the one that started it in it.
    """
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) * 1024 / _MIB for line in status.splitlines() if line.startswith("VmHWM:"))
