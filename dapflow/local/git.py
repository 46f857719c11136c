"""What git says of the project."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.local.synthesis import GitBranch


def git_branch(root: Path, name: str | None) -> GitBranch:
    """The branch of this name, or the one that the project stands on, with the commit and the author who asks.

    Raises DapflowError ``branch-name`` where it stands on none.
    """
    branch = name if name is not None else _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
    if name is None and not branch:
        raise DapflowError("branch-name", f"{root} stands on no git branch", hint="name the branch on the command line")
    return GitBranch(branch, _git(root, "rev-parse", "--quiet", "--verify", "HEAD"), _git(root, "config", "user.name"))


def _git(root: Path, *arguments: str) -> str:
    """What git prints; nothing where there is no git, no repository, or no answer."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except OSError:
        return ""
    return done.stdout.decode(errors="surrogateescape").strip() if done.returncode == 0 else ""
