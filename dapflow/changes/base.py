"""What a branch is compared with."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.git import CHANGES, default_branch, extract, git
from dapflow.manifest import Manifest
from dapflow.project import compile_project
from dapflow.runtime.bundled_project import BundledProject


@dataclass(frozen=True)
class Base:
    """A version of the project that a branch is compared with; ``name`` says which, for people.

    ``moved`` says in words that there is a newer one by now; else it is empty. ``commit`` is that of its transforms, of
    an environment as its bundle has it.
    """

    manifest: Manifest
    name: str
    moved: str = ""
    commit: str = ""


def base_deployed(bundle: Path, environment: str, *, again: str) -> Base:
    """The project that an environment runs, by its bundle. ``again`` is the command that brings it up again.

    Raises DapflowError ``manifest`` or ``environment`` for what another release has written.
    """
    try:
        bundled = BundledProject(bundle)
        return Base(bundled.manifest, running_in(environment, bundled.commit), commit=bundled.commit)
    except DapflowError as error:
        raise DapflowError(
            error.code,
            f"what runs in {environment} cannot be read: {error.message}",
            file=error.file,
            hint=f"bring it up with this release: {again}",
        ) from error


def running_in(environment: str, commit: str) -> str:
    """What an environment runs, in words. ``commit`` is that of its bundle."""
    of = f", of commit {commit[:9]}" if commit else ""
    return f"what runs in {environment}{of}{' with changes' if commit.endswith(CHANGES) else ''}"


def left_at(root: Path) -> str:
    """The last commit of ``transforms/`` before the branch left the main branch; empty where git knows none."""
    main = default_branch(root)
    left = git(root, "merge-base", "--end-of-options", main, "HEAD") if main else ""
    return git(root, "log", "-1", "--format=%H", left, "--", "transforms") if left else ""


def base_in_git(root: Path, against: str | None = None) -> Base:
    """The project where the branch left ``against``, by default the main branch: the newest commit that both have.

    Raises DapflowError ``no-base`` where git knows none, or where the project of then does not compile.
    """
    branch = against or default_branch(root)
    if not branch:
        raise DapflowError("no-base", f"git knows no main branch of {root}", hint="name a branch or commit: --against")
    commit = git(root, "merge-base", "--end-of-options", branch, "HEAD")
    if not commit:
        raise DapflowError(
            "no-base",
            f"{branch} and what is checked out have no commit in common",
            hint="fetch the whole history (git fetch --unshallow), or name another branch or commit with --against",
        )
    with tempfile.TemporaryDirectory(prefix="dapflow-base-") as folder:
        extract(root, commit, ("transforms", "cdk.json"), Path(folder))
        # A commit may be named by its hash, whole or not.
        at = commit[:9] if commit.startswith(branch) else f"{branch} at {commit[:9]}"
        name = f"{at}, which the branch comes from"
        newer = git(root, "rev-list", "--count", "--end-of-options", f"{commit}..{branch}", "--", "transforms")
        commits = "1 commit that changes" if newer == "1" else f"{newer} commits that change"
        moved = "" if newer in ("", "0") else f"{branch} has moved on since, by {commits} transforms/"
        (Path(folder) / "transforms").mkdir(exist_ok=True)
        try:
            return Base(compile_project(Path(folder)), name, moved)
        except DapflowErrors as errors:
            first = errors.errors[0]
            raise DapflowError(
                "no-base",
                f"the project at {commit[:9]} of {branch} has mistakes, of which the first is in "
                f"{first.file}:{first.line}: {first.message}",
                hint="name another branch or commit to compare with: --against",
            ) from errors
