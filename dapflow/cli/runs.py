"""``dapflow runs``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.project_option import ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.environment import Environment
    from dapflow.manifest import Manifest
    from dapflow.publications.published import Publications
    from dapflow.runs.recent import JudgedRun


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("runs")(runs)


def runs(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="DATASET|SERVICE",
            help="A raw table's id, a transform (its id, its name, its .sql file), or a service. Default: all.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[int, typer.Option("--most", "-n", min=1, help="How many, from the newest on.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole records as JSON.")] = False,
    openlineage: Annotated[
        bool, typer.Option("--openlineage", help="Print run events of OpenLineage, one JSON object a line.")
    ] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """What runs did: each with its outcome, rows, bytes scanned, price, and the error of one that failed.

    `killed` is one that ended without a word. --json prints all that a record holds: the queries, what was read of
    which run, the commit, the hash of the SQL. --openlineage is for DataHub, Marquez and what else takes it.

    Example: dapflow runs air_traffic.refined.daily_departures
    """
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    clients, names = connected(root, manifest, environment)
    from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)

    judged = _judged(Publications(clients, manifest, names), manifest, root, name, most)
    if openlineage:
        _print_events(judged, manifest, names)
    elif as_json:
        print(json.dumps({"runs": [run.as_dict() for run in judged]}, indent=2, ensure_ascii=False))
    else:
        _print(judged)


def _judged(publications: Publications, manifest: Manifest, root: Path, name: str | None, most: int) -> list[JudgedRun]:
    from dapflow.project import find_dataset  # noqa: PLC0415
    from dapflow.runs.recent import runs_of, runs_of_all  # noqa: PLC0415

    if name is None or name in manifest.services:
        return runs_of_all(publications, [name] if name else list(manifest.services), most=most)
    return runs_of(publications, find_dataset(manifest, root, name), most=most)


def _print_events(judged: list[JudgedRun], manifest: Manifest, environment: Environment) -> None:
    """From the oldest on, as they came to be."""
    from dapflow.review.project_lineage import lineages  # noqa: PLC0415 (brings DuckDB)
    from dapflow.runs.openlineage import run_events  # noqa: PLC0415

    wanted = {run.record.dataset for run in judged} & manifest.datasets.keys()
    for event in run_events(reversed(judged), manifest, environment, lineages(manifest, sorted(wanted))):
        print(json.dumps(event, ensure_ascii=False))


def _print(judged: list[JudgedRun]) -> None:
    from dapflow.cli.result_table import Heading, print_rows, size_text  # noqa: PLC0415

    if not judged:
        print("No run has left a record.")
        return
    headings = [Heading(name, whole=True) for name in ("began", "dataset", "generation", "outcome")]
    headings += [Heading(name, number=True) for name in ("rows", "scanned", "usd", "seconds")]
    rows = [
        (
            run.record.started[:19].replace("T", " "),
            run.record.dataset,
            run.record.generation,
            run.outcome,
            f"{run.record.rows:,}" if run.record.rows is not None else "",
            size_text(run.record.bytes_scanned) if run.record.bytes_scanned is not None else "",
            f"{run.record.usd:.6f}" if run.record.usd is not None else "",
            f"{run.record.seconds:.2f}" if run.record.seconds is not None else "",
        )
        for run in judged
    ]
    print_rows([*headings, Heading("error")], [(*row, _error(run)) for row, run in zip(rows, judged, strict=True)])


def _error(run: JudgedRun) -> str:
    error = run.record.error
    return f"{error.message.splitlines()[0]} [{error.code}]" if error and run.outcome != "published" else ""
