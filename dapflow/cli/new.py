"""``dapflow new``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.check import checked
from dapflow.cli.failure import print_findings
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.query import statement_in
from dapflow.cli.questions import answer
from dapflow.cli.steps import Steps
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.exports.folder import TableFiles
    from dapflow.exports.new_service import NewService

new = typer.Typer(
    name="new",
    help="Begin a service, a raw table or a transform.\n\nExample: dapflow new service housing exports/",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(new)


@new.command()
def service(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Of the service: lower-case letters, digits and _.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="FOLDER", help="With the exports: CSV, JSON lines, Parquet.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Write transforms/NAME/service.yml for a folder of exports, one table for each name of a file.

    Every file is read to its end, with the eyes of the ingest: format, encoding, delimiter, texts for NULL, columns and
    their types. A date in a file's name is the day of the export. Nothing is landed: the commands that do are printed.
    What is not named is asked for.

    Example: dapflow new service housing exports/
    """
    from dapflow.exports.new_service import new_service  # noqa: PLC0415 (brings boto3, PyYAML)

    name = answer(name, "Name of the service", "the name of the service")
    folder = folder or Path(answer(None, "Folder with its exports", "the folder with the exports"))
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


@new.command()
def source(
    table: Annotated[
        str | None, typer.Argument(metavar="SERVICE.TABLE", help="The new raw table, as housing.repairs.")
    ] = None,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE…", help="Exports of it: CSV, JSON lines, Parquet.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Add a raw table to the service.yml of a service, as its exports ask for it.

    Every file is read to its end, as dapflow new service does. The entry is put in at the end of `sources`, and no
    other byte of the file is changed; where no line can be put in safely, it is printed, and you are told where it
    belongs. Nothing is landed: the commands that do are printed. What is not named is asked for.

    Example: dapflow new source housing.tenants tenants_2024-06-05.csv
    """
    from dapflow.exports.new_source import new_source  # noqa: PLC0415 (brings boto3, PyYAML)

    service_name, dot, name = answer(table, "Service and table, as housing.repairs", "the table").partition(".")
    if not dot:
        raise DapflowError("option", f"{service_name}: name a service and a table", hint="as housing.repairs")
    exports = files or [Path(answer(None, "File of its export", "a file of its export"))]
    with ends_when_interrupted(), Steps() as steps:
        made = new_source(project_root(project), service_name, name.removeprefix("raw."), exports, steps.tell)
    for finding in made.doubtful:
        finding.severity = "warning"
    landings = _landings_of(service_name, made.table)
    if as_json:
        doubtful = [finding.as_dict() for finding in made.doubtful]
        where = {"file": str(made.file), "written": made.written, "entry": made.entry}
        print(json.dumps({**where, "doubtful": doubtful, "next": landings}, indent=2, ensure_ascii=False))
        return
    print_findings(made.doubtful)
    if made.written:
        print(f"{made.file}: {made.table.name} is added. Look at it, then:")
    else:
        print(f"{made.file} is left as it is: no line can be put into it safely. Add below its `sources`, by hand:")
        print(made.entry)
        print("Then:")
    for line in ("dapflow check", *landings, f"dapflow run {service_name}.raw.{made.table.name}"):
        print(f"  {line}")


@new.command()
def transform(
    name: Annotated[
        str | None,
        typer.Argument(metavar="PRODUCT", help="The new product, as housing.busy, or housing.trusted.busy."),
    ] = None,
    read: Annotated[
        str | None,
        typer.Option("--from", metavar="DATASET", help="Begin with the columns of this dataset.", show_default=False),
    ] = None,
    query: Annotated[
        Path | None,
        typer.Option("--query", metavar="FILE", help="Begin with this query; - is standard input.", show_default=False),
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Write the .sql file of a new product: with all columns of a dataset, or with a query that you have.

    A query is taken as it is, byte for byte. What dapflow check says of the new file is said at once. What is not named
    is asked for.

    Example: dapflow new transform air_traffic.busy --from flights
    """
    from dapflow.project import find_dataset, read_as_far_as_possible  # noqa: PLC0415 (brings PyYAML)
    from dapflow.project.new_transform import columns_text, transform_file, write_transform  # noqa: PLC0415

    if read is not None and query is not None:
        raise DapflowError("option", "--from and --query exclude each other")
    root = project_root(project)
    manifest, _ = read_as_far_as_possible(root)
    file = transform_file(root, manifest, answer(name, "Service and product, as housing.busy", "the product"))
    if query is not None:
        text = statement_in(query)
    else:
        read = answer(read, "Dataset to begin with", "what it reads (--from, or --query)")
        text = columns_text(manifest, file.parts[1], find_dataset(manifest, root, read))
    write_transform(root, file, text)
    own = [finding for finding in checked(root).findings if finding.file == file.as_posix()]
    print_findings(own)
    print(f"{file}: written. Change it to what you want, then:")
    for line in (f"dapflow preview {file.stem}", "dapflow check", f"dapflow run {file.stem}"):
        print(f"  {line}")


def _print(name: str, made: NewService, landings: list[str]) -> None:
    print_findings((*made.left_out, *made.doubtful))
    left_out = f"; left out: {len(made.left_out)}, see above" if made.left_out else ""
    print(f"{made.file}: {len(made.tables)} table{'' if len(made.tables) == 1 else 's'}{left_out}")
    print("Look at it, then:")
    for line in ("dapflow check", *landings, f"dapflow run {name}"):
        print(f"  {line}")


def _landings(name: str, made: NewService) -> list[str]:
    """The commands that land the exports: those of a table and a day in one."""
    return [command for table in made.tables for command in _landings_of(name, table)]


def _landings_of(service: str, table: TableFiles) -> list[str]:
    days: dict[str, list[str]] = {}
    for export in table.exports:
        if export.written and export.day is None:
            continue  # of no certain day
        days.setdefault(str(export.day or ""), []).append(shlex.quote(str(export.path)))
    return [
        f"dapflow land {' '.join(files)} --to {service}.{table.name}{f' --date {day}' if day else ''}"
        for day, files in days.items()
    ]
