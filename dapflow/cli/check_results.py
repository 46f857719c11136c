"""``dapflow check-results``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root
from dapflow.errors import DapflowError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check-results")(check_results)


def check_results(
    name: DatasetArgument,
    generation: Annotated[
        str | None,
        typer.Option(
            "--generation", "-g", metavar="D", help="Date, as 2013-12-31. Default: the last that was checked."
        ),
    ] = None,
    rows: Annotated[int, typer.Option("--rows", "-n", min=0, help="Rows to show of each check; 20 are kept.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Show what the checks of a dataset found in the last run of a generation, and rows that fail them.

    The rows are those that were staged, whether or not they were published. Values in columns of personal data were
    not kept, and are not shown. What was found is kept for 30 days.

    Example: dapflow check-results air_traffic.raw.flights
    """
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    root = project_root(project)
    day = Generation.parse(generation) if generation is not None else None
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    clients, names = connected(root, manifest, environment)
    from dapflow.runtime.aws import aws_errors  # noqa: PLC0415 (brings boto3)
    from dapflow.runtime.checks.results import read_results  # noqa: PLC0415
    from dapflow.runtime.dataset_location import DatasetLocation  # noqa: PLC0415

    with aws_errors():
        results = read_results(clients.s3, DatasetLocation.of(dataset, names), day)
    if results is None:
        when = f"generation {day} of {dataset.id} was" if day else f"{dataset.id} was"
        hint = f"run it: dapflow run {dataset.id}" if dataset.checks else "write `checks` into its .yml or service.yml"
        raise DapflowError("no-check-results", f"{when} not checked in the last 30 days", hint=hint)
    for check in results["checks"]:
        check["sample"] = check["sample"][:rows]
    if as_json:
        print(json.dumps({"dataset": dataset.id, **results}, indent=2, ensure_ascii=False))
        return
    _print(dataset.id, results)


def _print(dataset: str, results: dict[str, Any]) -> None:
    from dapflow.cli.result_table import Heading, print_rows, size_text  # noqa: PLC0415

    became = "not published" if results["stopped"] else "published"
    print(f"{dataset} {results['generation']}: {results['rows']} rows, {became}; checked at {results['at']}")
    print(f"{results['queries']} queries, {size_text(results['bytes_scanned'])} scanned")
    headings = [Heading("name"), Heading("check"), Heading("severity"), Heading("found", whole=True)]
    print_rows(
        headings,
        [(check["name"], check["check"], check["severity"], check["said"] or "holds") for check in results["checks"]],
    )
    for check in results["checks"]:
        if check["sample"]:
            print(f"\n{check['name']}: {check['check']}")
            print_rows([Heading(name) for name in check["sample"][0]], [list(row.values()) for row in check["sample"]])
