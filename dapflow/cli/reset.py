"""``dapflow reset``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_option import BranchOption, HostOption, connected_to_throw_away
from dapflow.cli.confirmation import YesOption, confirm, counted
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.person import person
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.manifest import Manifest
    from dapflow.runtime.generation import Generation

_MOST_NAMED = 6


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reset")(reset)


def reset(
    name: DatasetArgument,
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    branch: BranchOption = None,
    host: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Take all generations of a dataset out, so that its next one may have other columns.

    For a product that is still being written: on the embedded platform and in environments of branches, never where
    data are live. It says first what goes. Landing files stay, and so does what was made of the generations.

    Example: dapflow reset air_traffic.refined.route_summary
    """
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    with ends_when_interrupted():
        clients, environment = connected_to_throw_away(root, manifest, branch, host)
        from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)
        from dapflow.runtime.publish import Publisher  # noqa: PLC0415
        from dapflow.runtime.reset import check_resettable  # noqa: PLC0415

        check_resettable(dataset, environment)
        generations = Publications(clients, manifest, environment).generations(dataset.id)
        readers = _readers(manifest, dataset.id)
        for line in _what_goes(dataset.id, generations, readers):
            sys.stderr.write(f"{line}\n")
        if generations:
            confirm(f"Reset {dataset.id}?", f"{dataset.id} would lose {counted(generations)}", yes=yes)
        current = Publisher(clients, manifest, environment, by=person()).reset(dataset.id)
    if as_json:
        taken = [str(generation) for generation in generations]
        shown = str(current) if current else None
        print(json.dumps({"dataset": dataset.id, "removed": taken, "current": shown, "read_by": readers}))
        return
    print(f"{dataset.id} has no generation any more. Publish it anew: dapflow run {dataset.id} -g {generations[-1]}")
    if current:
        print(f"But a run has published {current} meanwhile; if it was of the old text, reset it again.")


def _readers(manifest: Manifest, dataset_id: str) -> list[str]:
    return [dataset.id for dataset in manifest.datasets.values() if dataset_id in dataset.depends_on]


def _what_goes(dataset_id: str, generations: list[Generation], readers: list[str]) -> list[str]:
    named = ", ".join(str(generation) for generation in generations[-_MOST_NAMED:])
    further = f"{len(generations) - _MOST_NAMED} earlier ones, " if len(generations) > _MOST_NAMED else ""
    lines = [f"{dataset_id} has {counted(generations)}: {further}{named}"] if generations else []
    others = [reader for reader in readers if reader != dataset_id]
    if others:
        lines.append(f"It is read by {', '.join(others)}: they find nothing until it is published again.")
    if dataset_id in readers:
        lines.append("It reads its own history, which is gone then: what it carries from night to night begins anew.")
    return lines
