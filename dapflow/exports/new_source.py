"""One more raw table of a service: what its exports ask for, put into service.yml, where all else stays as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.exports.days import dated, settled
from dapflow.exports.folder import Export, TableFiles
from dapflow.exports.sources import describe, doubtful_names, text_lines
from dapflow.files import write_whole
from dapflow.project import read_as_far_as_possible
from dapflow.project.name_rules import dataset_name_problem, suggestion
from dapflow.project.yaml_insertion import entry_text, with_entry
from dapflow.runtime.landable import ending_of, format_of_name

_SECTION = "sources"


@dataclass(frozen=True)
class NewSource:
    """The entry of a new table and its exports; ``file`` is service.yml, relative to the project.

    ``written``: whether it is in the file; where no line could be put in safely, a person has to.
    """

    file: Path
    table: TableFiles
    entry: str
    written: bool
    doubtful: tuple[DapflowError, ...]


def new_source(
    root: Path, service: str, table: str, files: Sequence[Path], progress: Callable[[str], None]
) -> NewSource:
    """Add a table to ``transforms/<service>/service.yml`` for its exports, which are read to their end.

    Raises DapflowError ``unknown-service``, ``bad-name``, ``duplicate-dataset``, or what is wrong with a file or with
    the service; nothing is written then.
    """
    manifest, errors = read_as_far_as_possible(root)
    if service not in manifest.services:
        hint = f"there are {', '.join(manifest.services)}" if manifest.services else "begin one: dapflow new service"
        raise DapflowError("unknown-service", f"there is no service {service!r}", hint=hint)
    file = Path("transforms", service, "service.yml")
    _raise_own(errors, file)
    if problem := dataset_name_problem(table):
        near = suggestion(table)
        raise DapflowError("bad-name", f"table {table!r}: {problem}", hint=f"for example {near}" if near else None)
    if f"{service}.raw.{table}" in manifest.datasets:
        raise DapflowError("duplicate-dataset", f"{service} has a raw table {table} already", file=file)
    exports = _exports(table, files)
    source = describe(exports, progress)
    terms = dict(text_lines(source))
    written = _write(root, file, table, terms)
    return NewSource(file, exports, entry_text(table, terms, 2), written, tuple(doubtful_names(exports, source)))


def _exports(table: str, files: Sequence[Path]) -> TableFiles:
    kinds = {format_of_name(file): file for file in files}
    if len(kinds) > 1:
        named = " and ".join(str(file) for file in kinds.values())
        raise DapflowError("exports", f"{named} are of several formats", hint="a table's files have one format")
    days = {file: dated(file.name.removesuffix(".gz").removesuffix(ending_of(file))) for file in files}
    sure = settled(day for day in days.values() if day)
    exports = [Export(file, sure.get(day) if day else None, day) for file, day in days.items()]
    return TableFiles(table, next(iter(kinds)), exports)


def _write(root: Path, file: Path, table: str, terms: dict[str, object]) -> bool:
    """Whether the entry could be put in. What the project then does not take is taken out again."""
    path = root / file
    before = path.read_bytes()
    after = with_entry(before.decode(), _SECTION, table, terms)
    if after is None:
        return False
    try:
        write_whole(path, after.encode())
        _raise_own(read_as_far_as_possible(root)[1], file)
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=file) from error
    except DapflowError:
        write_whole(path, before)
        raise
    return True


def _raise_own(errors: Sequence[DapflowError], file: Path) -> None:
    own = [error for error in errors if error.file == file.as_posix()]
    if own:
        raise DapflowErrors(own)
