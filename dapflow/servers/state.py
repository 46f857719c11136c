"""Where the embedded platform of a project keeps its things: ``.dapflow/`` in the project."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapflow.errors import DapflowError
from dapflow.files import write_whole

_LOCK_SECONDS = 60.0
# What the platform keeps is for the user who runs it: data of the lake, keys, what processes say.
PRIVATE_UMASK = 0o077


@dataclass(frozen=True)
class State:
    """The paths under ``.dapflow/`` of the project at ``root``."""

    root: Path

    @classmethod
    def of(cls, root: Path) -> State:
        """The state of the project at ``root``, whatever way its path is written."""
        return cls(root.resolve())

    @property
    def directory(self) -> Path:
        """The directory that holds everything."""
        return self.root / ".dapflow"

    @property
    def aws(self) -> Path:
        """What the AWS server keeps."""
        return self.directory / "aws"

    @property
    def athena(self) -> Path:
        """What the embedded Athena keeps: executions and copies of objects."""
        return self.directory / "athena"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.directory / "airflow"

    @property
    def bundle(self) -> Path:
        """The bundle that Airflow runs."""
        return self.directory / "bundle"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.directory / "logs"

    @property
    def runs(self) -> Path:
        """One record a running process."""
        return self.directory / "run"

    @property
    def templates(self) -> Path:
        """Synthesized templates, one folder for each content of what they are made of."""
        return self.directory / "templates"

    @property
    def stacks_file(self) -> Path:
        """What the AWS server and Athena were last provisioned with."""
        return self.directory / "stacks.json"

    @property
    def exports_file(self) -> Path:
        """What the stacks of the main environment export to those of branches."""
        return self.directory / "exports.json"

    @property
    def branches(self) -> Path:
        """One folder for each branch environment, of what must be known to remove it."""
        return self.directory / "branches"

    @property
    def ports_file(self) -> Path:
        """The ports of the platform, the same at each start where possible."""
        return self.directory / "ports.json"

    @property
    def demo_file(self) -> Path:
        """The DAG runs of the demo, shown again when there is nothing left to run."""
        return self.directory / "demo.json"

    @property
    def schedule_file(self) -> Path:
        """Whether schedules start runs here."""
        return self.directory / "schedule.json"

    @property
    def access_key_file(self) -> Path:
        """The key that every client of the platform signs with."""
        return self.directory / "access-key.json"

    def create(self) -> None:
        """Make the directory, for its user alone; git leaves it alone. From now on this process makes private files."""
        os.umask(PRIVATE_UMASK)
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self.directory.chmod(0o700)
            ignore = self.directory / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise DapflowError(
                "state-directory", f"{self.directory} cannot be written: {error.strerror}", file=self.directory
            ) from error

    def wipe(self) -> None:
        """Remove the directory and everything in it."""
        shutil.rmtree(self.directory, ignore_errors=True)

    @contextmanager
    def locked(self, tell: Callable[[str], None] = lambda _: None) -> Iterator[None]:
        """Keep a second command from starting or stopping the platform at the same time; it is told that it waits."""
        self.create()
        file = self.directory / "lock"
        with file.open("a+") as lock:
            _acquire(file, lock.fileno(), _LOCK_SECONDS, tell)
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield


def read_json(file: Path) -> dict[str, Any]:
    """A JSON file of ours; {} when there is none. Raises DapflowError ``state-damaged``."""
    try:
        data = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise damaged(file, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise damaged(file) from error
    if not isinstance(data, dict):
        raise damaged(file)
    return data


def write_json(file: Path, data: dict[str, Any]) -> None:
    """Write a JSON file of ours, at once, for its user alone."""
    write_whole(file, (json.dumps(data, indent=1) + "\n").encode(), mode=0o600)


def damaged(file: Path, what: str = "is damaged") -> DapflowError:
    """The error that a file of ours, which nobody else writes, does not hold what we wrote."""
    return DapflowError(
        "state-damaged",
        f"{file.name} of the embedded platform {what}",
        file=file,
        hint="remove the file, which forgets what it held, or start afresh with dapflow local down --wipe",
    )


def _acquire(file: Path, descriptor: int, seconds: float, tell: Callable[[str], None]) -> None:
    """Wait for as long as others take turns, and ``seconds`` for any one of them."""
    waits, holder = False, ""
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if (named := file.read_text()) != holder:
                holder, deadline = named, time.monotonic() + seconds
            if time.monotonic() > deadline:
                raise DapflowError(
                    "platform-busy",
                    "another dapflow command has been starting or stopping this platform for a minute",
                    hint=f"wait for it, or end it: process {holder.strip()}" if holder else "wait for it, or end it",
                ) from None
            if not waits:
                waits = True
                tell("another dapflow command starts or stops this platform: waiting for it")
            time.sleep(0.2)
        else:
            return
