"""A history begins anew: a first draft must not keep its columns for ever, where nobody relies on them yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.accepted_changes import forget_accepted
from dapflow.runtime.generation import Generation
from dapflow.runtime.recording import record_taken_out
from dapflow.runtime.schema_comparison import schema_error
from dapflow.runtime.target import Target
from dapflow.runtime.withdraw import hide, note_withdrawn, show_what_remains


def reset(target: Target, environment: Environment, by: str) -> Generation | None:
    """Take every generation out; one that a run published meanwhile stays, and is given back.

    The history table stays, empty: the next publication gives it its columns. Objects are deleted by the sweep after
    the time of grace, so that queries which read them can end. Every step can be repeated. Raises DapflowError
    ``live-environment`` and ``nothing-to-reset``. ``by``: who does it, for the records.
    """
    check_resettable(target.dataset, environment)
    catalog, place = target.catalog, target.place
    partitions = catalog.partitions(place.database, place.history)
    if not partitions:
        # A reset that was killed may have left the view.
        hide(target)
        raise DapflowError("nothing-to-reset", f"nothing of {target.dataset.id} is published in {environment.name}")
    note_withdrawn(target, partitions)
    record_taken_out(target, environment, "reset", partitions, by)
    target.journal.replaced(f"reset-{uuid.uuid4().hex[:16]}", sorted({partition.location for partition in partitions}))
    # First the view, so that no reader finds it empty.
    hide(target)
    for partition in partitions:
        now = catalog.partition(place.database, place.history, partition.values)
        if now is not None and now.location == partition.location:  # else a run has published it anew
            catalog.delete_partition(place.database, place.history, partition.values)
    forget_accepted(catalog, place)
    return show_what_remains(target)


def check_resettable(dataset: Dataset, environment: Environment) -> None:
    """Raise DapflowError ``live-environment`` where a history must not be taken away."""
    if not environment.throw_away:
        raise DapflowError(
            "live-environment",
            f"the history of {dataset.id} in {environment.name} is not for a command to take away",
            hint="publish under a new name; dapflow reset works on the embedded platform and in branch environments",
        )
    if dataset.external or not environment.publishes(dataset.id):
        raise DapflowError("nothing-to-reset", f"{dataset.id} is not published in {environment.name}, only read there")


@contextmanager
def advised(dataset: Dataset, environment: Environment) -> Iterator[None]:
    """Say of a breaking change how the history can begin anew, where it can."""
    try:
        yield
    except DapflowError as error:
        schema = schema_error(error)
        if schema is not None and environment.throw_away:
            where = " --branch NAME (on AWS with --environment HOST)" if environment.branch else ""
            begins = f"dapflow reset {dataset.id}{where} begins a new history here"
            schema.hint = f"{begins}. Where data are live: {schema.hint}"
        raise
