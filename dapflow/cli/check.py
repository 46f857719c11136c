"""``dapflow check``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.failure import print_warnings
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.errors import DapflowErrors

if TYPE_CHECKING:
    from dapflow.local.orphans import Orphan
    from dapflow.manifest import Manifest


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    project: ProjectOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the mistakes as JSON.")] = False,
) -> None:
    """Find the mistakes in transforms/ without running anything.

    Parse errors, unknown tables and columns, circles, contracts, YAML, data of others that were not granted: each with
    its place, the line and a hint.
    Ends with status 1 when there is one. If there is none, warns of what Athena would probably refuse: types that do
    not match, unknown functions, columns missing in GROUP BY. Names the tables whose columns it does not know, because
    something else makes them; and, where the embedded platform runs, what is published there and has no file any more.

    Example: dapflow check
    """
    from dapflow.project import check_project  # noqa: PLC0415
    from dapflow.project.codeowners import check_codeowners  # noqa: PLC0415

    root = project_root(project)
    manifest, errors = check_project(root)
    errors += check_codeowners(root)
    if manifest is None or errors:
        raise DapflowErrors(errors)
    from dapflow.local.athena.review import review, unchecked  # noqa: PLC0415 - brings DuckDB; mistakes are shown without

    warnings = list(review(manifest))
    tables = unchecked(manifest)
    orphans = _orphans(root, manifest)
    if as_json:
        noted = [warning.as_dict() for warning in warnings]
        print(
            json.dumps({"errors": [], "warnings": noted, "unchecked": tables, "orphans": [each.id for each in orphans]})
        )
        return
    print_warnings(warnings)
    for table in tables:
        sys.stderr.write(f"Unchecked: of {table} Glue alone knows the columns; dapflow columns {table} prints them.\n")
    for orphan in orphans:
        sys.stderr.write(f"{orphan.report()}\n")
    transforms = sum(dataset.transform is not None for dataset in manifest.datasets.values())
    print(f"No mistakes in {transforms} transforms of {len(manifest.services)} services.")


def _orphans(root: Path, manifest: Manifest) -> list[Orphan]:
    """What the embedded platform holds and the project no longer has; nothing where it does not run."""
    from dapflow.local.running import is_up  # noqa: PLC0415 (brings psutil)
    from dapflow.local.state import State  # noqa: PLC0415

    state = State.of(root)
    if not is_up(state):
        return []
    from dapflow.local.orphans import orphans_of_platform  # noqa: PLC0415 (brings boto3)

    return orphans_of_platform(state, manifest)
