"""``dapflow show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.environment_option import EnvironmentOption, names_of
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.manifest import Dataset, Manifest, Transform
    from dapflow.runtime.generation import Generation
    from dapflow.runtime.pinning import Pin


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show")(show)


def show(
    transform: Annotated[
        str,
        typer.Argument(
            metavar="DATASET|SERVICE",
            help="A transform or a raw table: its id (air_traffic.raw.flights), its name, a .sql file; or a service.",
            show_default=False,
        ),
    ],
    rendered: Annotated[bool, typer.Option("--rendered", help="Print what is sent to Athena.")] = False,
    generation: Annotated[
        str | None,
        typer.Option(
            "--generation",
            "-g",
            metavar="D",
            help="Print what is sent for this date, as 2013-12-31.",
            show_default=False,
        ),
    ] = None,
    lineage: Annotated[
        bool, typer.Option("--lineage", help="Print where its columns come from, and what it reads.")
    ] = False,
    checks: Annotated[
        bool, typer.Option("--checks", help="Print what is checked before it is published, and by how many queries.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the lineage, or the terms of a service, as JSON.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the terms of a service and what it has as a page in Markdown.")
    ] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Print the SQL of a transform, what is sent to Athena, where its columns come from, the checks of a dataset, or
    the terms of a service.

    An ordinary run sends the text of the file as it is. Where a table has newer generations than the run's, the run
    reads it as it was then: its names, and nothing else, are replaced. So are the names of databases that have another
    name in the environment.

    A column comes from others as it is, or by an expression, an aggregate or a window; filters and join keys decide
    which rows there are. Texts that only look different have one meaning.

    The terms of a service are what one must know to work in it: its databases and prefixes, its workgroup and role,
    when it runs, who owns it; on the embedded platform or in an environment.

    Example: dapflow show daily_departures --generation 2013-12-30
    """
    if as_json and as_markdown:
        raise DapflowError("option", "--json and --markdown exclude each other")
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    if _is_service(manifest, transform):
        from dapflow.cli.schedule_words import schedules_in_words  # noqa: PLC0415
        from dapflow.cli.service_terms import page_lines, print_terms  # noqa: PLC0415

        when = schedules_in_words(manifest).get(transform, "")
        names = names_of(root, manifest, environment)
        if as_markdown:
            print("\n".join(page_lines(manifest, manifest.services[transform], names, when)))
        else:
            print_terms(manifest.services[transform], names, when, as_json=as_json)
        return
    if as_markdown:
        raise DapflowError("option", "--markdown is for services", hint="dapflow ls lists them")
    if checks:
        _print_checks(find_dataset(manifest, root, transform), manifest)
        return
    dataset = find_dataset(manifest, root, transform)
    if dataset.transform is None:
        hint = f"its place is transforms/{dataset.service}/service.yml; dapflow show --checks prints what is checked"
        raise DapflowError("unknown-transform", f"{dataset.id} is no transform, and has no SQL", hint=hint)
    if lineage or as_json:
        from dapflow.cli.lineage import print_lineage  # noqa: PLC0415

        print_lineage(manifest, dataset, as_json=as_json)
        return
    if not rendered and generation is None and environment is None:
        _print(dataset.transform.sql)
        return
    _print(_sent(root, manifest, dataset, dataset.transform, generation, environment))


def _is_service(manifest: Manifest, name: str) -> bool:
    """Whether a service is meant: a dataset of the same name goes first."""
    return name in manifest.services and all(dataset.name != name for dataset in manifest.datasets.values())


def _print_checks(dataset: Dataset, manifest: Manifest) -> None:
    from dapflow.cli.result_table import Heading, print_rows  # noqa: PLC0415
    from dapflow.runtime.checks.questions import queries_of  # noqa: PLC0415
    from dapflow.runtime.checks.results import label, place_of  # noqa: PLC0415

    if dataset.checks:
        rows = [
            (check.name, label(check), check.where or "", check.severity, place_of(check)) for check in dataset.checks
        ]
        print_rows([Heading(name) for name in ("name", "check", "where", "severity", "written in")], rows)
    print(queries_of(dataset))


def _print(sql: str) -> None:
    """The text byte for byte, and a line end so that the prompt stands on a line of its own."""
    end = b"" if sql.endswith("\n") else b"\n"
    sys.stdout.flush()
    sys.stdout.buffer.write(sql.encode() + end)
    sys.stdout.flush()


def _sent(
    root: Path, manifest: Manifest, dataset: Dataset, transform: Transform, generation: str | None, named: str | None
) -> str:
    from dapflow.runtime.generation import Generation  # noqa: PLC0415
    from dapflow.runtime.pinning import pinned_sql  # noqa: PLC0415

    environment = names_of(root, manifest, named)
    if generation is None:
        return pinned_sql(transform, manifest, environment)
    day = Generation.parse(generation)
    pins = None if named else _pins_of_platform(root, manifest, environment, dataset, day)
    if pins is None:
        why = f"{named} is not asked" if named else "The embedded platform is not running"
        sys.stderr.write(f"{why}: all is read as of {day}.\n")
        pins = _pins_by_columns(manifest, dataset.id, transform, day)
    return pinned_sql(transform, manifest, environment, pins)


def _pins_of_platform(
    root: Path, manifest: Manifest, environment: Environment, dataset: Dataset, generation: Generation
) -> dict[str, Pin] | None:
    """What a run on the embedded platform would pin, or None when it is not running."""
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415
    from dapflow.local.processes.running import require_running  # noqa: PLC0415
    from dapflow.runtime.catalog import GlueCatalog  # noqa: PLC0415
    from dapflow.runtime.reading import Reading  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    state = State.of(root)
    try:
        ports = require_running(state)
    except DapflowError as error:
        if error.code != "embedded-platform-not-up":
            raise
        return None
    catalog = GlueCatalog(connect_to_platform(state, ports).glue)
    references = dataset.transform.references if dataset.transform else ()
    inputs = Reading(catalog, manifest, environment, dataset, generation, references).inputs()
    for note in inputs.notes:
        sys.stderr.write(f"{note}\n")
    return inputs.pins


def _pins_by_columns(manifest: Manifest, reader: str, transform: Transform, generation: Generation) -> dict[str, Pin]:
    """Pins from the project alone: as if every dataset had this generation, and newer ones."""
    from dapflow.runtime.bounds import up_to  # noqa: PLC0415
    from dapflow.runtime.pinning import Pin  # noqa: PLC0415

    pins = {}
    for reference in transform.references:
        read = manifest.dataset(reference.dataset)
        if not read.has_generations:
            continue
        columns = _view_columns(read)
        if columns is None:
            raise DapflowError(
                "unknown-columns",
                f"the columns of {read.id} are only known on a platform",
                hint="start it with dapflow local up, or name the columns in service.yml",
            )
        current = generation.predicate(read.generation)
        history = up_to(read.generation, generation, (), inclusive=read.id != reader)
        pins[read.id] = Pin(columns, current, history)
    return pins


def _view_columns(read: Dataset) -> tuple[str, ...] | None:
    """The columns of a dataset's current view, as far as the project says."""
    partitions = read.generation.partition_names
    names: tuple[str, ...] | None = None
    if read.transform is not None:
        names = read.transform.columns
    elif read.columns is not None:
        names = tuple(column.name for column in read.columns)
    return None if names is None else (*(name for name in names if name not in partitions), *partitions)
