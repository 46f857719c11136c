"""What the products of a project hold, as hashes that can be compared with those of another version of the project.

The hash of a column is made of how the text derives it, and of the hashes of what it derives from; so is that of the
rows. What a change does not reach has the hashes that it had, whatever has changed around it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass

from dapflow.manifest import Dataset
from dapflow.review.project_lineage import DatasetPart, PartDerivation, ProjectLineage


@dataclass(frozen=True)
class ProductContent:
    """Hashes of what a product holds: of its rows, and of each column by name, in the product's order."""

    rows: str
    columns: dict[str, str]


class ProjectContents:
    """What products hold, in one version of a project.

    Args:
        project: whose lineage has been found.
        looked_at: ids of the products that may hold something else in the other version. All else counts as the same.
    """

    def __init__(self, project: ProjectLineage, looked_at: Collection[str]) -> None:
        self._manifest = manifest = project.manifest
        self._lineage = project.products
        derived = ((name, project.derivation(manifest.datasets[name])) for name in looked_at)
        self.derivations = {name: derivation for name, derivation in derived if derivation is not None}
        self._contents: dict[str, ProductContent] = {}
        # What a product reads comes before it, so its content is known by then.
        for dataset in manifest.datasets.values():
            if dataset.id in looked_at and dataset.transform is not None:
                self._contents[dataset.id] = self._content(dataset)

    def of(self, product: str) -> ProductContent:
        """What a product that is looked at holds."""
        return self._contents[product]

    def part(self, part: DatasetPart) -> str:
        """The hash of a part of any dataset."""
        content = self._contents.get(part.dataset)
        if content is None:
            return "/".join(name or "" for name in part)
        if part.column is None:
            return content.rows
        if part.column in content.columns:
            return content.columns[part.column]
        if part.column in self._manifest.datasets[part.dataset].generation.partition_names:
            # The platform's own, and so the run's.
            return part.column
        return _hash_of([content.rows, content.columns])

    def _content(self, dataset: Dataset) -> ProductContent:
        transform, derived = dataset.transform, self.derivations.get(dataset.id)
        assert transform is not None  # noqa: S101 - the caller looked
        if derived is None:
            lineage = self._lineage.get(dataset.id)
            inputs = frozenset(DatasetPart(name, "*") for name in dataset.depends_on)
            whole = self._hash(PartDerivation(lineage.meaning if lineage else transform.sha, inputs), dataset)
            columns = lineage.columns if lineage and lineage.columns else ()
            return ProductContent(whole, {column.name: whole for column in columns})
        rows = _hash_of([self._hash(derived.rows, dataset), sorted(transform.slower_inputs)])
        return ProductContent(rows, {name: self._hash(part, dataset) for name, part in derived.columns.items()})

    def _hash(self, derivation: PartDerivation, dataset: Dataset) -> str:
        # What a product reads of its own past is what this very text has put there.
        inputs = [part for part in derivation.inputs if part.dataset != dataset.id]
        return _hash_of([derivation.digest, sorted([*map(str, part), self.part(part)] for part in inputs)])


def _hash_of(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
