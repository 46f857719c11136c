"""Who reads columns of a dataset, by what the texts of the project mean."""

from __future__ import annotations

from collections.abc import Collection

from dapflow.manifest import Manifest
from dapflow.review.project_lineage import lineages
from dapflow.runtime.column_readers import ReadingProduct, column_readers


def exact_readers(manifest: Manifest, dataset_id: str, columns: Collection[str]) -> list[ReadingProduct]:
    """The products that read these columns. One that has no lineage counts by the names in its text."""
    products = [product.id for product in manifest.datasets.values() if dataset_id in product.depends_on]
    read_by: dict[str, set[str]] = {}
    for product, lineage in lineages(manifest, products).items():
        reads = [read for read in lineage.reads if read.dataset == dataset_id]
        if "*" not in {column for read in reads for column in read.columns}:
            read_by[product] = {column for read in reads for column in read.columns}
    return column_readers(manifest, dataset_id, columns, read_by)
