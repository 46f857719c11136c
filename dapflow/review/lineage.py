"""The lineage of a project's transforms: where their columns come from, what they read, and what they mean."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from dapflow.errors import DapflowError
from dapflow.lineage import Lineage, LineageColumn, Origin, TableRead
from dapflow.manifest import Dataset, Manifest
from dapflow.review.project_tables import ProjectTables
from dapflow.sql import SqlText
from dapflow.sql.refusals import refusal
from dapflow.trino.catalogue import Column

if TYPE_CHECKING:
    from dapflow.trino.analysis import Analysed, TableUse
    from dapflow.trino.analysis import Origin as TableOrigin

#: To be raised when another lineage, or another hash of meaning, is to come of the same text.
_RULES = 1


def lineages(
    manifest: Manifest, wanted: Collection[str] | None = None, before: Mapping[str, Lineage] | None = None
) -> dict[str, Lineage]:
    """The lineage of transforms by id: of all, or of the ``wanted`` and of those that they read.

    What ``before`` says of a transform is kept where its text and all that it reads are the same. A transform with a
    mistake, which ``dapflow check`` finds, has none.
    """
    project = _Project(manifest)
    chosen = set(manifest.datasets) if wanted is None else _upstream(manifest, wanted)
    return project.lineages([one for one in manifest.datasets.values() if one.id in chosen], before or {})


def mistake(manifest: Manifest, dataset: Dataset) -> DapflowError | None:
    """What is wrong with a transform that has no lineage."""
    project = _Project(manifest)
    project.lineages([one for one in manifest.datasets.values() if one.id in _upstream(manifest, [dataset.id])], {})
    transform, analysed = dataset.transform, project.analysed(dataset)
    if transform is None or analysed is None or not analysed.findings:
        return None
    return refusal(SqlText(transform.sql, transform.file), analysed.findings[0].error())


def _upstream(manifest: Manifest, wanted: Iterable[str]) -> set[str]:
    """Datasets and all that they are made of."""
    found: set[str] = set()
    open_ends = list(wanted)
    while open_ends:
        one = open_ends.pop()
        if one not in found:
            found.add(one)
            open_ends += manifest.datasets[one].depends_on
    return found


class _Project:
    """The tables of a project, and which datasets they are of."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.tables = ProjectTables(manifest)
        #: What is known of the columns of each dataset.
        self._columns: dict[str, list[tuple[str, str]]] = {}
        self._owners: dict[tuple[str, str], str] = {}
        for dataset in manifest.datasets.values():
            for name in (dataset.current, dataset.history, f"{dataset.history}$partitions"):
                self._owners[dataset.database, name] = dataset.id

    def lineages(self, datasets: Iterable[Dataset], before: Mapping[str, Lineage]) -> dict[str, Lineage]:
        """The lineage of transforms by id; each comes after what it reads."""
        found: dict[str, Lineage] = {}
        for dataset in datasets:
            self.tables.add_declared(dataset)
            key = self.key(dataset)
            one = before.get(dataset.id)
            if one is None or one.key != key:
                one = self.lineage(dataset, key)
            if one is None:
                continue
            found[dataset.id] = one
            if one.columns is not None:
                self.tables.add(dataset, [Column(column.name, column.type) for column in one.columns])
                self._columns[dataset.id] = [(column.name, column.type) for column in one.columns]
        return found

    def key(self, dataset: Dataset) -> str:
        """What the lineage of a transform is made of, as a hash."""
        transform = dataset.transform
        inputs = [self._described(self.manifest.datasets[one]) for one in (*dataset.depends_on, dataset.id)]
        made_of = [_RULES, transform and transform.sql, self.manifest.services[dataset.service].database, inputs]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]

    def _described(self, dataset: Dataset) -> list[object]:
        declared = [(column.name, column.type) for column in dataset.columns or ()]
        names = [dataset.id, dataset.database, dataset.current, dataset.history, *dataset.generation.partition_names]
        return [names, dataset.has_generations, declared, self._columns.get(dataset.id)]

    def analysed(self, dataset: Dataset) -> Analysed | None:
        """The analysis of a transform."""
        from dapflow.trino.analysis import analyse  # noqa: PLC0415 (no text that is unchanged needs it)

        transform = dataset.transform
        if transform is None:
            return None
        self.tables.database = self.manifest.services[dataset.service].database
        return analyse(transform.sql, self.tables, self.tables.database)

    def lineage(self, dataset: Dataset, key: str) -> Lineage | None:
        """The lineage of a transform; None of one with a mistake."""
        analysed = self.analysed(dataset)
        if analysed is None or dataset.transform is None:
            return None
        query, node = analysed.query, analysed.node
        if query is None or node is None or any(one.severity == "error" for one in analysed.findings):
            return None
        from dapflow.trino.analysis import lineage, meaning, usage  # noqa: PLC0415 (see above)

        traced = lineage(query)
        columns = None
        if analysed.columns is not None:
            columns = tuple(
                LineageColumn(column.name.lower(), column.type, self._origins(origins))
                for column, origins in zip(analysed.columns, traced.columns, strict=True)
            )
        reads = tuple(self._read(one, dataset.transform.sql) for one in usage(query))
        return Lineage(key, meaning(query, node), columns, self._origins(traced.rows), reads)

    def _origins(self, origins: Iterable[TableOrigin]) -> tuple[Origin, ...]:
        return tuple(sorted(Origin(self._owner(one.table), one.column, one.how) for one in origins))

    def _owner(self, table: tuple[str, ...]) -> str:
        """The dataset that a table is of; the table's own name where it is none of the project."""
        database = self.tables.logical(table[-2]) if len(table) > 1 else self.tables.database
        return self._owners.get((database, table[-1]), ".".join(table))

    def _read(self, one: TableUse, sql: str) -> TableRead:
        place = one.place
        assert place is not None  # noqa: S101 - the tables of a project are no views
        conditions = tuple(sql[part.place.start : part.place.end] for part in one.partition_conditions)
        return TableRead(place.start, place.end, self._owner(one.table), one.columns, conditions)
