"""Airflow's processes from one parent: what all of them import is imported once, and they are forked from it.

Started as a file of its own, in Airflow's environment: Airflow must see the bundle's dapflow, so nothing of the
installed dapflow may be imported here. Started one by one, the processes would each import for some seconds what they
have in common, and each task would import the Athena operator again.

A process that dies is started again; one that keeps dying ends all.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib
import importlib.util
import inspect
import json
import logging
import os
import signal
import sqlite3
import sys
import time
from collections import deque
from pathlib import Path
from types import FrameType
from typing import Any

log = logging.getLogger("dapflow.airflow")

API_SERVER = "airflow-api-server"

_MOST_STARTS = 4
_WITHIN_SECONDS = 60.0
_STOP_SECONDS = 6.0


class Processes:
    """The children: started, watched, stopped."""

    def __init__(self, logs: Path, record: Path, port: int) -> None:
        self._logs = logs
        self._record = record
        self._port = port
        self._commands: dict[str, list[str]] = {}
        self._starts: dict[str, deque[float]] = {}
        self._pids: dict[int, str] = {}
        self.stopping = False

    def start(self, name: str, command: list[str]) -> None:
        """Fork a child that runs ``airflow <command>``."""
        self._commands[name] = command
        starts = self._starts.setdefault(name, deque(maxlen=_MOST_STARTS))
        starts.append(time.monotonic())
        pid = os.fork()
        if pid == 0:
            self._become(name, command)
        self._pids[pid] = name
        self._note()
        log.info("%s is process %d", name, pid)

    def watch(self) -> int:
        """Start again what dies, until told to stop; returns the exit status."""
        while not self.stopping:
            try:
                pid, status = os.wait()
            except InterruptedError:
                continue
            name = self._pids.pop(pid, None)
            if name is None or self.stopping:
                continue
            log.error("%s (process %d) ended with %d", name, pid, os.waitstatus_to_exitcode(status))
            starts = self._starts[name]
            if len(starts) == _MOST_STARTS and time.monotonic() - starts[0] < _WITHIN_SECONDS:
                log.error("%s was started %d times in a minute; giving up", name, _MOST_STARTS)
                self.stop()
                return 1
            self.start(name, self._commands[name])
        self.stop()
        return 0

    def stop(self) -> None:
        """End all children, with force those that take too long."""
        self.stopping = True
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self._pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            self._reap(_STOP_SECONDS)

    def _reap(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._pids and time.monotonic() < deadline:
            with contextlib.suppress(ChildProcessError):
                pid, _ = os.waitpid(-1, os.WNOHANG)
                self._pids.pop(pid, None)
                if pid == 0:
                    time.sleep(0.05)

    def _become(self, name: str, command: list[str]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        output = os.open(self._logs / f"{name}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(output, 1)
        os.dup2(output, 2)
        status = 1
        try:
            if name == API_SERVER:
                self._gate_api_server()
            gc.freeze()
            gc.enable()
            status = run_airflow(command)
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 1
        except BaseException:
            logging.getLogger().exception("%s failed", name)
        finally:
            logging.shutdown()
            os._exit(status)

    def _gate_api_server(self) -> None:
        main: Any = importlib.import_module("airflow.api_fastapi.main")  # builds what is then found built
        main.app = load_gate()(main.app, self._port, pages=True)

    def _note(self) -> None:
        temporary = self._record.with_suffix(".new")
        temporary.write_text(json.dumps({name: pid for pid, name in self._pids.items()}))
        temporary.replace(self._record)


def load_gate() -> Any:
    """The class ``Gate`` of dapflow's own, by its file: the package dapflow is the bundle's here."""
    file = Path(__file__).parents[2] / "servers" / "gate.py"
    spec = importlib.util.spec_from_file_location("dapflow_gate", file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Gate


def run_airflow(command: list[str]) -> int:
    """Airflow's own command line, in this process."""
    from airflow.__main__ import main as airflow_main  # noqa: PLC0415 (imports Airflow)

    sys.argv = ["airflow", *command]
    airflow_main()
    return 0


def is_damaged(file: Path) -> bool:
    """Whether a SQLite file is none."""
    try:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorname in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}
    return False


def prepare_database(home: Path) -> None:
    """Make the database when there is none, or when Airflow is another release than the one that made it."""
    from airflow import __version__, settings  # noqa: PLC0415 (imports Airflow)

    mark = home / "database-version"
    if mark.exists() and mark.read_text() == __version__:
        return
    if not mark.exists():
        # Half made by a start that was interrupted.
        for leftover in home.glob("airflow.db*"):
            leftover.unlink()
        # Readers and the writer do not wait for each other in this mode; the file remembers it.
        with contextlib.closing(sqlite3.connect(home / "airflow.db")) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
    run_airflow(["db", "migrate"])
    # A connection must not be shared with the processes that are forked from this one.
    settings.engine.dispose()
    mark.write_text(__version__)


def warm_up() -> None:
    """Do once, here, what every task would do for itself when it makes its AWS clients: more work than the task.

    An operator's hook makes a session for each client and another to assume its role, and each session parses some
    megabytes of JSON that describe AWS. And each client's user agent is found by a look at the stack, for which Python
    looks at every module that is loaded.
    """
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415

    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name="eu-west-2")  # noqa: S106
    for service in ("sts", "athena", "glue", "s3"):
        session.client(service)
    inspect.stack()


def main() -> int:
    """Start everything and watch over it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of the API server and the UI, on loopback")
    parser.add_argument("--home", type=Path, required=True, help="AIRFLOW_HOME")
    parser.add_argument("--logs", type=Path, required=True, help="directory of the log files")
    parser.add_argument("--record", type=Path, required=True, help="file that names the processes")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Importing makes a million objects that stay: looking through them again and again takes a fifth of the time. Each
    # child sets them aside and collects what it makes itself.
    gc.disable()
    processes = Processes(arguments.logs, arguments.record, arguments.port)

    def stop(*_: int | FrameType | None) -> None:
        processes.stopping = True
        raise InterruptedError

    import airflow.cli.commands.api_server_command  # noqa: PLC0415 (the point of this file)
    import airflow.settings  # noqa: PLC0415

    if is_damaged(arguments.home / "airflow.db"):
        log.error(
            "%s is damaged; remove it and database-version beside it, which forgets Airflow's runs, "
            "or start afresh with dapflow local down --wipe",
            arguments.home / "airflow.db",
        )
        return 1
    prepare_database(arguments.home)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        # The slowest to be ready goes first; it builds its routes while this process goes on importing.
        processes.start(API_SERVER, ["api-server", "--host", "127.0.0.1", "--port", str(arguments.port)])
        import airflow.cli.commands.dag_processor_command  # noqa: PLC0415
        import airflow.cli.commands.scheduler_command  # noqa: PLC0415
        import airflow.executors.local_executor  # noqa: PLC0415
        import airflow.providers.amazon.aws.hooks.athena  # noqa: PLC0415
        import airflow.providers.amazon.aws.operators.athena  # noqa: PLC0415
        import airflow.sdk.execution_time.task_runner  # noqa: F401, PLC0415

        warm_up()
        processes.start("airflow-dag-processor", ["dag-processor"])
        processes.start("airflow-scheduler", ["scheduler", "--skip-serve-logs"])
    except InterruptedError:
        processes.stop()
        return 0
    return processes.watch()


if __name__ == "__main__":
    sys.exit(main())
