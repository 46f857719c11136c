"""``dapflow check``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.failure import print_findings
from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.errors import DapflowError
    from dapflow.local.orphans import Orphan
    from dapflow.manifest import Manifest
    from dapflow.review.changed_outputs import ChangedColumn


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    project: ProjectOption = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 for warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Find the mistakes in transforms/ without running anything.

    What Athena refuses (syntax, names, types, functions, grouping), circles, contracts, YAML, data of others that were
    not granted: each with its place, the line and a hint. Ends with status 1 when there is one.
    Warns of what Athena takes and what gives another answer than was meant: = NULL, NOT IN over NULLs, whole numbers
    divided, joins without a condition, histories read whole, today's date, a leftover LIMIT, and more.
    Compares the columns of products with those that dapflow compile found last: one that is gone or of another type and
    is read is a mistake of the reader, one that nobody reads is named.
    Names the tables whose columns it does not know, because something else makes them: what depends on them is not
    checked; and, where the embedded platform runs, what is published there and has no file any more.

    Example: dapflow check --strict
    """
    root = project_root(project)
    manifest, findings, changed = checked(root)
    from dapflow.review.transforms import unchecked  # noqa: PLC0415 (brings DuckDB)

    failures = [finding for finding in findings if finding.severity == "error"]
    warnings = [finding for finding in findings if finding.severity == "warning"]
    tables = unchecked(manifest)
    orphans = [] if failures else _orphans(root, manifest)
    if as_json:
        lists = {"errors": failures, "warnings": warnings}
        report = {name: [finding.as_dict() for finding in listed] for name, listed in lists.items()}
        print(
            json.dumps(
                {
                    **report,
                    "changed": [column.as_dict() for column in changed],
                    "unchecked": tables,
                    "orphans": [orphan.id for orphan in orphans],
                },
                ensure_ascii=False,
            )
        )
    else:
        print_findings(findings)
        for column in changed:
            sys.stderr.write(f"{column}\n")
        for table in tables:
            sys.stderr.write(f"{_unchecked(table, manifest)}\n")
        for orphan in orphans:
            sys.stderr.write(f"{orphan.report()}\n")
    if failures:
        raise typer.Exit(1)
    if not as_json:
        print(outcome(manifest, len(warnings)))
    if strict and warnings:
        raise typer.Exit(1)


def checked(root: Path) -> tuple[Manifest, list[DapflowError], list[ChangedColumn]]:
    """The project as far as it can be read, its mistakes and warnings, and the columns that it changes."""
    from dapflow.project import read_as_far_as_possible  # noqa: PLC0415 (brings PyYAML)
    from dapflow.project.codeowners import check_codeowners  # noqa: PLC0415

    manifest, errors = read_as_far_as_possible(root)
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.review.changed_outputs import changed_columns  # noqa: PLC0415 (brings DuckDB)
    from dapflow.review.transforms import review  # noqa: PLC0415

    findings = [*review(manifest, errors), *check_codeowners(root)]
    changed = changed_columns(manifest, read_lineage(manifest_file(root)))
    findings += [finding for column in changed for finding in column.findings(manifest)]
    return manifest, findings, changed


def outcome(manifest: Manifest, warnings: int) -> str:
    """What there is to say of a project without mistakes."""
    transforms = sum(dataset.transform is not None for dataset in manifest.datasets.values())
    found_none = f"No errors, and {_counted(warnings, 'warning')}," if warnings else "No mistakes"
    return f"{found_none} in {_counted(transforms, 'transform')} of {_counted(len(manifest.services), 'service')}."


def _unchecked(table: str, manifest: Manifest) -> str:
    readers = [
        dataset.transform.file
        for dataset in manifest.datasets.values()
        if dataset.transform and table in dataset.depends_on
    ]
    return (
        f"Unchecked: of {table} Glue alone knows the columns; dapflow columns {table} prints them. "
        f"Types are not checked in {', '.join(sorted(readers))}."
    )


def _counted(number: int, noun: str) -> str:
    return f"one {noun}" if number == 1 else f"{number or 'no'} {noun}s"


def _orphans(root: Path, manifest: Manifest) -> list[Orphan]:
    """What the embedded platform holds and the project no longer has; nothing where it does not run."""
    from dapflow.local.processes.running import is_up  # noqa: PLC0415 (brings psutil)
    from dapflow.servers.state import State  # noqa: PLC0415

    state = State.of(root)
    if not is_up(state):
        return []
    from dapflow.local.orphans import orphans_of_platform  # noqa: PLC0415 (brings boto3)

    return orphans_of_platform(state, manifest)
