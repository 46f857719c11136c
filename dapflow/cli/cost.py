"""``dapflow cost``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.result_table import Heading, about_usd, print_rows, size_text
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dapflow.runs.run_cost import RunCost


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("cost")(cost)


def cost(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="TRANSFORM|SERVICE",
            help="A transform (its id, its name, its .sql file), a raw table's id, or a service: all it publishes.",
            show_default=False,
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Of all services.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Say what a run will scan and cost before it is run, table by table.

    A product scans the columns that its text reads, in the newest generation of each table or in all of a history; how
    much they take is in the catalog and in the footers of the newest files. Conditions on generations are not weighed:
    what they leave out makes it less. A query of a WITH that is named twice is scanned twice, and counted once here. A
    raw table's landing files are scanned twice. Checks scan what was made, too: the last publication's bytes hold them.

    The price is Athena's list price in US East, at least that of 10 MB a query.

    Example: dapflow cost air_traffic
    """
    if (name is None) == (not everything):
        raise DapflowError("option", "name a transform or a service, or say --all")
    from dapflow.cli.selected import selected_datasets  # noqa: PLC0415
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    if name is not None:
        datasets = selected_datasets(manifest, root, name)
    else:
        datasets = [dataset for dataset in manifest.datasets.values() if not dataset.external]
    clients, names = connected(root, manifest, environment)
    from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)
    from dapflow.review.project_lineage import lineages  # noqa: PLC0415
    from dapflow.runs.run_cost import RunCosts  # noqa: PLC0415

    lineage = lineages(manifest, [dataset.id for dataset in datasets], read_lineage(manifest_file(root)))
    costs_of_runs = RunCosts(Publications(clients, manifest, names), lineage)
    costs = [costs_of_runs.of(dataset) for dataset in datasets]
    if as_json:
        print(json.dumps({"runs": [run.as_dict() for run in costs], **_total(costs)}, indent=2, ensure_ascii=False))
    elif len(costs) == 1:
        _print_reads(costs[0])
    else:
        _print_runs(costs)
    if not as_json and names.embedded:
        sys.stderr.write("On AWS it would cost that; the embedded platform costs nothing.\n")


def _total(costs: Sequence[RunCost]) -> dict[str, int | float]:
    return {
        "scanned": sum(run.scanned or 0 for run in costs),
        "usd": round(sum(run.usd or 0 for run in costs), 6),
        "unknown": sum(run.scanned is None for run in costs),
    }


def _print_reads(run: RunCost) -> None:
    headings = [Heading("reads", whole=True)]
    headings += [Heading(name, number=True) for name in ("columns", "generations", "size", "scanned")]
    rows = []
    for read in run.reads:
        columns = "all" if read.columns is None else str(read.columns)
        at_most = "at most " if read.conditions else ""
        scanned = f"{at_most}{size_text(read.scanned)}" if read.scanned is not None else "not known"
        size = size_text(read.bytes) if read.bytes is not None else ""
        rows.append((read.table, columns, f"{read.generations:,}", size, scanned))
    print_rows(headings, rows)
    last = f"; its last publication scanned {size_text(run.last_scanned)}" if run.last_scanned is not None else ""
    if run.scanned is None:
        print(f"{run.dataset}: not known, for want of what it reads{last}")
    else:
        print(f"{run.dataset}: about {size_text(run.scanned)}, {about_usd(run.usd or 0)} a run{last}")


def _print_runs(costs: Sequence[RunCost]) -> None:
    headings = [Heading("dataset", whole=True), *(Heading(name, number=True) for name in ("scanned", "usd", "last"))]
    print_rows(
        headings,
        [
            (
                run.dataset,
                size_text(run.scanned) if run.scanned is not None else "not known",
                about_usd(run.usd).removeprefix("about ") if run.usd is not None else "",
                size_text(run.last_scanned) if run.last_scanned is not None else "",
            )
            for run in costs
        ],
    )
    total = _total(costs)
    unknown = f"; of {total['unknown']} nothing is known" if total["unknown"] else ""
    print(f"A run of all: about {size_text(int(total['scanned']))}, {about_usd(total['usd'])}{unknown}")
