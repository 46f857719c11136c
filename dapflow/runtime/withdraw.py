"""The way back: a generation is taken out of its dataset, and the current view goes back to the newest that remains."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.runtime import glue_parameters
from dapflow.runtime.attempts import published_runs, withdrawn_runs
from dapflow.runtime.aws import PassingError
from dapflow.runtime.bounds import not_before
from dapflow.runtime.catalog import Partition, StaleTableError
from dapflow.runtime.current_view import shown_generation
from dapflow.runtime.finish import show_newest
from dapflow.runtime.generation import Generation
from dapflow.runtime.recording import record_taken_out
from dapflow.runtime.target import Target

_TRIES = 5
_SHOWN = 5


def withdraw(target: Target, environment: Environment, generation: Generation, by: str) -> Generation | None:
    """Take a generation out; which one the current view shows now, None when no generation remains.

    Its objects are deleted by the sweep after the time of grace, so that queries which read it can end. Raises
    DapflowError ``nothing-to-withdraw``. Every step can be repeated. ``by``: who does it, for the record.
    """
    catalog, place, dataset = target.catalog, target.place, target.dataset
    listed = catalog.partitions(place.database, place.history, not_before(dataset.generation, generation))
    partitions = [partition for partition in listed if partition.generation == generation]
    if not partitions:
        there = sorted(
            {
                partition.generation
                for partition in catalog.partitions(place.database, place.history)
                if partition.generation
            }
        )
        newest = ", ".join(str(day) for day in reversed(there[-_SHOWN:]))
        raise DapflowError(
            "nothing-to-withdraw",
            f"{dataset.id} has no generation {generation}",
            hint=f"its newest: {newest}" if newest else "nothing of it is published",
        )
    note_withdrawn(target, partitions)
    record_taken_out(target, environment, "withdraw", partitions, by)
    target.journal.replaced(
        f"withdrawn-{uuid.uuid4().hex[:16]}", sorted({partition.location for partition in partitions})
    )
    # First the view, so that no reader finds it empty; and once more, in case a run refreshed it in between.
    show_newest(target, without=generation)
    for partition in partitions:
        catalog.delete_partition(place.database, place.history, partition.values)
    return show_what_remains(target)


def show_what_remains(target: Target) -> Generation | None:
    """Let the current view show the newest generation; where none remains, remove it. Gives back which one it is."""
    current = show_newest(target)
    if current is None:
        hide(target)
    return current


def hide(target: Target) -> None:
    """Remove the current view, unless someone else wrote it."""
    view = target.catalog.table(target.place.database, target.place.current)
    if view is not None and shown_generation(view) is not None:
        target.catalog.delete_table(target.place.database, target.place.current)


def note_withdrawn(target: Target, partitions: Sequence[Partition]) -> None:
    """Note which queries made these generations, so that no retry takes up one whose objects will be swept."""
    place = target.place
    for _ in range(_TRIES):
        table = target.catalog.table(place.database, place.history)
        if table is None:
            return
        runs = withdrawn_runs(table).union(*(published_runs(partition) for partition in partitions))
        parameters = {**table.get("Parameters", {}), glue_parameters.WITHDRAWN: ",".join(sorted(runs))}
        try:
            target.catalog.update_table(place.database, table, {"Parameters": parameters})
        except StaleTableError:
            continue
        return
    raise PassingError("busy", f"the table {place.database}.{place.history} is changed by others all the time")
