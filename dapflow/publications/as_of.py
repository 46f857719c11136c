"""A query over tables as they were on a day: their names, and nothing else, are replaced, as for a run of that day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest, Reference, Transform
from dapflow.runtime.aws import Clients, PassingError, aws_errors
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.damage import check_undamaged
from dapflow.runtime.generation import Generation
from dapflow.runtime.inputs import Input
from dapflow.runtime.pinning import Pin, pinning_edits
from dapflow.runtime.reading import Reading
from dapflow.runtime.text_edits import edited


@dataclass(frozen=True)
class ReadAsOf:
    """What is read of a dataset: its newest generation of the day or before, its history up to the day, or both.

    Both are empty for what has no generations: it is read as it is.
    """

    dataset: str
    generation: Generation | None
    history: bool

    def said(self, day: Generation) -> str:
        """In a line."""
        if self.generation is None and not self.history:
            return f"{self.dataset} is read as it is: it has no generations"
        if self.generation is None:
            return f"the history of {self.dataset} is read up to {day}"
        return f"{self.dataset} is read as of {self.generation}" + (
            f", its history up to {day}" if self.history else ""
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as ``--json`` prints them."""
        generation = str(self.generation) if self.generation else None
        return {"dataset": self.dataset, "generation": generation, "history": self.history}


@dataclass(frozen=True)
class QueryAsOf:
    """The text that is sent for a day, and what it reads."""

    day: Generation
    sql: str
    read: tuple[ReadAsOf, ...]

    def notes(self) -> list[str]:
        """What it reads, line by line."""
        return [read.said(self.day) for read in self.read]


def query_as_of(
    clients: Clients,
    manifest: Manifest,
    environment: Environment,
    sql: str,
    references: Sequence[Reference],
    day: Generation,
) -> QueryAsOf:
    """Pin the tables that a query names: a current view to its newest generation of ``day`` or before, a history to
    all of them.

    Raises DapflowError ``not-published`` where there was none yet, ``damaged-generation`` where it is not whole.
    """
    catalog = GlueCatalog(clients.glue)
    reader = _reader(sql, references)
    pins: dict[str, Pin] = {}
    read = []
    for dataset_id in dict.fromkeys(reference.dataset for reference in references):
        own = tuple(reference for reference in references if reference.dataset == dataset_id)
        try:
            with aws_errors():
                inputs = Reading(catalog, manifest, environment, reader, day, own).inputs()
                check_undamaged(clients.s3, inputs.partitions)
        except PassingError as error:
            if error.code != "not-published":
                raise
            message = f"{dataset_id} had no generation on {day}: it has none of that day or before"
            raise DapflowError(error.code, message, hint=f"`dapflow history {dataset_id}` lists what it has") from None
        pins |= inputs.pins
        read.append(_read(inputs.read[0], own))
    return QueryAsOf(day, edited(sql, pinning_edits(references, manifest, environment, pins)), tuple(read))


def _read(read: Input, references: Sequence[Reference]) -> ReadAsOf:
    kinds = {reference.kind for reference in references}
    shown = Generation.parse(read.generation) if read.generation and "current" in kinds else None
    return ReadAsOf(read.dataset, shown, bool(read.history))


def _reader(sql: str, references: Sequence[Reference]) -> Dataset:
    """What reads as the query does: a product that nobody makes, for which any older generation will do."""
    slower = tuple({reference.dataset for reference in references})
    transform = Transform("", sql, "", tuple(references), "new", None, slower_inputs=slower)
    return Dataset("", "refined", "query", "", "", "", transform=transform)
