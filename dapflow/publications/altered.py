"""What somebody changed by hand in the catalog, between two publications: the history table, the current view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dapflow.manifest import Dataset
from dapflow.publications.published import Publications
from dapflow.runtime.aws import aws_errors
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.column_types import UnsupportedTypeError, trino_type
from dapflow.runtime.current_view import newest_partitions, shown_generation, view_definition, view_sql
from dapflow.runtime.damage import damages
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation
from dapflow.runtime.history import history_columns


def damaged_generation(publications: Publications, dataset: Dataset, generation: Generation) -> str | None:
    """What is wrong with what lies under a published generation; None where it is whole."""
    place = DatasetLocation.of(dataset, publications.environment)
    with aws_errors():
        partition = GlueCatalog(publications.clients.glue).partition(place.database, place.history, generation.values)
        named = damages(publications.clients.s3, [partition] if partition is not None else [])
        return next((damage.said for damage in named), None)


def altered_tables(publications: Publications, dataset: Dataset) -> Iterator[str]:
    """How the current view and the history table differ from what the last publication left."""
    place = DatasetLocation.of(dataset, publications.environment)
    catalog = GlueCatalog(publications.clients.glue)
    with aws_errors():
        table = catalog.table(place.database, place.history)
        view = catalog.table(place.database, place.current)
        shown = newest_partitions(catalog, dataset, place, None) if table is not None else []
    if table is None or not shown:
        return
    name = f"{place.database}.{place.current}"
    definition = view_definition(view) if view is not None else None
    if view is None:
        yield f"the current view {name} was dropped"
    elif shown_generation(view) is None or definition is None:
        yield f"the current view {name} was replaced by another"
    else:
        columns = history_columns(table)
        differences = list(_differences(table, definition, dataset))
        yield from (f"of the table {place.database}.{place.history}, {difference}" for difference in differences)
        if not differences and definition.get("originalSql") != view_sql(dataset, place, columns, shown):
            yield f"the current view {name} does not show {shown[0].generation} as it was published"


def _differences(table: dict[str, Any], definition: dict[str, Any], dataset: Dataset) -> Iterator[str]:
    """Between the columns of the table and those that the last publication wrote into the view."""
    keys = dataset.generation.partition_names
    written = {column["name"]: column["type"] for column in definition["columns"] if column["name"] not in keys}
    there = {column.name: _spelled(column.type) for column in history_columns(table)}
    for column in sorted(written.keys() | there.keys()):
        if column not in there:
            yield f"column {column} ({written[column]}) was removed"
        elif column not in written:
            yield f"column {column} ({there[column]}) was added"
        elif written[column] != there[column]:
            yield f"column {column} was {written[column]} and is {there[column]}"


def _spelled(hive_type: str) -> str:
    try:
        return trino_type(hive_type)
    except UnsupportedTypeError:
        return hive_type
