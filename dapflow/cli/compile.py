"""``dapflow compile``."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated

import typer

from dapflow.cli.project_option import ProjectOption, project_root


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compile")(compile_manifest)


def compile_manifest(
    project: ProjectOption = None,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it; by default .dapflow/manifest.json.", show_default=False),
    ] = None,
) -> None:
    """Compile transforms/ to manifest.json: all that the run time needs to know.

    Example: dapflow compile --output manifest.json
    """
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project, write_manifest  # noqa: PLC0415
    from dapflow.review.project_lineage import lineages  # noqa: PLC0415

    root = project_root(project)
    manifest = compile_project(root)
    file = output or root / ".dapflow" / "manifest.json"
    # What was found out about texts that have not changed since is good still. All of it is needed to the end, so that
    # looking for garbage in it would be for nothing.
    gc.disable()
    before = read_lineage(file)
    gc.freeze()
    gc.enable()
    write_manifest(manifest, file, lineages(manifest, before=before))
    transforms = sum(dataset.transform is not None for dataset in manifest.datasets.values())
    print(
        f"{len(manifest.services)} services, {len(manifest.datasets) - transforms} raw tables, {transforms} transforms"
        f" → {file} ({manifest.sha})"
    )
