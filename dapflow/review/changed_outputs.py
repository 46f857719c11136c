"""Columns of products that are gone or of another type since the project was last compiled, and who reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dapflow.errors import DapflowError
from dapflow.lineage import ProductLineage
from dapflow.manifest import Dataset, Manifest
from dapflow.review.exact_readers import exact_readers
from dapflow.review.glue_columns import UNKNOWN, glue_columns
from dapflow.review.project_lineage import lineages
from dapflow.runtime.column_changes import ColumnChange, widens
from dapflow.runtime.column_readers import ReadingProduct


@dataclass(frozen=True)
class ChangedColumn:
    """A column of a product that is not what the compiled manifest says, and the products that read it by their texts.

    A reader of a column that is gone and that its text still names is in the findings of ``check`` already.
    """

    dataset: str
    file: str
    change: ColumnChange
    readers: tuple[ReadingProduct, ...]

    def findings(self, manifest: Manifest) -> list[DapflowError]:
        """A mistake for each reader, at the place of its text."""
        return [] if self.change.lost else [self._finding(reader, manifest) for reader in self.readers]

    def _finding(self, reader: ReadingProduct, manifest: Manifest) -> DapflowError:
        transform = manifest.datasets[reader.dataset].transform
        lines = transform.sql.splitlines() if transform else []
        return DapflowError(
            "changed-input",
            f"{self.change} in {self.dataset} ({self.file}), and {reader.dataset} reads it",
            file=reader.file,
            line=reader.line,
            column=reader.at,
            source=lines[reader.line - 1] if reader.line <= len(lines) else None,
            hint="give the new column another name, or CAST it back; dapflow compile takes the new type for granted "
            "where nothing has been published yet",
        )

    def __str__(self) -> str:
        """In words, with those who read it."""
        listed = ", ".join(map(str, self.readers))
        readers = f"it is read by {listed}" if self.readers else "nobody in the project reads it"
        return f"Changed: {self.change} in {self.dataset} ({self.file}) since dapflow compile; {readers}."

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        change = {"column": self.change.name, "was": self.change.was, "now": self.change.now}
        readers = [reader.as_dict() for reader in self.readers]
        return {"dataset": self.dataset, "file": self.file, **change, "readers": readers}


def changed_columns(manifest: Manifest, compiled: Mapping[str, ProductLineage]) -> list[ChangedColumn]:
    """The columns that ``compiled`` has and the project has not, or of a type that is not wider; with their readers."""
    names = [name for name in compiled if name in manifest.datasets]
    now = lineages(manifest, names, compiled)
    changed = []
    for name in names:
        dataset, lineage = manifest.datasets[name], now.get(name)
        if lineage is None or dataset.transform is None or lineage.key == compiled[name].key:
            continue
        breaking = _breaking(dataset, compiled[name], lineage)
        readers = exact_readers(manifest, name, [change.name for change in breaking])
        for change in breaking:
            reading = tuple(reader for reader in readers if reader.column == change.name)
            changed.append(ChangedColumn(name, dataset.transform.file, change, reading))
    return changed


def _breaking(dataset: Dataset, before: ProductLineage, now: ProductLineage) -> list[ColumnChange]:
    columns, columns_before = glue_columns(now), glue_columns(before)
    if columns is None or columns_before is None:
        return []
    types = {column.name: column.type for column in columns}
    known = {column.name: column.type for column in columns_before}
    return [
        ColumnChange(name, kind, types.get(name))
        for name, kind in known.items()
        if name not in dataset.generation.partition_names
        and types.get(name) != kind
        and not (name in types and (widens(kind, types[name]) or UNKNOWN in (kind, types[name])))
    ]
