"""By which columns the rows of a product's generation are told apart, because of how its text is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dapflow.lineage import ProductLineage
from dapflow.manifest import Dataset, Manifest
from dapflow.review.project_lineage import ProjectLineage, upstream


class ProductKeys:
    """The keys of products, each of which is looked for once; of the ``wanted``, and of what these read.

    ``known`` is what was found of the project's lineage before. The `unique` checks of what is read count as well.
    """

    def __init__(self, manifest: Manifest, wanted: Iterable[str], known: Mapping[str, ProductLineage]) -> None:
        self.project = ProjectLineage(manifest)
        self.keys: dict[str, tuple[str, ...]] = {}
        chosen = upstream(manifest, wanted)
        self.project.lineages([read for read in manifest.datasets.values() if read.id in chosen], known)

    def of_text(self, dataset: Dataset) -> tuple[str, ...]:
        """The columns that tell the rows of a transform apart, by its text alone; empty where none are known to."""
        from dapflow.trino.analysis import UniqueColumns  # noqa: PLC0415 (nothing but a difference in data needs it)

        analysed = self.project.analysed(dataset)
        if analysed is None or analysed.query is None or analysed.columns is None:
            return ()
        places = UniqueColumns(self._of_table).of(analysed.query)
        return tuple(analysed.columns[place].name.lower() for place in places)

    def _of_table(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        """Of a table that shows one generation. Histories hold a key again and again."""
        dataset = self.project.manifest.datasets.get(self.project.owner(parts))
        if dataset is None or parts[-1] != dataset.current:
            return ()
        if dataset.id not in self.keys:
            # What reads itself has no key by that.
            self.keys[dataset.id] = ()
            self.keys[dataset.id] = next(iter(dataset.unique_keys), ()) or self.of_text(dataset)
        return self.keys[dataset.id]
