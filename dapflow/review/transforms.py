"""What there is to say of a project's transforms before anything runs: what Athena refuses, and what is a trap.

Each transform is read over the tables that the manifest knows the columns of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from dapflow.errors import DapflowError
from dapflow.manifest import Manifest
from dapflow.review.checks import check_findings
from dapflow.review.examine import examine
from dapflow.review.project_tables import ProjectTables
from dapflow.sql import SqlText


def review(manifest: Manifest, errors: Sequence[DapflowError] = ()) -> list[DapflowError]:
    """The findings of all transforms, with ``errors``, the mistakes that were found before, among them."""
    tables = ProjectTables(manifest)
    by_file: dict[str | None, list[DapflowError]] = defaultdict(list)
    for error in errors:
        by_file[error.file].append(error)
    of_checks: dict[tuple[object, ...], DapflowError] = {}
    for dataset in manifest.datasets.values():
        tables.add_declared(dataset)
        tables.database = manifest.services[dataset.service].database
        if dataset.transform is not None:
            text = SqlText(dataset.transform.sql, dataset.transform.file)
            examined = examine(text, tables, tables.database, named=by_file[text.file], product=True)
            by_file[text.file] = examined.findings
            if examined.columns is not None:
                tables.add(dataset, examined.columns)
        for finding in check_findings(manifest, tables, dataset, by_file):
            # Mistakes in a check's file were found before, and two datasets may have one file.
            of_checks[finding.file, finding.line, finding.column, finding.message] = finding
    all_findings = [finding for findings in by_file.values() for finding in findings]
    known = {(finding.file, finding.line, finding.column, finding.message) for finding in all_findings}
    all_findings += [finding for place, finding in of_checks.items() if place not in known]
    return sorted(all_findings, key=lambda finding: (finding.file or "", finding.line or 0, finding.column or 0))


def unchecked(manifest: Manifest) -> list[str]:
    """The tables that transforms read and of which nobody knows the columns before Glue is asked."""
    read = {name for dataset in manifest.datasets.values() for name in dataset.depends_on}
    return [
        name
        for name in sorted(read)
        if manifest.datasets[name].transform is None and not manifest.datasets[name].columns
    ]
