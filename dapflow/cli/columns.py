"""``dapflow columns``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.project_option import ProjectOption, project_root


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("columns")(columns)


def columns(
    table: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE.ZONE.TABLE", help="A table in Glue, in service.yml or not.", show_default=False
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Print what Glue knows of a table as service.yml declares it: its columns, their types, its generations.

    For tables that something else makes: what service.yml names of them, dapflow check checks.

    Example: dapflow columns air_traffic.refined.terminals
    """
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    clients, names = connected(root, manifest, environment)
    from dapflow.runtime.aws import aws_errors  # noqa: PLC0415
    from dapflow.runtime.catalog import GlueCatalog  # noqa: PLC0415
    from dapflow.runtime.found_table import find_table  # noqa: PLC0415

    with aws_errors():
        description = find_table(GlueCatalog(clients.glue), manifest, names, table)
    if not as_json:
        print(description.as_yaml(), end="")
        return
    listed = [{"name": column.name, "type": column.type, "comment": column.comment} for column in description.columns]
    generations = (
        None if description.prefix is None else {"prefix": description.prefix, "extra": list(description.extra)}
    )
    print(
        json.dumps(
            {
                "service": description.service,
                "zone": description.zone,
                "table": description.table,
                "generations": generations,
                "columns": listed,
            },
            indent=2,
            ensure_ascii=False,
        )
    )
