"""The log files of the platform's processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.local.airflow.installation import PARTS
from dapflow.local.processes import components
from dapflow.local.processes.started import log_file
from dapflow.servers.state import State


def log_files(state: State, component: str | None) -> list[Path]:
    """The log files of a component, or of all. Raises DapflowError ``unknown-component``."""
    known = [*components.ALL, *PARTS]
    if component is None:
        names = known
    elif component in known:
        names = [name for name in known if name == component or name.startswith(f"{component}-")]
    elif f"airflow-{component}" in known:
        names = [f"airflow-{component}"]
    else:
        raise DapflowError(
            "unknown-component", f"there is no component {component}", hint=f"there are {', '.join(known)}"
        )
    return [log_file(state, name) for name in names]


def tail(file: Path, count: int) -> list[str]:
    """The last lines of a file; none when there is no file."""
    if not file.exists() or not count:
        return []
    with file.open(encoding="utf-8", errors="replace") as log:
        return log.read().splitlines()[-count:]


def follow_logs(files: list[Path]) -> Iterator[tuple[Path, str]]:
    """The lines that are added to the files from now on, for ever."""
    read = {file: file.stat().st_size if file.exists() else 0 for file in files}
    while True:
        quiet = True
        for file in files:
            size = file.stat().st_size if file.exists() else 0
            if size < read[file]:
                # A new file in the place of one that had grown too long.
                read[file] = 0
            if size == read[file]:
                continue
            with file.open("rb") as log:
                log.seek(read[file])
                added = log.read(size - read[file])
            whole, newline, _ = added.rpartition(b"\n")
            read[file] += len(whole) + len(newline)
            for line in whole.decode("utf-8", "replace").splitlines():
                quiet = False
                yield file, line
        if quiet:
            time.sleep(0.2)
