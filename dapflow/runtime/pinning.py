"""Pinning: a transform's text for another generation or another environment, by replacing the recorded spans alone.

No SQL is parsed here: the compiler recorded where each table is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dapflow.environment import Environment
from dapflow.manifest import Dataset, Manifest, Reference, Transform
from dapflow.runtime.dataset_location import DatasetLocation, physical, quoted
from dapflow.runtime.text_edits import Edit, edited

PARTITIONS = "$partitions"


@dataclass(frozen=True)
class Pin:
    """What a run may read of a dataset, where its tables show something else.

    Attributes:
        columns: those of the history table, partition columns last.
        current: the condition that reads what the current view ought to show; None to read the view as it is.
        history: the condition that reads the generations that the run may read; None to read the history as it is.
        rows: the condition of the rows that it may read of them; empty for all. It needs ``current``, where that is
            read.
    """

    columns: tuple[str, ...]
    current: str | None = None
    history: str | None = None
    rows: str = ""


def pinned_sql(
    transform: Transform, manifest: Manifest, environment: Environment, pins: Mapping[str, Pin] | None = None
) -> str:
    """The text that is sent to Athena.

    ``pins`` holds the datasets that must not be read as they are, by id. Without pins, and with databases that are
    called here as the text calls them, it is the file's text byte for byte.
    """
    return edited(transform.sql, pinning_edits(transform.references, manifest, environment, pins))


def pinning_edits(
    references: Iterable[Reference],
    manifest: Manifest,
    environment: Environment,
    pins: Mapping[str, Pin] | None = None,
    instead: Mapping[tuple[str, str], str] | None = None,
) -> list[Edit]:
    """What is replaced in any text in which tables are named at ``references``; in the order of the text.

    ``instead`` holds what stands in the place of a dataset's tables, by its id and their kind; an alias is added where
    the text gives none.
    """
    edits: list[Edit] = []
    for reference in sorted(references, key=lambda reference: reference.start):
        dataset = manifest.dataset(reference.dataset)
        place = DatasetLocation.of(dataset, environment)
        query = (instead or {}).get((dataset.id, reference.kind)) if not reference.suffix else None
        query = query or _pinned(reference, dataset, place, (pins or {}).get(dataset.id))
        start = reference.start
        if query is not None:
            # ``TABLE t`` is a query, as the subquery is.
            start = reference.start if reference.query is None else reference.query
            alias = "" if reference.alias or reference.query is not None else f" AS {quoted(_name(reference, place))}"
            edits.append((start, reference.end, query + alias))
        elif _is_elsewhere(reference, dataset, place, environment):
            edits.append((start, reference.end, quoted(place.database, _name(reference, place))))
    return edits


def _is_elsewhere(reference: Reference, dataset: Dataset, place: DatasetLocation, environment: Environment) -> bool:
    """Whether the text, left as it is, would not find the table in this environment."""
    written = reference.database or dataset.database
    # A name without a database is looked up in the service's own, and what is external may be in another one.
    return place.database != written or place.database != physical(environment, dataset.database)


def _pinned(reference: Reference, dataset: Dataset, place: DatasetLocation, pin: Pin | None) -> str | None:
    """The subquery that reads what the run may read; None where the table is read as it is."""
    if pin is None or reference.suffix not in ("", PARTITIONS):
        return None
    generations = pin.current if reference.kind == "current" else pin.history
    # Nothing but generations is in a table of partitions.
    rows = "" if reference.suffix else pin.rows
    if generations is None and not rows:
        return None
    condition = f"({generations}) AND {rows}" if generations and rows else generations or rows
    names = dataset.generation.partition_names if reference.suffix else pin.columns
    columns = ", ".join(quoted(name) for name in names)
    table = quoted(place.database, place.history + reference.suffix)
    return f"(SELECT {columns} FROM {table} WHERE {condition})"  # noqa: S608 (identifiers are quoted)


def _name(reference: Reference, place: DatasetLocation) -> str:
    return (place.current if reference.kind == "current" else place.history) + reference.suffix
