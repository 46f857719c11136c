"""What reading a whole history costs, for the warning that one is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.manifest import Dataset, Manifest
    from dapflow.runs.run_cost import RunCosts, TableCost

_CODE = "all-generations"


def say_costs(root: Path, manifest: Manifest, findings: Sequence[DapflowError]) -> None:
    """Say in the hints of the warnings what it costs now; where the embedded platform does not run, who knows it."""
    products = {made.transform.file: made for made in manifest.datasets.values() if made.transform is not None}
    warned = [
        (products[finding.file], finding) for finding in findings if finding.code == _CODE and finding.file in products
    ]
    if not warned:
        return
    try:
        costs = list(_costs(root, manifest, warned))
    except DapflowError:
        costs = [None for _ in warned]
    for (dataset, finding), cost in zip(warned, costs, strict=True):
        finding.hint = f"{finding.hint}; {_said(dataset, cost)}"


def _costs(
    root: Path, manifest: Manifest, warned: Sequence[tuple[Dataset, DapflowError]]
) -> Iterator[TableCost | None]:
    from dapflow.local.processes.running import is_up  # noqa: PLC0415 (brings psutil)
    from dapflow.servers.state import State  # noqa: PLC0415
    from dapflow.sql import SqlText  # noqa: PLC0415

    costs = _run_costs(root, manifest, warned) if is_up(State.of(root)) else None
    for dataset, finding in warned:
        assert dataset.transform is not None  # noqa: S101 - it is in a product's text
        start = SqlText(dataset.transform.sql).offset(finding.line or 1, finding.column or 1)
        yield costs.reads(dataset).get(start) if costs is not None else None


def _run_costs(root: Path, manifest: Manifest, warned: Sequence[tuple[Dataset, DapflowError]]) -> RunCosts:
    from dapflow.cli.environment_option import connected  # noqa: PLC0415 (these bring boto3)
    from dapflow.compiled import manifest_file  # noqa: PLC0415
    from dapflow.lineage import read_lineage  # noqa: PLC0415
    from dapflow.publications.published import Publications  # noqa: PLC0415
    from dapflow.review.project_lineage import lineages  # noqa: PLC0415
    from dapflow.runs.run_cost import RunCosts  # noqa: PLC0415

    clients, names = connected(root, manifest, None)
    lineage = lineages(manifest, [dataset.id for dataset, _ in warned], read_lineage(manifest_file(root)))
    return RunCosts(Publications(clients, manifest, names), lineage)


def _said(dataset: Dataset, cost: TableCost | None) -> str:
    from dapflow.cli.result_table import about_usd, size_text  # noqa: PLC0415
    from dapflow.runtime.price import scan_usd  # noqa: PLC0415

    if cost is None or cost.scanned is None:
        return f"what a run scans of it is not known here: dapflow cost {dataset.name} says it where it is published"
    days = "one generation" if cost.generations == 1 else f"{cost.generations:,} generations"
    return f"a run scans {size_text(cost.scanned)} of {days} now, {about_usd(scan_usd(cost.scanned))} on AWS"
