"""``dapflow remove``."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from dapflow.cli.branch_option import BranchOption, HostOption, connected_to_throw_away
from dapflow.cli.confirmation import YesOption, confirm, counted
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.errors import DapflowError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("remove")(remove)


def remove(
    name: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="The id of what the project no longer has, as dapflow check names it.",
            show_default=False,
        ),
    ],
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    branch: BranchOption = None,
    host: HostOption = None,
    project: ProjectOption = None,
) -> None:
    """Remove an orphan: what was published, and whose file is deleted.

    Its current view, its history and its objects go; landing files stay. On the embedded platform and in environments
    of branches. Delete the file first: what the project has is not removed.

    Example: dapflow remove air_traffic.refined.route_summary
    """
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    if name in manifest.datasets:
        raise DapflowError(
            "not-orphaned",
            f"{name} is part of the project",
            hint=f"delete its file or its entry first; dapflow reset {name} takes its generations out",
        )
    with ends_when_interrupted():
        clients, environment = connected_to_throw_away(root, manifest, branch, host)
        from dapflow.local import orphans  # noqa: PLC0415 (brings boto3)

        orphaned = orphans.find_orphans(clients, manifest, environment)
        chosen = next((orphan for orphan in orphaned if orphan.id == name), None)
        if chosen is None:
            listed = ", ".join(orphan.id for orphan in orphaned)
            raise DapflowError(
                "not-orphaned",
                f"nothing is published as {name}",
                hint=f"orphaned are: {listed}" if listed else "nothing is orphaned",
            )
        tables = " and ".join(table for table in (chosen.current, chosen.history) if table)
        sys.stderr.write(f"{name}: {tables} in {chosen.database}, {counted(range(chosen.generations))}\n")
        confirm(f"Remove {name}?", f"{name} would be removed", yes=yes)
        orphans.remove(clients, environment, chosen)
    if as_json:
        print(json.dumps({"removed": name, "generations": chosen.generations}))
    else:
        print(f"{name} is removed.")
