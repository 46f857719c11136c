"""``dapflow deps``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.errors import DapflowError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("deps")(deps)


def deps(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="DATASET",
            help="A transform or raw table: its id (air_traffic.raw.flights), its name, a .sql file. Default: all.",
            show_default=False,
        ),
    ] = None,
    as_dot: Annotated[bool, typer.Option("--dot", help="Print a graph for Graphviz.")] = False,
    as_mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a graph for Mermaid, as in Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Show what a dataset is made of, and what is made of it.

    Both through all services, to the raw tables and to the last product. What the checks of a product read counts, too.
    Which columns go where, dapflow show --lineage says.

    Example: dapflow deps daily_departures --mermaid
    """
    if as_dot + as_mermaid + as_json > 1:
        raise DapflowError("option", "--dot, --mermaid and --json exclude each other")
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)
    from dapflow.project.dependencies import Dependencies  # noqa: PLC0415

    root = project_root(project)
    manifest = compile_project(root)
    dependencies = Dependencies(manifest, find_dataset(manifest, root, name).id if name is not None else None)
    if as_json:
        print(json.dumps(dependencies.as_dict(), indent=2))
        return
    if not manifest.datasets:
        sys.stderr.write("There is no dataset yet: dapflow new service begins a service.\n")
    lines = dependencies.dot() if as_dot else dependencies.mermaid() if as_mermaid else dependencies.lines()
    for line in lines:
        print(line)
