"""A new service: its folder with the service.yml that the exports ask for, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from dapflow.errors import DapflowError, DapflowErrors
from dapflow.exports.folder import TableFiles, read_folder
from dapflow.exports.sources import describe, doubtful_names, text_lines
from dapflow.manifest import LandingSource
from dapflow.project import check_project
from dapflow.project.codeowners import check_codeowners, write_codeowners
from dapflow.project.name_rules import service_name_problem, suggestion

_HEAD = """\
# The service terms, drafted from the exports by dapflow new service. It is yours now: change what you know better.
# docs/reference/service-yml.md has all that may stand in it.
"""


@dataclass(frozen=True)
class NewService:
    """What was written: the file, the tables with the exports of each, and what was left out, with the reasons.

    ``doubtful`` is what was taken and had better be looked at.
    """

    file: Path
    tables: tuple[TableFiles, ...]
    left_out: tuple[DapflowError, ...]
    doubtful: tuple[DapflowError, ...] = ()


def new_service(root: Path, name: str, folder: Path, progress: Callable[[str], None]) -> NewService:
    """Write ``transforms/<name>/`` for a folder of exports.

    Raises DapflowError ``service-exists``, ``bad-name`` or ``exports``; nothing is written then.
    """
    home = root / "transforms" / name
    _check_name(home, name)
    exports = read_folder(folder)
    tables: list[tuple[TableFiles, LandingSource]] = []
    left_out = list(exports.left_out)
    for table in exports.tables.values():
        try:
            tables.append((table, describe(table, progress)))
        except DapflowError as error:
            left_out.append(error)
    if not tables:
        empty = DapflowError("exports", "the folder holds no exports that can be read", file=folder, hint=_WANTED)
        raise DapflowErrors([*left_out, empty]) if left_out else empty
    owned = check_codeowners(root) == []
    _write(home, _yaml(name, tables))
    _check_written(root, home, name)
    if owned and check_codeowners(root):
        write_codeowners(root)
    taken = {export.path for table, _ in tables for export in table.exports}
    doubtful = [error for error in exports.undated if error.file and Path(error.file) in taken]
    doubtful += [error for table, source in tables for error in doubtful_names(table, source)]
    return NewService(home / "service.yml", tuple(table for table, _ in tables), tuple(left_out), tuple(doubtful))


_WANTED = "CSV, JSON (one object a line) and Parquet are read, and gzip of them"


def _check_name(home: Path, name: str) -> None:
    if problem := service_name_problem(name):
        near = suggestion(name)
        raise DapflowError("bad-name", f"service {name!r}: {problem}", hint=f"for example {near}" if near else None)
    if home.exists():
        raise DapflowError(
            "service-exists",
            f"there is a service {name} already",
            file=f"transforms/{name}",
            hint="add tables to its service.yml (docs/guides/add-a-table-to-the-raw-zone.md), or choose another name",
        )


def _yaml(name: str, tables: list[tuple[TableFiles, LandingSource]]) -> str:
    terms = {
        "title": name.replace("_", " ").strip().capitalize() or name,
        "sources": {table.name: dict(text_lines(source)) for table, source in tables},
    }
    return _HEAD + yaml.safe_dump(terms, sort_keys=False, allow_unicode=True, width=120)


def _write(home: Path, text: str) -> None:
    """The folder appears whole: nobody finds half a service."""
    try:
        home.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=home.parent) as work:
            made = Path(work) / home.name
            (made / "refined").mkdir(parents=True)
            (made / "service.yml").write_text(text, encoding="utf-8")
            made.rename(home)
    except OSError as error:
        raise DapflowError("unwritable-file", f"cannot be written: {error.strerror}", file=home) from error


def _check_written(root: Path, home: Path, name: str) -> None:
    """Take the service away again where the project does not take it, as when a database has its name already."""
    folder = f"transforms/{name}"
    errors = [error for error in check_project(root)[1] if (error.file or "").startswith(f"{folder}/")]
    if errors:
        shutil.rmtree(home)
        raise DapflowErrors(errors)
