"""Which files of a folder are the exports of which table, and of which day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.exports.days import Dated, dated, settled
from dapflow.manifest import column_name
from dapflow.runtime.generation import Generation
from dapflow.runtime.landable import ending_of, format_of_name

# Control characters, and bytes of a name that are not UTF-8: no landing takes them.
_NOT_TEXT = re.compile("[\x00-\x1f\ud800-\udfff]")
# What programs call a file that is not alone.
_PART = re.compile(r"(part|data|export)?[\d_]*(part)?|part_.*")


@dataclass(frozen=True)
class Export:
    """A file. ``day`` is the date in its name, or that of its folder; None where there is none, or no certain one.

    ``written`` is what the name says of a day.
    """

    path: Path
    day: Generation | None
    written: Dated | None = None


@dataclass
class TableFiles:
    """The exports of one table, all of one format."""

    name: str
    format: str
    exports: list[Export] = field(default_factory=list)


@dataclass
class FolderExports:
    """What a folder holds: tables by name, files that are none, with the reason, and files of no certain day."""

    tables: dict[str, TableFiles] = field(default_factory=dict)
    left_out: list[DapflowError] = field(default_factory=list)
    undated: list[DapflowError] = field(default_factory=list)


def read_folder(folder: Path) -> FolderExports:
    """The exports in a folder and those below it: files of one name are one table. Raises DapflowError ``exports``."""
    if not folder.is_dir():
        problem = "is a file, and a folder is wanted" if folder.exists() else "is not there"
        raise DapflowError(
            "exports", f"the folder {problem}", file=folder, hint="name the folder that holds the exports"
        )
    exports = FolderExports()
    for path in _files(folder):
        try:
            _add(exports, folder, path)
        except DapflowError as error:
            exports.left_out.append(error)
    for table in exports.tables.values():
        _settle(table)
        exports.undated += _undated(table)
    return exports


def _settle(table: TableFiles) -> None:
    days = settled(export.written for export in table.exports if export.written)
    table.exports = [
        replace(export, day=days.get(export.written) if export.written else None) for export in table.exports
    ]


def _undated(table: TableFiles) -> Iterator[DapflowError]:
    """What to say of files whose names speak of a day, and do not say which."""
    for export in table.exports:
        if export.written and export.day is None:
            days = " or ".join(map(str, export.written.days))
            yield DapflowError(
                "exports",
                f"of which day the file is, {export.written.text!r} does not say: "
                f"{f'it may be {days}' if days else 'it is a month'}; it is of table {table.name}, and is not landed",
                file=export.path,
                hint=f"land it with --date, or rename it as {table.name}_2024-06-05{ending_of(export.path)}",
            )


def _files(folder: Path) -> Iterator[Path]:
    try:
        for path in sorted(folder.iterdir()):
            if path.name[0] in "._":
                continue
            if path.is_dir() and not _leads_back(path):
                yield from _files(path)
            else:
                yield path
    except OSError as error:
        raise DapflowError("exports", f"the folder cannot be read: {error.strerror}", file=folder) from error


def _leads_back(path: Path) -> bool:
    """Whether a folder is a link to one in which it is itself."""
    return path.is_symlink() and path.resolve() in {parent.resolve() for parent in path.absolute().parents}


def _add(exports: FolderExports, folder: Path, path: Path) -> None:
    if _NOT_TEXT.search(str(path)):
        raise DapflowError("landing-name", "the name of the file is not text", file=ascii(str(path)), hint="rename it")
    if not path.is_file():
        gone = path.is_symlink() and not path.exists()
        problem = "is a link to a file that is not there" if gone else "is not a plain file"
        raise DapflowError("exports", f"the file {problem}", file=path, hint="put the export itself there")
    kind = format_of_name(path)
    below = path.relative_to(folder).parts[:-1]
    stem = path.name.removesuffix(".gz").removesuffix(ending_of(path))
    parts = [(part, dated(part)) for part in (stem, *reversed(below))]
    # Of `repairs/2024-06-05/part-0001.csv` the folder names the table.
    names = (column_name(part.replace(day.text, " ", 1) if day else part) for part, day in parts)
    name = next((name for name in names if name and not _PART.fullmatch(name)), "")
    if not name:
        raise DapflowError(
            "exports", "the name of the file gives no table a name", file=path, hint="rename it, as repairs.csv"
        )
    table = exports.tables.setdefault(name, TableFiles(name, kind))
    if table.format != kind:
        first = table.exports[0].path.name
        raise DapflowError(
            "exports",
            f"the file is {kind}, and {first}, of the same table {name}, is {table.format}",
            file=path,
            hint="a table's files have one format: convert it, or rename it",
        )
    table.exports.append(Export(path, None, next((day for _, day in parts if day), None)))
