"""What an environment that lasts is to have: what git has."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.git import CHANGES, project_commit


def committed(root: Path, environment: str, *, hint: str) -> str:
    """The commit that ``transforms/`` is of. Raises DapflowError ``uncommitted`` where not all of it is in one."""
    commit = project_commit(root)
    if not commit or commit.endswith(CHANGES):
        raise DapflowError(
            "uncommitted",
            f"transforms/ holds what is in no commit, and {environment} is to have what git has",
            hint=hint,
        )
    return commit
