"""``dapflow test``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dapflow.cli.failure import print_findings
from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.errors import DapflowError
    from dapflow.sql_tests.outcome import SqlTestOutcome


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("test")(test)


def test(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="A transform, a service, a file of tests, or a test. Default: all tests.",
            show_default=False,
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the outcomes as JUnit XML too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Run the tests in transforms/<service>/tests/: what a transform gives for rows that are written down.

    They run on this machine, without AWS and without the platform. Ends with status 1 where a test fails or a file of
    tests has a mistake.

    Example: dapflow test daily_departures
    """
    root = project_root(project)
    started = time.perf_counter()
    outcomes, errors = _outcomes(root, name)
    seconds = time.perf_counter() - started
    if junit is not None:
        from dapflow.sql_tests.junit import write_junit  # noqa: PLC0415

        write_junit(junit, outcomes)
    if as_json:
        print(json.dumps(_as_json(outcomes, errors), indent=2, ensure_ascii=False))
    else:
        _print(outcomes, errors, seconds)
    if errors or not all(outcome.passed for outcome in outcomes):
        raise typer.Exit(1)


def _outcomes(root: Path, name: str | None) -> tuple[list[SqlTestOutcome], list[DapflowError]]:
    from dapflow.compiled import manifest_file  # noqa: PLC0415 (these bring PyYAML and DuckDB)
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415
    from dapflow.project.sql_test_files import read_sql_tests  # noqa: PLC0415
    from dapflow.sql_tests.suite import run_tests, selected  # noqa: PLC0415

    manifest = compile_project(root)
    tests, errors = read_sql_tests(root, manifest)
    if name is not None:
        tests = selected(tests, manifest, root, name)
    return run_tests(manifest, tests, read_lineage(manifest_file(root))), errors


def _print(outcomes: Sequence[SqlTestOutcome], errors: Sequence[DapflowError], seconds: float) -> None:
    from dapflow.sql_tests.report import difference_lines, summary  # noqa: PLC0415

    print_findings(errors)
    for outcome in outcomes:
        if outcome.passed:
            continue
        print(f"{outcome.file}:{outcome.line}: {outcome.name}")
        lines = [outcome.failure] if outcome.failure is not None else []
        lines += difference_lines(outcome.difference) if outcome.difference is not None else []
        for line in lines:
            print(f"  {line}")
        sys.stdout.flush()
        if outcome.mistake is not None:
            print_findings([outcome.mistake])
        print()
    print(summary(outcomes, seconds))


def _as_json(outcomes: Sequence[SqlTestOutcome], errors: Sequence[DapflowError]) -> dict[str, Any]:
    return {"tests": [outcome.as_dict() for outcome in outcomes], "errors": [error.as_dict() for error in errors]}
