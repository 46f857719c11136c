"""The branch that the project stands on."""

from __future__ import annotations

from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.git import git
from dapflow.local.cloudformation.template_synthesis import GitBranch


def git_branch(root: Path, name: str | None) -> GitBranch:
    """The branch of this name, or the one that the project stands on, with the commit and the author who asks.

    Raises DapflowError ``branch-name`` where it stands on none.
    """
    branch = name if name is not None else git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    if name is None and not branch:
        raise DapflowError("branch-name", f"{root} stands on no git branch", hint="name the branch on the command line")
    return GitBranch(branch, git(root, "rev-parse", "--quiet", "--verify", "HEAD"), git(root, "config", "user.name"))
