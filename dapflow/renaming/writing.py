"""The files of a rename, written together or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.renaming.new_names import NewNames


@dataclass(frozen=True)
class RenamePlan:
    """What is written: files by their names now.

    Attributes:
        before: what they hold now.
        after: what those hold then that change.
        moves: what those are called then that get another name.
    """

    names: NewNames
    before: dict[Path, bytes]
    after: dict[Path, bytes]
    moves: dict[Path, Path]

    @property
    def changed(self) -> list[Path]:
        """The files that change, by their names then."""
        return sorted(self.moves.get(file, file) for file in self.after)


def write_rename(root: Path, plan: RenamePlan) -> None:
    """Write what a plan says; where that fails or is interrupted, everything is as it was.

    Raises DapflowError ``rename`` where a file has changed since the plan was made, ``unwritable-file`` for one that
    cannot be written.
    """
    for file, content in plan.before.items():
        if not (root / file).is_file() or (root / file).read_bytes() != content:
            raise DapflowError("rename", "the file was changed meanwhile; nothing is renamed", file=file)
    for moved in plan.moves.values():
        if (root / moved).exists():
            raise DapflowError("rename", "there is such a file meanwhile; nothing is renamed", file=moved)
    at = next(iter(plan.before), Path())
    try:
        for at in (*plan.after, *plan.moves):
            _write(root, plan, at)
    except BaseException as error:
        _put_back(root, plan)
        if isinstance(error, OSError):
            raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=at) from error
        raise


def _write(root: Path, plan: RenamePlan, file: Path) -> None:
    """Move a file, or give it its new text, whichever has not been done."""
    moved = plan.moves.get(file)
    if moved is not None and (root / file).exists():
        (root / file).rename(root / moved)
    if file in plan.after:
        write_whole((root / (moved or file)).resolve(), plan.after[file])


def _put_back(root: Path, plan: RenamePlan) -> None:
    for file, moved in plan.moves.items():
        if not (root / file).exists() and (root / moved).exists():
            (root / moved).rename(root / file)
    for file, content in plan.before.items():
        write_whole((root / file).resolve(), content)
