"""What there is to say of a project's transforms before anything runs: what Athena refuses, and what is a trap.

Each transform is read over the tables that the manifest knows the columns of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from dapflow.athena.catalog.hidden_columns import HIDDEN_COLUMNS
from dapflow.athena.catalog.hive_types import trino_text
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.review.examine import NotKnown, examine
from dapflow.sql import SqlText
from dapflow.trino.duckdb import Column, Relation

_CATALOG = "awsdatacatalog"
_PARTITIONS = "$partitions"


class _Tables:
    """The tables of the datasets that have been looked at; a catalogue for the analyser."""

    def __init__(self, manifest: Manifest) -> None:
        self.database = ""
        self._logical = {
            name: service.databases[zone]
            for service in manifest.services.values()
            for zone, names in service.environment_databases.items()
            for name in names.values()
        }
        self._relations: dict[tuple[str, str], Relation] = {}

    def add(self, dataset: Dataset, columns: Sequence[Column]) -> None:
        """Make the tables of a dataset known."""
        names = dataset.generation.partition_names if dataset.has_generations else ()
        keys = tuple(Column(name, "varchar") for name in names)
        data = tuple(column for column in columns if column.name not in names)

        def add(name: str, all_columns: tuple[Column, ...], hidden: tuple[Column, ...], keys: Sequence[str]) -> None:
            relation = Relation(_CATALOG, dataset.database, name, all_columns, hidden, tuple(keys))
            self._relations[dataset.database, name] = relation

        # A table without generations is one table by both names.
        add(dataset.current, (*data, *keys), (), ())
        add(dataset.history, (*data, *keys), HIDDEN_COLUMNS, names)
        if names:
            add(dataset.history + _PARTITIONS, keys, (), ())

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """See dapflow.review.examine.Catalogue. That the table exists has been checked before."""
        del catalog
        written = database or self.database
        found = self._relations.get((self._logical.get(written, written), name))
        if found is None:
            raise NotKnown
        return found

    def has_database(self, database: str) -> bool:
        """See dapflow.review.examine.Catalogue."""
        return bool(database)

    def tables(self) -> Collection[tuple[str, str]]:
        """See dapflow.review.examine.Catalogue."""
        return self._relations


def review(manifest: Manifest, errors: Sequence[DapflowError] = ()) -> list[DapflowError]:
    """The findings of all transforms, with ``errors``, the mistakes that were found before, among them."""
    tables = _Tables(manifest)
    by_file: dict[str | None, list[DapflowError]] = defaultdict(list)
    for error in errors:
        by_file[error.file].append(error)
    for dataset in manifest.datasets.values():
        if dataset.columns is not None:
            tables.add(dataset, [Column(column.name, trino_text(column.type)) for column in dataset.columns])
        transform = dataset.transform
        if transform is None:
            continue
        tables.database = manifest.services[dataset.service].database
        text = SqlText(transform.sql, transform.file)
        examined = examine(text, tables, tables.database, named=by_file[transform.file], product=True)
        by_file[transform.file] = examined.findings
        if examined.columns is not None:
            tables.add(dataset, examined.columns)
    found = [finding for findings in by_file.values() for finding in findings]
    return sorted(found, key=lambda finding: (finding.file or "", finding.line or 0, finding.column or 0))


def unchecked(manifest: Manifest) -> list[str]:
    """The tables that transforms read and of which nobody knows the columns before Glue is asked."""
    read = {name for dataset in manifest.datasets.values() for name in dataset.depends_on}
    return [
        name
        for name in sorted(read)
        if manifest.datasets[name].transform is None and not manifest.datasets[name].columns
    ]
