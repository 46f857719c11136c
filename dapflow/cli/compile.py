"""``dapflow compile``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.garbage import garbage_kept
from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.compiled import Counted


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
    from dapflow.compiled import compiled_before, inputs, manifest_file, note_compiled  # noqa: PLC0415

    root = project_root(project)
    file = output or manifest_file(root)
    now = inputs(root) if output is None else None
    counted = compiled_before(root, now)
    if counted is None:
        counted = _compile(root, file)
        note_compiled(root, now, counted)
    print(
        f"{counted.services} services, {counted.raw} raw tables, {counted.transforms} transforms"
        f" → {file} ({counted.sha})"
    )


def _compile(root: Path, file: Path) -> Counted:
    """Write the manifest. Raises DapflowErrors with every mistake of the project."""
    from dapflow.compiled import Counted  # noqa: PLC0415 (these bring PyYAML and the analyser)
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project, write_manifest  # noqa: PLC0415
    from dapflow.review.project_lineage import lineages  # noqa: PLC0415

    with garbage_kept():
        manifest = compile_project(root)
        # What was found out about texts that have not changed since is good still.
        write_manifest(manifest, file, lineages(manifest, before=read_lineage(file)))
    transforms = sum(dataset.transform is not None for dataset in manifest.datasets.values())
    return Counted(len(manifest.services), len(manifest.datasets) - transforms, transforms, manifest.sha)
