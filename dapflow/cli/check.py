"""``dapflow check``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dapflow.cli.annotations import annotation_lines
from dapflow.cli.failure import as_object, print_findings, rule_label
from dapflow.cli.garbage import garbage_kept
from dapflow.cli.history_costs import say_costs
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.sarif import sarif
from dapflow.errors import DapflowError

if TYPE_CHECKING:
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
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended without a doubt; every other byte stays.")
    ] = False,
    staged: Annotated[
        bool, typer.Option("--staged", help="Check what the next commit would hold, and the layout of what it changes.")
    ] = False,
    install_hook: Annotated[
        bool, typer.Option("--install-hook", help="Have git do that before every commit; nothing is checked now.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print the findings in SARIF 2.1.0.")] = False,
    as_annotations: Annotated[
        bool, typer.Option("--github", help="Print the findings as annotations of GitHub Actions.")
    ] = False,
) -> None:
    """Find the mistakes in transforms/ without running anything.

    What Athena refuses (syntax, names, types, functions, grouping), circles, contracts, YAML, data of others that were
    not granted, tests of what is not there: each with its place, the line and a hint. Ends with status 1 when there is
    one.
    Warns of what Athena takes and what gives another answer than was meant: = NULL, NOT IN over NULLs, whole numbers
    divided, joins without a condition, histories read whole, today's date, a leftover LIMIT, and more. A warning that
    is meant is silenced by a comment: -- dapflow: ignore DAP216 and why. docs/reference/rules has a page for each rule.
    Compares the columns of products with those that dapflow compile found last: one that is gone or of another type and
    is read is a mistake of the reader, one that nobody reads is named.
    Names the tables whose columns it does not know, because something else makes them: what depends on them is not
    checked; and, where the embedded platform runs, what is published there and has no file any more.

    Example: dapflow check --strict
    """
    if as_json + as_sarif + as_annotations > 1:
        raise DapflowError("option", "--json, --sarif and --github each print the findings", hint="give one of them")
    root = project_root(project)
    if staged or install_hook:
        if staged + install_hook + strict + fix + as_json + as_sarif + as_annotations > 1:
            raise DapflowError("option", "--staged and --install-hook go with --project alone")
        _before_commits(root, install_hook=install_hook)
        return
    checks = checked(root)
    if fix:
        checks = _mended(root, checks)
    say_costs(root, checks.manifest, checks.findings)
    failures = [finding for finding in checks.findings if finding.severity == "error"]
    warnings = [finding for finding in checks.findings if finding.severity == "warning"]
    if as_sarif:
        print(json.dumps(sarif(checks.findings), ensure_ascii=False))
    elif as_annotations:
        print(*annotation_lines(checks.findings), sep="\n", end="\n" if checks.findings else "")
    elif as_json:
        _print_json(checks, root)
    else:
        _print(checks, root)
    if failures:
        raise typer.Exit(1)
    if not (as_json or as_sarif or as_annotations):
        print(outcome(checks.manifest, len(warnings)))
    if strict and warnings:
        raise typer.Exit(1)


def _before_commits(root: Path, *, install_hook: bool) -> None:
    from dapflow.cli.staged import check_staged, install  # noqa: PLC0415 (brings the formatter)

    if install_hook:
        install(root)
    else:
        check_staged(root, lambda folder: checked(folder, noted_in=root).findings)


def _print_json(checks: Checked, root: Path) -> None:
    lists = {"errors": "error", "warnings": "warning"}
    report = {
        name: [as_object(finding) for finding in checks.findings if finding.severity == severity]
        for name, severity in lists.items()
    }
    more = {
        "changed": [column.as_dict() for column in checks.changed],
        "unchecked": _unchecked_tables(checks.manifest),
        "orphans": [orphan.id for orphan in _orphans(root, checks)],
    }
    print(json.dumps({**report, **more}, ensure_ascii=False))


def _print(checks: Checked, root: Path) -> None:
    print_findings(checks.findings)
    for column in checks.changed:
        sys.stderr.write(f"{column}\n")
    for table in _unchecked_tables(checks.manifest):
        sys.stderr.write(f"{_unchecked(table, checks.manifest)}\n")
    for orphan in _orphans(root, checks):
        sys.stderr.write(f"{orphan.report()}\n")


def _unchecked_tables(manifest: Manifest) -> list[str]:
    from dapflow.review.transforms import unchecked  # noqa: PLC0415 (brings DuckDB)

    return unchecked(manifest)


def _mended(root: Path, checks: Checked) -> Checked:
    """Mend what can be, say what was, and check what there is then."""
    from dapflow.review.mending import mend  # noqa: PLC0415

    mended = mend(root, checks.findings, lambda: checked(root).findings)
    for mistake in mended:
        sys.stderr.write(f"Mended: {mistake.place} [{rule_label(mistake.code)}]\n")
    return checked(root) if mended else checks


class Checked(NamedTuple):
    """The project as far as it can be read, its mistakes and warnings, and the columns that it changes."""

    manifest: Manifest
    findings: list[DapflowError]
    changed: list[ChangedColumn]


def checked(root: Path, noted_in: Path | None = None) -> Checked:
    """Check a project. What is known of the like is looked up and noted in ``noted_in``, by default in it."""
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import read_as_far_as_possible  # noqa: PLC0415 (brings PyYAML)
    from dapflow.project.codeowners import check_codeowners  # noqa: PLC0415
    from dapflow.project.layout import TESTS  # noqa: PLC0415
    from dapflow.review.changed_outputs import changed_columns  # noqa: PLC0415
    from dapflow.review.transforms import review  # noqa: PLC0415

    with garbage_kept():
        manifest, errors = read_as_far_as_possible(root, noted_in)
        findings = [*review(manifest, errors, noted_in or root), *check_codeowners(root)]
    lineage = read_lineage(manifest_file(root))
    if not errors and any(root.glob(f"transforms/*/{TESTS}")):
        from dapflow.sql_tests.suite import mistakes_in_tests  # noqa: PLC0415 (brings DuckDB)

        findings += mistakes_in_tests(root, manifest, lineage)
    changed = changed_columns(manifest, lineage)
    findings += [finding for column in changed for finding in column.findings(manifest)]
    return Checked(manifest, findings, changed)


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


def _orphans(root: Path, checks: Checked) -> list[Orphan]:
    """What the embedded platform holds and the project no longer has.

    Nothing where the platform does not run, nor where mistakes hide what the project has.
    """
    if any(finding.severity == "error" for finding in checks.findings):
        return []
    from dapflow.local.processes.running import is_up  # noqa: PLC0415 (brings psutil)
    from dapflow.servers.state import State  # noqa: PLC0415

    state = State.of(root)
    if not is_up(state):
        return []
    from dapflow.local.orphans import orphans_of_platform  # noqa: PLC0415 (brings boto3)

    return orphans_of_platform(state, checks.manifest)
