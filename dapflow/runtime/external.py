"""Tables that something else makes: read as they are, or generation by generation where they have generations.

Nothing here writes to such a table. Of a dataset with generations the platform makes the current view, unless something
else has made one: that is left alone, and reads go to the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.runtime.aws import PassingError
from dapflow.runtime.bounds import not_before, of_generation
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.current_view import Seen, refresh_current_view, shown_generation
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import check_keys, history_columns
from dapflow.runtime.target import Target

_PARTS = ("_year", "_month", "_day", "_date")
_TEXT = ("string", "varchar")


def version(catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, generation: Generation) -> str:
    """What Glue says of the state of a table without generations: ``version 3`` or ``updated 2024-06-05T…``.

    A table format that keeps its own snapshots, as Iceberg does, changes the version with each of them; files that are
    added to a plain table change neither. Raises DapflowError ``external-table`` or ``generation-columns``.
    """
    table = external_table(catalog, dataset, place, place.current)
    keys = [str(key["Name"]) for key in table.get("PartitionKeys", ())]
    prefix = keys[0].removesuffix(_PARTS[0]) if keys else ""
    if keys[:4] == [f"{prefix}{part}" for part in _PARTS]:
        raise DapflowError(
            "generation-columns",
            f"{place.database}.{place.current} is partitioned by {', '.join(keys)}: it holds generations, and read as "
            "it is, it would show all of them at once",
            hint=f"write generations: {{prefix: {prefix}}} for {dataset.id} in service.yml",
        )
    _check_not_newer(catalog, dataset, place, keys, generation)
    if table.get("VersionId"):
        return f"version {table['VersionId']}"
    updated = table.get("UpdateTime")
    return f"updated {updated.isoformat()}" if updated else "no version"


def external_table(catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, name: str) -> dict[str, Any]:
    """A table of an external dataset as Glue describes it. Raises DapflowError ``external-table``."""
    table = catalog.table(place.database, name)
    if table is None:
        raise DapflowError(
            "external-table",
            f"{dataset.id} has no table {place.database}.{name}: what makes it has not made it here",
            hint="create it in Glue, or correct current: and history: in service.yml",
        )
    return table


def is_ours(view: dict[str, Any] | None) -> bool:
    """Whether the platform made a current view, so that what it shows is known."""
    return view is not None and shown_generation(view) is not None


def read_columns(catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation) -> tuple[str, ...]:
    """The columns of an external history: those that its current view has, or would have."""
    table = external_table(catalog, dataset, place, place.history)
    _check_generations(catalog, dataset, place, table)
    return (*(column.name for column in history_columns(table)), *dataset.generation.partition_names)


def show(target: Target, generation: Generation) -> Generation | None:
    """Let the current view show the newest generation of an external history; which one that is.

    None where something else made the current view. Raises PassingError ``external-missing`` while the history has no
    such generation, DapflowError ``external-table``, ``generation-columns`` or ``name-taken``.
    """
    dataset, place, catalog = target.dataset, target.place, target.catalog
    table = external_table(catalog, dataset, place, place.history)
    _check_generations(catalog, dataset, place, table)
    expression = not_before(dataset.generation, generation)
    if not of_generation(catalog.partitions(place.database, place.history, expression), generation):
        raise PassingError(
            "external-missing",
            f"{place.database}.{place.history} has no generation {generation}: what makes it has not made it yet",
            hint=f"run again when it has; a partition needs {dataset.generation.names[3]} = {generation.key}",
        )
    view = catalog.table(place.database, place.current)
    if view is not None and view.get("TableType") == "VIRTUAL_VIEW" and not is_ours(view):
        return None
    columns = history_columns(table)

    def look() -> Seen:
        return Seen(catalog.table(place.database, place.current), columns)

    return refresh_current_view(catalog, dataset, place, look, seen=Seen(view, columns))


def _check_not_newer(
    catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, keys: Sequence[str], generation: Generation
) -> None:
    """Raise DapflowError ``newer-partitions`` for a table without generations that holds days after a run's.

    It may be partitioned by some of the generation columns, mostly by the date alone. Read as it is, a run for a past
    date would find the newest day there, by ``max(import_date)`` as by no condition at all.
    """
    *day, date = names = dataset.generation.names
    if date not in keys and not set(day) <= set(keys):
        return
    for partition in catalog.partitions(place.database, place.current):
        values = dict(zip(keys, partition.values, strict=False))
        held = Generation.of_values([values.get(name, "") for name in names])
        if held is not None and held > generation:
            raise DapflowError(
                "newer-partitions",
                f"{place.database}.{place.current} has rows of {held}, and a run of {generation} would read them: the "
                "table is declared without generations, so that it is read as it is",
                hint=f"run {held} or a later date; or let what makes the table partition it by {', '.join(names)} "
                f"(all string), call it {place.history}, and write generations: true for {dataset.id} in service.yml",
            )


def _check_generations(catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, table: dict[str, Any]) -> None:
    check_keys(catalog, dataset, place, table)
    for key in table.get("PartitionKeys", ()):
        if str(key.get("Type")).lower().partition("(")[0] not in _TEXT:
            raise DapflowError(
                "generation-columns",
                f"partition column {key['Name']} of {place.database}.{place.history} is {key.get('Type')}, not string",
                hint="partitions are asked for by text; let what makes the table declare them as string",
            )
