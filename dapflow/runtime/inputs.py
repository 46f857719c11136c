"""What a transform is about to read: which generation of which dataset, and how that is written into its text."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset, Manifest
from dapflow.runtime import external
from dapflow.runtime.catalog import Catalog
from dapflow.runtime.current_view import newest_generation, shown_generation
from dapflow.runtime.generation import Generation, newest
from dapflow.runtime.pinning import Pin
from dapflow.runtime.place import Place


@dataclass(frozen=True)
class Inputs:
    """The inputs of one run.

    Attributes:
        pins: datasets whose current view shows a generation newer than the run's.
        as_it_is: tables without generations that something else makes, and what Glue says of their state.
        identity: names what is read, so that a query over older data is not taken for this one.
        notes: what a person should know.
    """

    pins: dict[str, Pin]
    as_it_is: dict[str, str]
    identity: tuple[str, ...]
    notes: tuple[str, ...]


def read_inputs(
    catalog: Catalog, manifest: Manifest, environment: Environment, dataset: Dataset, generation: Generation
) -> Inputs:
    """Look up what the current views that a transform names show.

    A view that shows the run's generation, or an older one where that is the newest, is read as it is. One that is
    ahead is pinned to the newest generation that is not after the run's; so is one that the platform did not make. A
    table without generations is read as it is. Raises DapflowError ``not-published`` or ``external-table``.
    """
    assert dataset.transform is not None  # noqa: S101 (a raw dataset reads nothing)
    pins: dict[str, Pin] = {}
    identity: list[str] = []
    as_it_is: dict[str, str] = {}
    notes: list[str] = []
    current = {each.dataset for each in dataset.transform.references if each.kind == "current"}
    for name in sorted(current):
        read = manifest.dataset(name)
        place = Place.of(read, environment)
        if not read.has_generations:
            as_it_is[name] = external.version(catalog, read, place)
            notes.append(f"{dataset.id} reads {name} as it is ({as_it_is[name]})")
            identity += [name, as_it_is[name]]
            continue
        if read.external and not external.is_ours(catalog.table(place.database, place.current)):
            columns = external.read_columns(catalog, read, place)
            pins[name] = Pin(_pin(catalog, read, place, generation, dataset), columns)
            notes.append(f"{dataset.id} reads {name} as of {pins[name].generation}, from its history")
            identity += [name, pins[name].generation.key, _run_id(catalog, read, place, pins[name].generation)]
            continue
        shown = _shown(catalog, read, place)
        if shown is None:
            raise DapflowError(
                "not-published",
                f"{dataset.id} reads {name}, which has no generation yet",
                file=dataset.transform.file,
                hint=f"publish {name} first",
            )
        if shown > generation:
            shown = _pin(catalog, read, place, generation, dataset)
            pins[name] = Pin(shown, _view_columns(catalog, read, place))
            notes.append(f"{dataset.id} reads {name} as of {shown}")
        elif shown < generation:
            notes.append(f"{dataset.id} reads {name} as of {shown}, its newest generation")
        identity += [name, shown.key, _run_id(catalog, read, place, shown)]
    return Inputs(pins, as_it_is, tuple(identity), tuple(notes))


def _shown(catalog: Catalog, read: Dataset, place: Place) -> Generation | None:
    view = catalog.table(place.database, place.current)
    if view is None:
        return None
    return shown_generation(view) or newest_generation(catalog, read, place, None)


def _pin(catalog: Catalog, read: Dataset, place: Place, generation: Generation, dataset: Dataset) -> Generation:
    expression = f"{read.generation.names[3]} <= '{generation.key}'"
    partitions = catalog.partitions(place.database, place.history, expression)
    found = newest((each.generation for each in partitions if each.generation), not_after=generation)
    if read.external:
        for each in partitions:
            if each.generation == found:
                external.check_values(read, place, each)
    if found is None:
        raise DapflowError(
            "not-published",
            f"{dataset.id} reads {read.id}, which has no generation at {generation} or before",
            file=dataset.transform.file if dataset.transform else None,
            hint=f"publish {read.id} for {generation} first",
        )
    return found


def _view_columns(catalog: Catalog, read: Dataset, place: Place) -> tuple[str, ...]:
    view = catalog.table(place.database, place.current) or {}
    return tuple(column["Name"] for column in view.get("StorageDescriptor", {}).get("Columns", ()))


def _run_id(catalog: Catalog, read: Dataset, place: Place, generation: Generation) -> str:
    partition = None
    if not read.generation.extra:
        partition = catalog.partition(place.database, place.history, generation.values)
    return partition.location if partition else ""
