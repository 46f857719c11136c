"""What git says of a project."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Collection
from difflib import SequenceMatcher
from pathlib import Path

from dapflow.forges import file_address

_TRANSFORMS = "transforms"
# Behind a commit, where files differ from it.
CHANGES = "+changes"
# The part of its lines by which git takes a file for another one under a new name.
_SAME_FILE = 0.5


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


def default_branch(root: Path) -> str:
    """The branch that others come from: the remote's own choice, or main, or master. Empty where there is none."""
    remote = git(root, "rev-parse", "--abbrev-ref", "origin/HEAD")
    for name in (remote, "main", "master"):
        if name and git(root, "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}"):
            return name
    return ""


def extract(root: Path, commit: str, names: Collection[str], target: Path) -> None:
    """Write files and folders of the project in ``root`` into ``target``, as they were; what was not there is left."""
    there = git(root, "ls-tree", "--name-only", commit, "--", *names).splitlines()
    if there:
        archive = _git(root, "archive", "--format=tar", commit, "--", *there)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(target, filter="data")


def staged(root: Path) -> list[str]:
    """The files below ``transforms/`` that the next commit changes or removes, by their names in the project."""
    return _names(_git(root, "diff", "--cached", "--name-only", "--relative", "-z", "--", _TRANSFORMS))


def extract_staged(root: Path, names: Collection[str], target: Path) -> Path:
    """Write files and folders of the project as the next commit has them; gives back where below ``target`` it is."""
    listed = _git(root, "ls-files", "-z", "--", *names)
    _git(root, "checkout-index", "--quiet", "-z", "--stdin", f"--prefix={target}/", given=listed)
    # Below the prefix git writes names as the repository has them.
    return target / git(root, "rev-parse", "--show-prefix")


def was_called(root: Path, file: Path, other: Path) -> bool:
    """Whether a file had another name in some commit; also in the last one, which has much the same text by it."""
    if not git(root, "ls-tree", "HEAD", "--", str(file)):
        before, now = _git(root, "show", f"HEAD:./{other.as_posix()}"), (root / file).read_bytes()
        return SequenceMatcher(None, before.splitlines(), now.splitlines()).ratio() >= _SAME_FILE
    names = git(root, "log", "--follow", "--format=", "--name-only", "--relative", "--", str(file))
    return other.as_posix() in names.splitlines()


def hooks_folder(root: Path) -> Path | None:
    """Where git looks for hooks of this repository alone; None where there is none, or where others share it."""
    folder, own = git(root, "rev-parse", "--git-path", "hooks"), git(root, "rev-parse", "--git-common-dir")
    hooks, common = (root / folder).resolve(), (root / own).resolve()
    return hooks if folder and own and hooks.is_relative_to(common) else None


def _names(output: bytes) -> list[str]:
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def git(root: Path, *arguments: str) -> str:
    """What git prints; nothing where there is no git, no repository, or no answer."""
    return _git(root, *arguments).decode(errors="surrogateescape").strip()


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], input=given, capture_output=True, check=False)
    except OSError:
        return b""
    return done.stdout if done.returncode == 0 else b""
