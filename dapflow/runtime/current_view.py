"""The current view of a dataset: exactly one generation of its history, written to Glue directly.

Literal generation values let Athena prune to one generation, and the explicit column list is what Athena compares with
the table, so the view never goes stale between publications.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Column, Dataset
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import PassingError
from dapflow.runtime.bounds import is_generation, not_before, of_generation
from dapflow.runtime.catalog import GlueCatalog, Partition, StaleTableError
from dapflow.runtime.column_types import trino_type
from dapflow.runtime.dataset_location import DatasetLocation, quoted
from dapflow.runtime.generation import Generation, newest

_PRESTO_VIEW = "/* Presto View: {} */"
_TRIES = 5


def view_sql(dataset: Dataset, place: DatasetLocation, columns: Sequence[Column], shown: Sequence[Partition]) -> str:
    """The SELECT of the current view: exactly these partitions of the history, however their values are written."""
    names = [column.name for column in columns] + list(dataset.generation.partition_names)
    listed = ", ".join(quoted(name) for name in names)
    return f"SELECT {listed}{_source(place, is_generation(dataset.generation, shown))}"


def _source(place: DatasetLocation, condition: str) -> str:
    return f" FROM {quoted(place.database, place.history)} WHERE {condition}"


def view_table(
    dataset: Dataset,
    place: DatasetLocation,
    columns: Sequence[Column],
    generation: Generation,
    shown: Sequence[Partition],
) -> dict[str, Any]:
    """The view of a generation, which is these partitions, as Glue takes it."""
    all_columns = [*columns, *(Column(name, "string") for name in dataset.generation.partition_names)]
    definition = {
        "originalSql": view_sql(dataset, place, columns, shown),
        "catalog": "awsdatacatalog",
        "schema": place.database,
        "columns": [{"name": column.name, "type": trino_type(column.type)} for column in all_columns],
    }
    encoded = base64.b64encode(json.dumps(definition).encode()).decode()
    return {
        "Name": place.current,
        "Description": (dataset.description or f"The newest generation of {place.history}")[:2048],
        "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [glue_column(column) for column in all_columns],
            "Location": "",
            "SerdeInfo": {},
        },
        "ViewOriginalText": _PRESTO_VIEW.format(encoded),
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {
            "presto_view": "true",
            "comment": "Presto View",
            **parameters_of(dataset),
            glue_parameters.GENERATION: generation.key,
        },
    }


def view_definition(table: dict[str, Any]) -> dict[str, Any] | None:
    """What a view's text says: ``originalSql``, ``columns`` …; None when the table is no view of Athena's."""
    head, tail = _PRESTO_VIEW.split("{}")
    text = str(table.get("ViewOriginalText") or "").strip()
    if not (text.startswith(head) and text.endswith(tail)):
        return None
    definition: dict[str, Any] = json.loads(base64.b64decode(text[len(head) : -len(tail)]))
    return definition


def shown_generation(view: dict[str, Any]) -> Generation | None:
    """The generation that a current view shows, as it says itself; None for a view that someone else wrote."""
    key = view.get("Parameters", {}).get(glue_parameters.GENERATION)
    return Generation.parse(key) if key else None


def view_shows(view: dict[str, Any], place: DatasetLocation, condition: str) -> bool:
    """Whether a view shows columns of the history as they are, under this condition and no other, whoever wrote it."""
    definition = view_definition(view)
    if definition is None:
        return False
    listed = ", ".join(quoted(column["name"]) for column in definition["columns"])
    return definition.get("originalSql") == f"SELECT {listed}{_source(place, condition)}"


def newest_partitions(
    catalog: GlueCatalog,
    dataset: Dataset,
    place: DatasetLocation,
    since: Generation | None,
    without: Generation | None = None,
) -> list[Partition]:
    """The newest generation in the history, as its partitions; none while there is no generation.

    ``since`` is one that is known, so that Glue need not list the older.
    """

    def newest_among(expression: str | None) -> list[Partition]:
        listed = catalog.partitions(place.database, place.history, expression)
        there = newest(day for partition in listed if (day := partition.generation) and day != without)
        return of_generation(listed, there) if there else []

    return (newest_among(not_before(dataset.generation, since)) if since else []) or newest_among(None)


@dataclass(frozen=True)
class Seen:
    """A current view, None while there is none, and the columns that its history had when it was looked at after it.

    Columns that are older than the view could take away what another run has just added to it.
    """

    view: dict[str, Any] | None
    columns: Sequence[Column]


def refresh_current_view(
    catalog: GlueCatalog,
    dataset: Dataset,
    place: DatasetLocation,
    look: Callable[[], Seen],
    *,
    seen: Seen | None = None,
    without: Generation | None = None,
) -> Generation | None:
    """Let the current view show the newest generation of the history, ``without`` one that will be gone; which it is.

    Two runs may do this at once: a change is guarded by the version of the view that was ``seen``, and begun again with
    another ``look`` when someone was faster.
    """
    for _ in range(_TRIES):
        now = seen or look()
        seen = None
        check_current(dataset, place, now.view)
        shown = shown_generation(now.view) if now.view else None
        partitions = newest_partitions(catalog, dataset, place, shown, without)
        generation = partitions[0].generation if partitions else None
        if generation is None:
            return None
        view = view_table(dataset, place, now.columns, generation, partitions)
        try:
            if now.view is None:
                catalog.create_table(place.database, view)
            elif _differs(now.view, view):
                catalog.update_table(place.database, now.view, view)
            else:
                return generation  # whoever published since makes the view show it
        except StaleTableError:
            continue
        newer = newest_partitions(catalog, dataset, place, generation, without)
        if {partition.values for partition in newer} == {partition.values for partition in partitions}:
            return generation
    raise PassingError("busy", f"the current view {place.database}.{place.current} is changed by others all the time")


def _differs(before: dict[str, Any], view: dict[str, Any]) -> bool:
    if any(before.get(key) != view[key] for key in ("ViewOriginalText", "Parameters", "Description")):
        return True
    return _comments(before) != _comments(view)


def _comments(table: dict[str, Any]) -> list[str]:
    return [column.get("Comment", "") for column in table["StorageDescriptor"]["Columns"]]


def parameters_of(dataset: Dataset) -> dict[str, str]:
    """What the tables of a dataset say of it in their parameters: whose they are, and its tags."""
    tags = dataset.transform.tags if dataset.transform else ()
    return {glue_parameters.DATASET: dataset.id, **({glue_parameters.TAGS: ", ".join(tags)} if tags else {})}


def check_current(dataset: Dataset, place: DatasetLocation, table: dict[str, Any] | None) -> None:
    """Raise DapflowError ``name-taken`` when what has the current view's name is not a view."""
    if table is not None and table.get("TableType") != "VIRTUAL_VIEW":
        raise DapflowError(
            "name-taken",
            f"{place.database}.{place.current} is a table, so it cannot become the current view of {dataset.id}",
            hint="rename that table, or let the service use `naming: latest` in service.yml",
        )


def glue_column(column: Column) -> dict[str, str]:
    """A column as Glue takes it."""
    comment = {"Comment": column.comment[:255]} if column.comment else {}
    return {"Name": column.name, "Type": column.type, **comment}
