"""The tables of a project, as far as the manifest and what has been looked at say what columns they have."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dapflow.athena.catalog.hidden_columns import HIDDEN_COLUMNS
from dapflow.athena.catalog.hive_types import trino_text
from dapflow.manifest import Dataset, Manifest
from dapflow.trino.catalogue import NOT_KNOWN, ColumnMetadata, NotKnown, Relation

_CATALOG = "awsdatacatalog"
_PARTITIONS = "$partitions"


class ProjectTables:
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

    def add_declared(self, dataset: Dataset) -> None:
        """Make the tables of a dataset known whose columns are declared."""
        if dataset.columns is not None:
            self.add(dataset, [ColumnMetadata(column.name, trino_text(column.type)) for column in dataset.columns])

    def add(self, dataset: Dataset, columns: Sequence[ColumnMetadata]) -> None:
        """Make the tables of a dataset known."""
        names = dataset.generation.partition_names if dataset.has_generations else ()
        keys = tuple(ColumnMetadata(name, "varchar") for name in names)
        data = tuple(column for column in columns if column.name not in names)

        def add(
            name: str, all_columns: tuple[ColumnMetadata, ...], hidden: tuple[ColumnMetadata, ...], keys: Sequence[str]
        ) -> None:
            relation = Relation(_CATALOG, dataset.database, name, all_columns, hidden, tuple(keys))
            self._relations[dataset.database, name] = relation

        # A table without generations is one table by both names.
        add(dataset.current, (*data, *keys), (), ())
        add(dataset.history, (*data, *keys), HIDDEN_COLUMNS, names)
        if names:
            add(dataset.history + _PARTITIONS, keys, (), ())

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | NotKnown:
        """See dapflow.trino.catalogue. That the table exists has been checked before."""
        del catalog
        return self._relations.get((self.logical(database or self.database), name), NOT_KNOWN)

    def logical(self, database: str) -> str:
        """The name that a database has in the manifest, by the one that a text gives it."""
        return self._logical.get(database, database)

    def has_database(self, database: str) -> bool:
        """See dapflow.review.examine.Catalogue."""
        return bool(database)

    def tables(self) -> Collection[tuple[str, str]]:
        """See dapflow.review.examine.Catalogue."""
        return self._relations
