"""The current view of a dataset: exactly one generation of its history, written to Glue directly.

Literal generation values let Athena prune to one generation, and the explicit column list is what Athena compares with
the table, so the view never goes stale between publications.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Column, Dataset
from dapflow.runtime.aws import PassingError
from dapflow.runtime.bounds import not_before
from dapflow.runtime.catalog import Catalog, StaleTableError
from dapflow.runtime.generation import Generation
from dapflow.runtime.place import Place, quoted
from dapflow.runtime.types import trino_type

GENERATION = "dapflow.generation"
_PRESTO_VIEW = "/* Presto View: {} */"
_TRIES = 5


def view_sql(dataset: Dataset, place: Place, columns: Sequence[Column], generation: Generation) -> str:
    """The SELECT of the current view."""
    names = [column.name for column in columns] + list(dataset.generation.partition_names)
    listed = ", ".join(quoted(name) for name in names)
    return f"SELECT {listed}{_source(place, generation.predicate(dataset.generation))}"


def _source(place: Place, condition: str) -> str:
    return f" FROM {quoted(place.database, place.history)} WHERE {condition}"


def view_table(dataset: Dataset, place: Place, columns: Sequence[Column], generation: Generation) -> dict[str, Any]:
    """The view as Glue takes it."""
    all_columns = [*columns, *(Column(name, "string") for name in dataset.generation.partition_names)]
    definition = {
        "originalSql": view_sql(dataset, place, columns, generation),
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
            "dapflow.dataset": dataset.id,
            GENERATION: generation.key,
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
    key = view.get("Parameters", {}).get(GENERATION)
    return Generation.parse(key) if key else None


def view_shows(view: dict[str, Any], place: Place, condition: str) -> bool:
    """Whether a view reads the history under this condition and no other, whoever wrote it."""
    definition = view_definition(view)
    return definition is not None and str(definition.get("originalSql")).endswith(_source(place, condition))


def newest_generation(
    catalog: Catalog, dataset: Dataset, place: Place, since: Generation | None, without: Generation | None = None
) -> Generation | None:
    """The newest generation in the history; ``since`` is one that is known, so that Glue need not list the older."""

    def found(expression: str | None) -> Generation | None:
        listed = {each.generation for each in catalog.partitions(place.database, place.history, expression)}
        return max((each for each in listed if each and each != without), default=None)

    return (found(not_before(dataset.generation, since)) if since else None) or found(None)


def refresh_current_view(
    catalog: Catalog,
    dataset: Dataset,
    place: Place,
    columns: Callable[[], Sequence[Column]],
    without: Generation | None = None,
) -> Generation | None:
    """Let the current view show the newest generation of the history, ``without`` one that will be gone; which it is.

    ``columns`` gives the history's columns without the partition columns. Two runs may do this at once: a change is
    guarded by the view's version and begun again when someone was faster.
    """
    for _ in range(_TRIES):
        before = catalog.table(place.database, place.current)
        check_current(dataset, place, before)
        shown = shown_generation(before) if before else None
        newest = newest_generation(catalog, dataset, place, shown, without)
        if newest is None:
            return None
        view = view_table(dataset, place, columns(), newest)
        try:
            if before is None:
                catalog.create_table(place.database, view)
            elif any(before.get(key) != view[key] for key in ("ViewOriginalText", "Parameters", "Description")):
                catalog.update_table(place.database, before, view)
        except StaleTableError:
            continue
        if newest_generation(catalog, dataset, place, newest, without) == newest:
            return newest
    raise PassingError("busy", f"the current view {place.database}.{place.current} is changed by others all the time")


def check_current(dataset: Dataset, place: Place, table: dict[str, Any] | None) -> None:
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
