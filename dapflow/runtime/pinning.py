"""Pinning: a transform's text for another generation or another environment, by replacing the recorded spans alone.

No SQL is parsed here: the compiler recorded where each table is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dapflow.environment import Environment
from dapflow.manifest import Dataset, Manifest, Reference, Transform
from dapflow.runtime.generation import Generation
from dapflow.runtime.place import Place, physical, quoted


@dataclass(frozen=True)
class Pin:
    """The generation of a dataset that a run reads, and the columns that the current view has."""

    generation: Generation
    columns: tuple[str, ...]


def pinned_sql(
    transform: Transform, manifest: Manifest, environment: Environment, pins: Mapping[str, Pin] | None = None
) -> str:
    """The text that is sent to Athena.

    ``pins`` holds the datasets whose current view must not be read as it is, by id. Without pins, and with databases
    that are called here as the text calls them, it is the file's text byte for byte.
    """
    text = transform.sql
    for reference in sorted(transform.references, key=lambda each: each.start, reverse=True):
        dataset = manifest.dataset(reference.dataset)
        place = Place.of(dataset, environment)
        pin = (pins or {}).get(dataset.id)
        if pin is not None and reference.kind == "current":
            alias = "" if reference.alias else f" AS {quoted(place.current)}"
            columns = ", ".join(quoted(name) for name in pin.columns)
            table = quoted(place.database, place.history)
            where = pin.generation.predicate(dataset.generation)
            replacement = f"(SELECT {columns} FROM {table} WHERE {where}){alias}"  # noqa: S608 (identifiers are quoted)
        elif _is_elsewhere(reference, dataset, place, environment):
            name = place.current if reference.kind == "current" else place.history
            replacement = quoted(place.database, name + reference.suffix)
        else:
            continue
        text = text[: reference.start] + replacement + text[reference.end :]
    return text


def _is_elsewhere(reference: Reference, dataset: Dataset, place: Place, environment: Environment) -> bool:
    """Whether the text, left as it is, would not find the table in this environment."""
    written = reference.database or dataset.database
    # A name without a database is looked up in the service's own, and what is external may be in another one.
    return place.database != written or place.database != physical(environment, dataset.database)
