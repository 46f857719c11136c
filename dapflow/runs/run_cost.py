"""What a run will scan and cost, before it is run: by what it would read of what is published now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from dapflow.lineage import ProductLineage
from dapflow.manifest import Dataset
from dapflow.publications.published import Publications
from dapflow.publications.scan_sizes import ScanSizes
from dapflow.runtime.price import scan_usd


@dataclass(frozen=True)
class TableCost:
    """A place that names a table, or landing files.

    Attributes:
        table: as the text means it: an id of a dataset, with ``_history`` where its history is read.
        columns: how many are read, without the partition columns; None for all.
        generations: in how many.
        bytes: the size of these, and ``scanned`` what Athena reads of it; None where nothing is there.
        conditions: on the partition columns, by which Athena may leave generations out; ``scanned`` holds them all.
    """

    table: str
    columns: int | None
    generations: int
    bytes: int | None
    scanned: int | None
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunCost:
    """A run of a dataset: its reads, and what its last publication by a query ``last_scanned``, its checks among it."""

    dataset: str
    reads: tuple[TableCost, ...]
    last_scanned: int | None

    @property
    def scanned(self) -> int | None:
        """Bytes that its query scans; None where nothing is known of one of the tables."""
        sizes = [read.scanned for read in self.reads]
        return None if not sizes or None in sizes else sum(size or 0 for size in sizes)

    @property
    def usd(self) -> float | None:
        """Their list price in dollars."""
        return scan_usd(self.scanned) if self.scanned is not None else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        reads = [{**asdict(read), "conditions": list(read.conditions)} for read in self.reads]
        usd = round(self.usd, 6) if self.usd is not None else None
        return {
            "dataset": self.dataset,
            "scanned": self.scanned,
            "usd": usd,
            "last_scanned": self.last_scanned,
            "reads": reads,
        }


class RunCosts:
    """Asks of each table once. ``lineage`` says which columns products read; without it, all of them."""

    def __init__(self, publications: Publications, lineage: Mapping[str, ProductLineage]) -> None:
        self._publications = publications
        self._lineage = lineage
        self._sizes = ScanSizes(publications)

    def of(self, dataset: Dataset) -> RunCost:
        """What the next run of a dataset costs. Raises DapflowError ``aws``."""
        published = self._publications.of(dataset.id)
        # A roll-back and a copy publish without a query.
        scanned = [made.bytes_scanned for made in published.values() if made.bytes_scanned]
        last = scanned[-1] if scanned else None
        reads = tuple(self.reads(dataset).values()) if dataset.transform is not None else (self._landing(dataset),)
        return RunCost(dataset.id, reads, last)

    def _landing(self, dataset: Dataset) -> TableCost:
        landed = self._sizes.landed(dataset.id)
        if landed is None:
            return TableCost("landing files", None, 0, None, None)
        day, scanned = landed
        return TableCost(f"landing files of {day}, twice", None, 1, scanned, scanned)

    def reads(self, dataset: Dataset) -> dict[int, TableCost]:
        """The tables that a transform reads, by the places of their names in its text. Raises DapflowError ``aws``."""
        product = self._lineage.get(dataset.id)
        uses = {use.start: use for use in product.reads} if product is not None else {}
        costs = {}
        for reference in dataset.transform.references if dataset.transform is not None else ():
            if reference.suffix:
                continue  # of what Glue knows of partitions nothing is scanned
            read = self._publications.manifest.dataset(reference.dataset)
            use = uses.get(reference.start)
            columns = (
                [name for name in use.columns if name not in read.generation.partition_names]
                if use is not None and "*" not in use.columns
                else None
            )
            size = self._sizes.read(read.id, reference.kind, columns)
            history = reference.kind == "history" and read.has_generations
            costs[reference.start] = TableCost(
                f"{read.id}{'_history' if history else ''}",
                len(columns) if columns is not None else None,
                size.generations if size is not None else 0,
                size.bytes if size is not None else None,
                size.scanned if size is not None else None,
                use.partitions if use is not None and history else (),
            )
        return costs
