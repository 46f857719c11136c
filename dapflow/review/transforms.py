"""What there is to say of a project's transforms before anything runs: what Athena refuses, and what is a trap.

Each transform is read over the tables that the manifest knows the columns of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from dapflow.errors import DapflowError
from dapflow.known_answers import key_of
from dapflow.manifest import Dataset, Manifest
from dapflow.processes import shared
from dapflow.review.dataset_levels import levels
from dapflow.review.examined_before import DatasetFindings, KnownFindings
from dapflow.review.project_tables import ProjectTables
from dapflow.sql import SqlText


def review(manifest: Manifest, errors: Sequence[DapflowError] = (), noted_in: Path | None = None) -> list[DapflowError]:
    """The findings of all transforms, with ``errors``, the mistakes that were found before, among them.

    What was found in the project in ``noted_in`` is noted there, and not looked for again where it must be the same.
    """
    project = ProjectReview(manifest, errors)
    if noted_in is None:
        project.findings({})
    else:
        known = KnownFindings(noted_in)
        for key, findings in project.findings(known).items():
            known.put(key, findings)
        known.write()
    return project.listed()


#: What there is to say of a dataset without a text and without checks.
_NOTHING = DatasetFindings([], [], None)


class FindingsBefore(Protocol):
    """What was found before, by what it was made of."""

    def get(self, key: str, /) -> DatasetFindings | None:
        """What was found; None where it is not known."""
        ...


class ProjectReview:
    """The findings of datasets by their ids in ``of``; ``by_file`` are the mistakes that were found before.

    ``tables`` are those of the datasets that have been looked at.
    """

    def __init__(self, manifest: Manifest, errors: Sequence[DapflowError]) -> None:
        self.manifest = manifest
        self.tables = ProjectTables(manifest)
        self.of: dict[str, DatasetFindings] = {}
        self.by_file: dict[str | None, list[DapflowError]] = defaultdict(list)
        for error in errors:
            self.by_file[error.file].append(error)
        #: What those that read a dataset see of it, as a hash.
        self._seen: dict[str, str] = {}

    def findings(self, before: FindingsBefore) -> dict[str, DatasetFindings]:
        """Look at every dataset of which ``before`` says nothing; all findings, by what they are made of."""
        by_key: dict[str, DatasetFindings] = {}
        for level in levels(self.manifest.datasets.values()):
            keys = {dataset.id: self._key(dataset) for dataset in level if dataset.transform or dataset.checks}
            for dataset in level:
                self.tables.add_declared(dataset)
            known = {name: before.get(key) for name, key in keys.items()}
            unknown = [name for name, findings in known.items() if findings is None]
            known |= zip(unknown, shared(self.look, unknown), strict=True)
            by_key |= {keys[name]: findings for name, findings in known.items() if findings is not None}
            for dataset in level:
                findings = self.of[dataset.id] = known.get(dataset.id) or _NOTHING
                if findings.columns is not None:
                    self.tables.add(dataset, findings.columns)
                self._seen[dataset.id] = self._hash(dataset)
        return by_key

    def listed(self) -> list[DapflowError]:
        """All that was found, in the order of files and lines."""
        by_file, of_checks = dict(self.by_file), {}
        for dataset in self.manifest.datasets.values():
            findings = self.of[dataset.id]
            if dataset.transform is not None:
                by_file[dataset.transform.file] = findings.of_text
            for finding in findings.of_checks:
                # Mistakes in a check's file were found before, and two datasets may have one file.
                of_checks[finding.file, finding.line, finding.column, finding.message] = finding
        all_findings = [finding for findings in by_file.values() for finding in findings]
        known = {(finding.file, finding.line, finding.column, finding.message) for finding in all_findings}
        all_findings += [finding for place, finding in of_checks.items() if place not in known]
        return sorted(all_findings, key=lambda finding: (finding.file or "", finding.line or 0, finding.column or 0))

    def look(self, name: str) -> DatasetFindings:
        """What there is to say of a dataset, once all that it reads has been looked at."""
        dataset = self.manifest.datasets[name]
        from dapflow.review.checks import check_findings  # noqa: PLC0415 (brings DuckDB; no text that is known needs it)
        from dapflow.review.examine import Examined, examine  # noqa: PLC0415

        self.tables.database = self.manifest.services[dataset.service].database
        examined = Examined([])
        if dataset.transform is not None:
            text = SqlText(dataset.transform.sql, dataset.transform.file)
            named = self.by_file[text.file]
            examined = examine(text, self.tables, self.tables.database, named=named, product=True)
            if examined.columns is not None:
                self.tables.add(dataset, examined.columns)
        of_checks = [*check_findings(self.manifest, self.tables, dataset, self.by_file)]
        return DatasetFindings(examined.findings, of_checks, examined.columns)

    def _key(self, dataset: Dataset) -> str:
        """What the findings of a dataset are made of, as a hash."""
        transform, service = dataset.transform, self.manifest.services[dataset.service]
        files = {transform.file if transform else None, *(check.file for check in dataset.checks)}
        named = [error.as_dict() for file in sorted(filter(None, files)) for error in self.by_file.get(file, ())]
        text, file = (transform.sql, transform.file) if transform is not None else (None, None)
        inputs = [self._seen.get(identity, "") for identity in dataset.depends_on]
        own = [self._hash(dataset, declared_alone=True), dataset.id, service.database, service.environment_databases]
        return key_of(text, file, named, [asdict(check) for check in dataset.checks], inputs, own)

    def _hash(self, dataset: Dataset, *, declared_alone: bool = False) -> str:
        columns: Collection[tuple[str, str]] = [(column.name, column.type) for column in dataset.columns or ()]
        output = None if declared_alone else self.of[dataset.id].columns
        if output is not None:
            columns = [(column.name, column.type) for column in output]
        names = [dataset.id, dataset.database, dataset.current, dataset.history, *dataset.generation.partition_names]
        return key_of(names, dataset.has_generations, columns)


def unchecked(manifest: Manifest) -> list[str]:
    """The tables that transforms read and of which nobody knows the columns before Glue is asked."""
    read = {name for dataset in manifest.datasets.values() for name in dataset.depends_on}
    return [
        name
        for name in sorted(read)
        if manifest.datasets[name].transform is None and not manifest.datasets[name].columns
    ]
