"""``dapflow test``."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.failure import print_failure, print_findings
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.sql_tests.suite import SuiteRun


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
    watch: Annotated[
        bool, typer.Option("--watch", help="Run them again when files in transforms/ change, until Ctrl-C.")
    ] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the outcomes as JUnit XML too.")
    ] = None,
    new: Annotated[
        str | None,
        typer.Option(
            "--new",
            metavar="TRANSFORM",
            help="Write a first test of a transform, from rows of the embedded platform.",
            show_default=False,
        ),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=100, help="With --new: rows to take of each table.")] = 3,
    coverage: Annotated[
        bool,
        typer.Option("--coverage", help="Say what no test reaches: transforms, WITH queries, results of CASE and IF."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcomes as JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Test what transforms give for rows that are written down.

    Runs the tests in transforms/<service>/tests/ on this machine, without AWS and without the platform. Ends with
    status 1 where a test fails or a file of tests has a mistake.

    --new writes a first test, of rows that the embedded platform has: values in columns of personal data are replaced,
    and what is expected is what the transform gives for these rows now.

    Example: dapflow test daily_departures
    """
    root = project_root(project)
    if new is not None:
        if name is not None or watch or junit is not None or coverage or as_json:
            raise DapflowError("option", "--new goes with --rows and --project alone")
        _draft(root, new, rows)
        return
    if watch:
        if junit is not None or as_json:
            raise DapflowError("option", "--watch is for people: it goes with neither --junit nor --json")
        _watch(root, name, coverage=coverage)
        return
    run = run_tests(root, name, coverage=coverage)
    if junit is not None:
        from dapflow.sql_tests.junit import write_junit  # noqa: PLC0415

        write_junit(junit, run.outcomes)
    if as_json:
        print(json.dumps(run.as_dict(), indent=2, ensure_ascii=False))
    else:
        print_run(run)
    if not run.passed:
        raise typer.Exit(1)


def _draft(root: Path, name: str, rows: int) -> None:
    from dapflow.cli.environment_option import connected  # noqa: PLC0415 (these bring boto3 and DuckDB)
    from dapflow.cli.sampled_platform import AskedPlatform  # noqa: PLC0415
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project, find_transform  # noqa: PLC0415
    from dapflow.sql_tests.draft import draft_file, write_draft  # noqa: PLC0415
    from dapflow.sql_tests.sampling import sample  # noqa: PLC0415
    from dapflow.sql_tests.suite import project_under_test  # noqa: PLC0415

    manifest = compile_project(root)
    dataset = find_transform(manifest, root, name)
    draft_file(root, dataset)
    clients, names = connected(root, manifest, None)
    under_test = project_under_test(manifest, {dataset.id}, read_lineage(manifest_file(root)))
    platform = AskedPlatform(clients, manifest, names)
    lineage = under_test.lineage.products.get(dataset.id)
    taken = sample(platform, names, dataset, manifest.datasets, lineage, rows)
    draft = write_draft(root, under_test, dataset, taken)
    print(f"{draft.file}: {draft.given} rows given, {draft.expected} expected")
    print(f"Look whether they are right, then: dapflow test {dataset.name}")


def _watch(root: Path, name: str | None, *, coverage: bool) -> None:
    from dapflow.sql_tests.watching import WatchedFiles  # noqa: PLC0415

    changed: frozenset[str] | None = None
    with suppress(KeyboardInterrupt):
        files = WatchedFiles(root)
        while True:
            try:
                print_run(run_tests(root, name, changed, coverage=coverage))
                is_whole = True
            except DapflowError as error:
                print_failure(error)
                is_whole = False
            print("Waiting for changes in transforms/; Ctrl-C ends it.", flush=True)
            now = files.wait()
            # What could not be run for a mistake elsewhere is run when that is mended.
            changed = now if is_whole else None


def run_tests(root: Path, name: str | None, changed: Collection[str] | None = None, *, coverage: bool) -> SuiteRun:
    """Run what a name means, or all; with ``changed`` files, what these concern."""
    from dapflow.compiled import manifest_file  # noqa: PLC0415 (these bring PyYAML and DuckDB)
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415
    from dapflow.sql_tests.suite import run_suite  # noqa: PLC0415

    manifest = compile_project(root)
    known = read_lineage(manifest_file(root))
    return run_suite(root, manifest, name, known, changed=changed, coverage=coverage)


def print_run(run: SuiteRun) -> None:
    """Print what came of tests: mistakes and those that failed, and a line on all."""
    from dapflow.sql_tests.coverage import coverage_lines  # noqa: PLC0415
    from dapflow.sql_tests.report import difference_lines, summary  # noqa: PLC0415

    print_findings(run.errors)
    for outcome in run.outcomes:
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
    for line in coverage_lines(run.coverage) if run.coverage is not None else []:
        print(line)
    print(summary(run.outcomes, run.seconds))
