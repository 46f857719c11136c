"""What a test knows of the tables that a transform reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dapflow.athena.catalog.hive_types import trino_text
from dapflow.manifest import Dataset, Manifest, Reference
from dapflow.review.project_lineage import ProjectLineage
from dapflow.review.project_tables import ProjectTables
from dapflow.trino.catalogue import UNCHECKED, ColumnMetadata, NotKnown, Relation

#: Columns by name with their types, in Glue's spelling.
DeclaredColumns = Mapping[str, str]


class GivenCatalogue:
    """The tables of the project, and those of which a test says the columns, by the id of the dataset."""

    def __init__(self, project: ProjectTables, manifest: Manifest, columns: Mapping[str, DeclaredColumns]) -> None:
        self._project = project
        self._given = ProjectTables(manifest) if columns else None
        for dataset, types in columns.items():
            if self._given is not None:
                declared = [ColumnMetadata(name, trino_text(kind)) for name, kind in types.items()]
                self._given.add(manifest.datasets[dataset], declared)

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | NotKnown:
        """See dapflow.trino.catalogue."""
        given = self._given.relation(catalog, database, name) if self._given is not None and database else None
        return given if isinstance(given, Relation) else self._project.relation(catalog, database, name)

    def has_database(self, database: str) -> bool:
        """See dapflow.trino.catalogue."""
        return bool(database)


@dataclass(frozen=True)
class TableRole:
    """What a table of a query is: a dataset's current view or its history; ``suffix`` as in Reference."""

    dataset: Dataset
    kind: str
    suffix: str = ""


class ProjectUnderTest:
    """A compiled project whose transforms are tested, with the columns of all that they read."""

    def __init__(self, manifest: Manifest, lineage: ProjectLineage) -> None:
        self.manifest = manifest
        self.lineage = lineage

    def database(self, dataset: Dataset) -> str:
        """Where a transform's names without a database are looked up."""
        return self.manifest.services[dataset.service].database

    def catalogue(self, columns: Mapping[str, DeclaredColumns]) -> GivenCatalogue:
        """What is known where a test says these columns."""
        return GivenCatalogue(self.lineage.tables, self.manifest, columns)

    def is_known(self, dataset: Dataset) -> bool:
        """Whether the project itself says the columns of a dataset, and their types."""
        relation = self.lineage.tables.relation(None, dataset.database, dataset.current)
        return isinstance(relation, Relation) and all(column.type != UNCHECKED for column in relation.columns)

    def read_by(self, dataset: Dataset) -> dict[str, Dataset]:
        """The datasets that a transform reads, by id."""
        references: tuple[Reference, ...] = dataset.transform.references if dataset.transform else ()
        return {reference.dataset: self.manifest.datasets[reference.dataset] for reference in references}

    def named(self, written: str, dataset: Dataset) -> Dataset | None:
        """The dataset of those that a transform reads which a test names by one of its tables, as the SQL would."""
        *before, name = (part.strip('"') for part in written.lower().split("."))
        database = self.lineage.tables.logical(before[-1] if before else self.database(dataset))
        for read in self.read_by(dataset).values():
            if read.database == database and name in {read.current, read.history}:
                return read
        return None

    def role(self, relation: Relation, dataset: Dataset) -> TableRole:
        """What a table is that a transform's query reads."""
        database = self.lineage.tables.logical(relation.database)
        for read in self.read_by(dataset).values():
            if read.database != database:
                continue
            if relation.name == read.current:
                return TableRole(read, "current")
            bare, dollar, suffix = relation.name.partition("$")
            if bare == read.history:
                return TableRole(read, "history", dollar + suffix)
        raise LookupError(relation.name)

    def called(self, dataset: Dataset, reader: Dataset) -> str:
        """How a transform's SQL names the current view of a dataset."""
        own = dataset.database == self.database(reader)
        return dataset.current if own else f"{dataset.database}.{dataset.current}"
