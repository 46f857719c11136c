"""The project that a rule's examples stand in, and what ``dapflow check`` says of it."""

from __future__ import annotations

from pathlib import Path

from dapflow.cli.check import checked
from dapflow.errors import DapflowError
from dapflow.rules import PRODUCT, SERVICE, Files
from tests.mistakes import TABLES

_COLUMNS = "".join(
    f"  {table}:\n    columns:\n" + "".join(f"      {name}: {kind}\n" for name, kind in columns.items())
    for table, columns in TABLES.items()
)
#: What the examples stand in, but for the files that they hold themselves.
BASE: Files = {SERVICE: f"title: Housing\nsources:\n{_COLUMNS}", "transforms/roads/service.yml": "title: Roads\n"}


def write_files(root: Path, files: Files) -> None:
    """Write the project, with these files in it."""
    for name, text in {**BASE, **files}.items():
        if text is not None:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text.encode(errors="surrogateescape"))


def findings_of(root: Path, files: Files) -> list[DapflowError]:
    """What ``dapflow check`` finds in the project with these files."""
    write_files(root, files)
    try:
        return checked(root).findings
    except DapflowError as error:
        return [error]


def findings_in(root: Path, sql: str) -> list[DapflowError]:
    """What ``dapflow check`` finds in a product."""
    return findings_of(root, {PRODUCT: sql})
