"""What git says of a project."""

from __future__ import annotations

import subprocess
from pathlib import Path

_TRANSFORMS = "transforms"


def project_commit(root: Path) -> str:
    """The last commit that changed ``transforms/``, with ``+changes`` where files there differ from it.

    Other commits change nothing that a product is made by, and would deploy every bundle anew. Empty without git.
    """
    commit = git(root, "log", "-1", "--format=%H", "--", _TRANSFORMS)
    changed = git(root, "status", "--porcelain", "--", _TRANSFORMS) if commit else ""
    return f"{commit}+changes" if changed else commit


def git(root: Path, *arguments: str) -> str:
    """What git prints; nothing where there is no git, no repository, or no answer."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except OSError:
        return ""
    return done.stdout.decode(errors="surrogateescape").strip() if done.returncode == 0 else ""
