"""``dapflow new``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps

if TYPE_CHECKING:
    from dapflow.exports.new_service import NewService

new = typer.Typer(
    name="new",
    help="Begin something.\n\nExample: dapflow new service housing exports/",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(new)


# Without a callback Typer would make of a group of one command that command.
@new.callback()
def begin() -> None:
    """Begin something."""


@new.command()
def service(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the service: lower-case letters, digits and _.")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="With the exports: CSV, JSON lines, Parquet.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Write transforms/NAME/service.yml for a folder of exports, one table for each name of a file.

    Every file is read to its end, with the eyes of the ingest: format, encoding, delimiter, texts for NULL, columns and
    their types. A date in a file's name is the day of the export. Nothing is landed: the commands that do are printed.

    Example: dapflow new service housing exports/
    """
    from dapflow.exports.new_service import new_service  # noqa: PLC0415 (brings boto3, PyYAML)

    with ends_when_interrupted(), Steps() as steps:
        made = new_service(project_root(project), name, folder, steps.tell)
    landings = list(_landings(name, made))
    for finding in (*made.left_out, *made.doubtful):
        finding.severity = "warning"
    if as_json:
        tables = {table.name: [str(export.path) for export in table.exports] for table in made.tables}
        said = {
            "left_out": [finding.as_dict() for finding in made.left_out],
            "doubtful": [finding.as_dict() for finding in made.doubtful],
        }
        print(json.dumps({"file": str(made.file), "tables": tables, **said, "next": landings}, indent=2))
        return
    _print(name, made, landings)


def _print(name: str, made: NewService, landings: list[str]) -> None:
    from dapflow.cli.failure import print_findings  # noqa: PLC0415

    print_findings((*made.left_out, *made.doubtful))
    left_out = f"; left out: {len(made.left_out)}, see above" if made.left_out else ""
    print(f"{made.file}: {len(made.tables)} table{'' if len(made.tables) == 1 else 's'}{left_out}")
    print("Look at it, then:")
    for line in ("dapflow check", *landings, f"dapflow run {name}"):
        print(f"  {line}")


def _landings(name: str, made: NewService) -> list[str]:
    """The commands that land the exports: those of a table and a day in one."""
    days: dict[tuple[str, str], list[str]] = {}
    for table in made.tables:
        for export in table.exports:
            if export.written and export.day is None:
                continue  # of no certain day
            days.setdefault((table.name, str(export.day or "")), []).append(shlex.quote(str(export.path)))
    return [
        f"dapflow land {' '.join(files)} --to {name}.{table}{f' --date {day}' if day else ''}"
        for (table, day), files in days.items()
    ]
