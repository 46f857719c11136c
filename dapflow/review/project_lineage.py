"""The lineage of a project's transforms: where their columns come from, what they read, and what they mean."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dapflow import __version__
from dapflow.errors import DapflowError
from dapflow.lineage import ColumnOrigin, LineageColumn, ProductLineage, TableRead
from dapflow.manifest import Dataset, Manifest
from dapflow.processes import shared
from dapflow.review.dataset_levels import levels
from dapflow.review.project_tables import ProjectTables
from dapflow.sql import SqlText
from dapflow.sql.refusals import refusal
from dapflow.trino.catalogue import ColumnMetadata

if TYPE_CHECKING:
    from dapflow.trino.analysis import Analysed, Derivation, Origin, TableUse

#: To be raised when another lineage, or another hash of meaning, is to come of the same text before the next release.
_RULES = (__version__, 1)


class DatasetPart(NamedTuple):
    """A column of a dataset, or its rows where ``column`` is None."""

    dataset: str
    column: str | None


@dataclass(frozen=True)
class PartDerivation:
    """How a part of a product derives from parts of what it reads: equal digests, by equal ways."""

    digest: str
    inputs: frozenset[DatasetPart]


@dataclass(frozen=True)
class ProductDerivation:
    """How the rows of a product and its columns, by name and in order, derive from what it reads."""

    rows: PartDerivation
    columns: dict[str, PartDerivation]


def lineages(
    manifest: Manifest, wanted: Collection[str] | None = None, before: Mapping[str, ProductLineage] | None = None
) -> dict[str, ProductLineage]:
    """The lineage of transforms by id: of all, or of the ``wanted`` and of those that they read.

    What ``before`` says of a transform is kept where its text and all that it reads are the same. A transform with a
    mistake, which ``dapflow check`` finds, has none.
    """
    project = ProjectLineage(manifest)
    chosen = set(manifest.datasets) if wanted is None else upstream(manifest, wanted)
    return project.lineages([dataset for dataset in manifest.datasets.values() if dataset.id in chosen], before or {})


def mistake(manifest: Manifest, dataset: Dataset) -> DapflowError | None:
    """What is wrong with a transform that has no lineage."""
    project = ProjectLineage(manifest)
    project.lineages([read for read in manifest.datasets.values() if read.id in upstream(manifest, [dataset.id])], {})
    transform, analysed = dataset.transform, project.analysed(dataset)
    if transform is None or analysed is None or not analysed.findings:
        return None
    return refusal(SqlText(transform.sql, transform.file), analysed.findings[0].error())


def upstream(manifest: Manifest, wanted: Iterable[str]) -> set[str]:
    """Datasets and all that they are made of."""
    upstream: set[str] = set()
    open_ends = list(wanted)
    while open_ends:
        identity = open_ends.pop()
        if identity not in upstream:
            upstream.add(identity)
            open_ends += manifest.datasets[identity].depends_on
    return upstream


class ProjectLineage:
    """The tables of a project, and which datasets they are of. ``products`` is the lineage that was found, by id."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.products: dict[str, ProductLineage] = {}
        self.tables = ProjectTables(manifest)
        #: Hashes of datasets by id, and the datasets whose tables are not made known yet.
        self._hashes: dict[str, str] = {}
        self._looked_at: list[tuple[Dataset, ProductLineage | None]] = []
        self._owners: dict[tuple[str, str], str] = {}
        for dataset in manifest.datasets.values():
            for name in (dataset.current, dataset.history, f"{dataset.history}$partitions"):
                self._owners[dataset.database, name] = dataset.id

    def lineages(
        self, datasets: Collection[Dataset], before: Mapping[str, ProductLineage]
    ) -> dict[str, ProductLineage]:
        """The lineage of transforms by id; each comes after what it reads."""
        products: dict[str, ProductLineage | None] = {}
        for level in levels(datasets):
            changed = []
            for dataset in level:
                if dataset.transform is None:
                    continue
                key, product = self._key(dataset), before.get(dataset.id)
                if product is not None and product.key == key:
                    products[dataset.id] = product
                else:
                    changed.append((dataset.id, key))
            if changed:
                self.make_known()
                for (name, _), product in zip(changed, shared(self.lineage, changed), strict=True):
                    products[name] = product
            for dataset in level:
                self._looked_at.append((dataset, products.get(dataset.id)))
                self._hashes[dataset.id] = self._hash(dataset, products.get(dataset.id))
        named = ((dataset.id, products.get(dataset.id)) for dataset in datasets)
        self.products = {name: product for name, product in named if product is not None}
        return self.products

    def _key(self, dataset: Dataset) -> str:
        """What the lineage of a transform is made of, as a hash."""
        sql = dataset.transform.sql if dataset.transform is not None else ""
        inputs = [self._hashes.get(identity, "") for identity in dataset.depends_on]
        own = [dataset.id, dataset.database, dataset.history, *dataset.generation.partition_names]
        return _hash_of([_RULES, sql, self.manifest.services[dataset.service].database, own, inputs])

    @staticmethod
    def _hash(dataset: Dataset, product: ProductLineage | None) -> str:
        """What those that read a dataset see of it, as a hash."""
        columns = dataset.columns or (product.columns if product is not None else None) or ()
        names = [dataset.id, dataset.database, dataset.current, dataset.history, *dataset.generation.partition_names]
        return _hash_of([names, dataset.has_generations, *(f"{column.name} {column.type}" for column in columns)])

    def analysed(self, dataset: Dataset) -> Analysed | None:
        """The analysis of a transform."""
        from dapflow.trino.analysis import analyse  # noqa: PLC0415 (no text that is unchanged needs it)

        transform = dataset.transform
        if transform is None:
            return None
        self.make_known()
        self.tables.database = self.manifest.services[dataset.service].database
        return analyse(transform.sql, self.tables, self.tables.database)

    def make_known(self) -> None:
        """Make the tables known of what has been looked at."""
        for dataset, product in self._looked_at:
            self.tables.add_declared(dataset)
            if product is not None and product.columns is not None:
                self.tables.add(dataset, [ColumnMetadata(column.name, column.type) for column in product.columns])
        self._looked_at.clear()

    def lineage(self, named: tuple[str, str]) -> ProductLineage | None:
        """The lineage of a transform by its id and key; None of one with a mistake, or nested too deeply to follow."""
        name, key = named
        dataset = self.manifest.datasets[name]
        analysed, transform = self.analysed(dataset), dataset.transform
        if analysed is None or transform is None or any(finding.severity == "error" for finding in analysed.findings):
            return None
        try:
            return self._traced(analysed, transform.sql, key)
        except RecursionError:
            return None

    def _traced(self, analysed: Analysed, sql: str, key: str) -> ProductLineage | None:
        from dapflow.trino.analysis import lineage, meaning, usage  # noqa: PLC0415 (see above)

        query, node = analysed.query, analysed.node
        if query is None or node is None:
            return None
        traced = lineage(query)
        columns, named = None, analysed.columns
        if named is not None:
            columns = tuple(
                LineageColumn(column.name.lower(), column.type, self._origins(origins))
                for column, origins in zip(named, traced.columns, strict=True)
            )
        reads = tuple(self._read(use, sql) for use in usage(query))
        return ProductLineage(key, meaning(query, node), columns, self._origins(traced.rows), reads)

    def derivation(self, dataset: Dataset) -> ProductDerivation | None:
        """How a transform derives from what it reads, once all of that has been looked at.

        One of which not everything could be checked has none.
        """
        from dapflow.trino.analysis import derivations as derive  # noqa: PLC0415 (see above)

        analysed = self.analysed(dataset)
        if analysed is None or analysed.query is None or analysed.columns is None or analysed.findings:
            return None
        derived = derive(analysed.query)
        if derived is None:
            return None
        names = [column.name.lower() for column in analysed.columns]
        columns = dict(zip(names, map(self._part, derived.columns), strict=True))
        return ProductDerivation(self._part(derived.rows), columns)

    def _part(self, derivation: Derivation) -> PartDerivation:
        inputs = (DatasetPart(self.owner(part.table), part.column) for part in derivation.inputs)
        return PartDerivation(derivation.digest, frozenset(inputs))

    def _origins(self, origins: Iterable[Origin]) -> tuple[ColumnOrigin, ...]:
        return tuple(sorted(ColumnOrigin(self.owner(origin.table), origin.column, origin.how) for origin in origins))

    def owner(self, table: tuple[str, ...]) -> str:
        """The dataset that a table is of; the table's own name where it is none of the project."""
        database = self.tables.logical(table[-2]) if len(table) > 1 else self.tables.database
        return self._owners.get((database, table[-1]), ".".join(table))

    def _read(self, use: TableUse, sql: str) -> TableRead:
        place = use.place
        assert place is not None  # noqa: S101 - the tables of a project are no views
        conditions = tuple(sql[part.place.start : part.place.end] for part in use.partition_conditions)
        return TableRead(place.start, place.end, self.owner(use.table), use.columns, conditions)


def _hash_of(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
