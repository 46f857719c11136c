"""``dapflow show``."""

from __future__ import annotations

import sys

import typer

from dapflow.cli.project_option import ProjectOption, TransformArgument, project_root


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("show")(show)


def show(transform: TransformArgument, project: ProjectOption = None) -> None:
    """Print the SQL of a transform.

    Example: dapflow show air_traffic.refined.delays
    """
    from dapflow.project import compile_project, find_transform  # noqa: PLC0415

    root = project_root(project)
    dataset = find_transform(compile_project(root), root, transform)
    assert dataset.transform is not None
    sys.stdout.write(dataset.transform.sql)
