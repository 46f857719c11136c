"""What git says of a project."""

from __future__ import annotations

import subprocess
from pathlib import Path

from dapflow.forges import file_address

_TRANSFORMS = "transforms"
# Behind a commit, where files differ from it.
CHANGES = "+changes"


def project_commit(root: Path) -> str:
    """The last commit that changed ``transforms/``, with ``+changes`` where files there differ from it.

    Other commits change nothing that a product is made by, and would deploy every bundle anew. Empty without git.
    """
    commit = git(root, "log", "-1", "--format=%H", "--", _TRANSFORMS)
    changed = git(root, "status", "--porcelain", "--", _TRANSFORMS) if commit else ""
    return f"{commit}{CHANGES}" if changed else commit


def file_addresses(root: Path) -> str:
    """Where the files of ``project_commit`` are shown on the web, with ``{path}`` for the path below ``root``.

    Empty where files differ from the commit, and where nobody knows how the remote ``origin`` shows files.
    """
    commit = project_commit(root)
    if not commit or commit.endswith(CHANGES):
        return ""
    return file_address(git(root, "remote", "get-url", "origin"), commit, git(root, "rev-parse", "--show-prefix"))


def git(root: Path, *arguments: str) -> str:
    """What git prints; nothing where there is no git, no repository, or no answer."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except OSError:
        return ""
    return done.stdout.decode(errors="surrogateescape").strip() if done.returncode == 0 else ""
