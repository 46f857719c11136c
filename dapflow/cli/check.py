"""``dapflow check``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.errors import DapflowErrors


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    project: ProjectOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the mistakes as JSON.")] = False,
) -> None:
    """Find the mistakes in transforms/ without running anything.

    Parse errors, unknown tables and columns, circles, contracts, YAML: each with its place, the line and a hint.
    Ends with status 1 when there is one.

    Example: dapflow check
    """
    from dapflow.project import check_project  # noqa: PLC0415

    manifest, errors = check_project(project_root(project))
    if manifest is None:
        raise DapflowErrors(errors)
    if as_json:
        print(json.dumps({"errors": []}))
        return
    transforms = sum(dataset.transform is not None for dataset in manifest.datasets.values())
    print(f"No mistakes in {transforms} transforms of {len(manifest.services)} services.")
