"""Which folder the project is."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowError

#: What helps where there is none.
NAME_IT = "run dapflow inside the repository, or name it with --project DIR"


def find_project(start: Path) -> Path:
    """The nearest folder from ``start`` upwards that holds ``transforms/``. Raises DapflowError ``no-project``."""
    for folder in (start, *start.parents):
        if (folder / "transforms").is_dir():
            return folder
    raise DapflowError("no-project", f"there is no transforms/ folder in {start} or above it", hint=NAME_IT)
