"""``dapflow run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.manifest import Dataset, Manifest
    from dapflow.runtime.aws import Clients
    from dapflow.runtime.publication import Publication


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run")(run)


def run(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TRANSFORM|SERVICE",
            help="A transform (its id, its name, its .sql file), a raw table's id, or a service: all it publishes.",
            show_default=False,
        ),
    ],
    generation: Annotated[
        str | None,
        typer.Option("--generation", "-g", metavar="D", help="Date, as 2013-12-31. Default: the newest that landed."),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="Rows of the result to show.")] = 10,
    allow_future: Annotated[
        bool, typer.Option("--allow-future", help="Publish a generation later than tomorrow, too.")
    ] = False,
    project: ProjectOption = None,
) -> None:
    """Publish a transform, or all of a service, on the embedded platform, without Airflow.

    Example: dapflow run air_traffic.refined.daily_departures --generation 2013-12-31
    """
    from dapflow.local import components  # noqa: PLC0415 (brings psutil)
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415 (brings boto3)
    from dapflow.local.running import explained, require_running  # noqa: PLC0415
    from dapflow.local.state import State  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    root = project_root(project)
    state = State.of(root)
    wanted = Generation.parse(generation) if generation is not None else None
    ports = require_running(state)
    manifest = compile_project(root)
    datasets = _datasets(manifest, root, name)
    with ends_when_interrupted(), explained(state, (components.AWS, components.ATHENA)):
        clients = connect_to_platform(state, ports)
        from dapflow.local.provision import describe_local, provision  # noqa: PLC0415
        from dapflow.local.selection import newest_generation  # noqa: PLC0415
        from dapflow.runtime.publish import Publisher  # noqa: PLC0415

        provision(state, manifest, clients)
        environment = describe_local(root, manifest).environment
        day = wanted or newest_generation(datasets, environment, manifest, clients)
        publisher = Publisher(clients, manifest, environment, _say, allow_future=allow_future)
        published: list[Publication] = []
        try:
            for dataset in datasets:
                if dataset.external:
                    publisher.show(dataset.id, day)
                    continue
                published.append(publisher.publish(dataset.id, day))
        finally:
            _print_publications(published)
        if rows and published:
            _print_preview(clients, environment, manifest.dataset(published[-1].dataset), published[-1], rows)


def _datasets(manifest: Manifest, root: Path, name: str) -> list[Dataset]:
    from dapflow.errors import DapflowError  # noqa: PLC0415
    from dapflow.local.selection import service_datasets, unknown  # noqa: PLC0415
    from dapflow.project import find_transform  # noqa: PLC0415

    if (datasets := service_datasets(manifest, name)) is not None:
        return datasets
    if name in manifest.datasets:
        if not manifest.datasets[name].has_generations:
            raise DapflowError(
                "no-generations",
                f"{name} has no generations: something else makes it, and every run reads it as it is",
                hint="run a transform that reads it",
            )
        return [manifest.datasets[name]]
    try:
        return [find_transform(manifest, root, name)]
    except DapflowError as error:
        if error.code == "unknown-transform" and not name.endswith(".sql"):
            raise unknown(manifest, name) from None
        raise


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _print_publications(published: list[Publication]) -> None:
    from rich.table import Table  # noqa: PLC0415

    from dapflow.cli.result_table import console, size_text  # noqa: PLC0415

    if not published:
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("dataset")
    table.add_column("generation")
    for name in ("rows", "size", "scanned", "seconds"):
        table.add_column(name, justify="right")
    for each in published:
        table.add_row(
            each.dataset,
            str(each.generation),
            f"{each.rows:,}",
            size_text(each.bytes),
            size_text(each.bytes_scanned),
            f"{each.seconds:.2f}",
        )
    console().print(table)


def _print_preview(
    clients: Clients, environment: Environment, dataset: Dataset, publication: Publication, rows: int
) -> None:
    from dapflow.cli.result_table import print_rows  # noqa: PLC0415
    from dapflow.local.query import ask, generation_sql  # noqa: PLC0415

    answer = ask(clients, generation_sql(dataset, environment, publication, rows))
    print()
    print_rows([(column.name, column.type) for column in answer.columns], answer.rows())
