"""What a branch's environment is behind of: files that are others by now, and a base that runs or loads otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from dapflow.environment import LOCAL
from dapflow.errors import DapflowError
from dapflow.git import git

if TYPE_CHECKING:
    from pathlib import Path

    from dapflow.manifest import Manifest

_MOST_NAMED = 3


def behind(root: Path, branch: str, host: str | None, brought_up: Manifest, base: Manifest | None) -> tuple[str, ...]:
    """What a branch's environment is behind of, a line for each.

    ``brought_up`` is the project in force there, ``base`` what its base runs by now; None where nobody knows.
    """
    again = f"dapflow branch up {branch}" + ("" if host in (None, LOCAL) else f" --environment {host}")
    moved = (*_moved_base(brought_up, base, again), *_moved_files(root, branch, brought_up, again))
    return moved if base is None else (*moved, *_raw_tables(brought_up, base))


def _moved_base(brought_up: Manifest, base: Manifest | None, again: str) -> Iterator[str]:
    if base is not None and brought_up.base not in ("", base.sha):
        yield f"its base runs another project by now than the branch was compared with: {again} compares it again"


def _raw_tables(brought_up: Manifest, base: Manifest) -> Iterator[str]:
    """Those that what is built reads, and that are loaded as the base describes them."""
    from dapflow.changes import described_otherwise  # noqa: PLC0415 (brings PyYAML)

    built = [dataset for name, dataset in brought_up.datasets.items() if name not in brought_up.deferred]
    read = {name for dataset in built if dataset.transform is not None for name in dataset.depends_on}
    if names := [name for name in described_otherwise(base, brought_up) if name in read]:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        yield (
            f"the branch describes {', '.join(names[:_MOST_NAMED])}{more} otherwise, and reads what was loaded before: "
            "what that changes does not show until it is merged and loaded again"
        )


def _moved_files(root: Path, branch: str, brought_up: Manifest, again: str) -> Iterator[str]:
    """Of the working tree, where it is this branch's. (A name that no git knows may be that of any files.)"""
    if git(root, "symbolic-ref", "--quiet", "--short", "HEAD") not in ("", branch):
        return
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    try:
        here = compile_project(root)
    except DapflowError:
        yield "transforms/ has mistakes by now, and is not what was brought up: dapflow check names them"
        return
    if replace(here, deferred=brought_up.deferred, base=brought_up.base) != brought_up:
        yield f"transforms/ is not what was brought up{_named(brought_up, here)}: {again} takes it up"


def _named(before: Manifest, here: Manifest) -> str:
    """The first datasets that differ, in brackets; nothing where only services do."""
    names = [*dict.fromkeys([*here.datasets, *before.datasets])]
    others = [name for name in names if here.datasets.get(name) != before.datasets.get(name)]
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return f" ({', '.join(others[:_MOST_NAMED])}{more})" if others else ""
