"""The history table of a dataset: created on first use, columns compared before every publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Column, Dataset
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import Catalog, StaleTableError
from dapflow.runtime.current_view import check_current, glue_column
from dapflow.runtime.place import Place
from dapflow.runtime.types import UnsupportedTypeError, hive_type

_TRIES = 5


def parquet_storage(columns: Sequence[Column], location: str) -> dict[str, Any]:
    """Where and how Parquet objects lie, as Glue takes it."""
    return {
        "Columns": [glue_column(column) for column in columns],
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
    }


def history_columns(table: dict[str, Any]) -> list[Column]:
    """The columns of a history table without its partition columns."""
    return [
        Column(each["Name"], _known(each["Type"]), each.get("Comment"))
        for each in table["StorageDescriptor"]["Columns"]
    ]


def compare_columns(dataset: Dataset, before: Sequence[Column], now: Sequence[Column]) -> list[Column]:
    """The columns that are new. Raises DapflowError ``breaking-change`` unless all others are as before, in order.

    Readers of the history rely on names, types and order; columns that are added at the end disturb none of them.
    """
    known = {column.name: column.type for column in before}
    types = {column.name: column.type for column in now}
    complaints = [f"column {name} is gone" for name in known if name not in types]
    complaints += [
        f"column {name} was {known[name]} and is now {kind}"
        for name, kind in types.items()
        if name in known and known[name] != kind
    ]
    names = [column.name for column in now]
    if not complaints and names[: len(known)] != list(known):
        added = [name for name in names[: len(known)] if name not in known]
        complaints = (
            [f"column {name} is new but does not come last" for name in added]
            if added
            else [f"the order of the columns changed from {', '.join(known)} to {', '.join(names)}"]
        )
    if complaints:
        raise DapflowError(
            "breaking-change",
            f"{dataset.id} would break its readers: {'; '.join(complaints)}",
            file=dataset.transform.file if dataset.transform else None,
            hint="only columns added at the end can be published; for anything else publish under a new name",
        )
    return [column for column in now if column.name not in known]


def check_keys(catalog: Catalog, dataset: Dataset, place: Place) -> None:
    """Raise DapflowError ``generation-columns`` when the history table is partitioned by other columns."""
    table = catalog.table(place.database, place.history)
    if table is not None:
        _check_keys(dataset, place, table)


def check_history(catalog: Catalog, dataset: Dataset, place: Place, columns: Sequence[Column]) -> None:
    """Raise what ``ensure_history`` and the refresh of the current view would raise, and change nothing."""
    check_current(dataset, place, catalog.table(place.database, place.current))
    table = catalog.table(place.database, place.history)
    if table is not None:
        _check_keys(dataset, place, table)
        compare_columns(dataset, history_columns(table), columns)


def ensure_history(
    catalog: Catalog, dataset: Dataset, place: Place, columns: Sequence[Column]
) -> tuple[list[Column], list[Column]]:
    """Create the history table or add what is new to it; its columns now, and those that were added."""
    for _ in range(_TRIES):
        table = catalog.table(place.database, place.history)
        try:
            if table is None:
                catalog.create_table(place.database, _new_table(dataset, place, columns))
                return list(columns), []
            _check_keys(dataset, place, table)
            before = history_columns(table)
            added = compare_columns(dataset, before, columns)
            comments = {column.name: column.comment for column in columns}
            merged = [replace(each, comment=comments.get(each.name) or each.comment) for each in before] + added
            if merged != before:
                catalog.update_table(place.database, table, _changed_storage(table, merged))
        except StaleTableError:
            continue
        return merged, added
    raise PassingError("busy", f"the table {place.database}.{place.history} is changed by others all the time")


def _known(text: str) -> str:
    try:
        return hive_type(text)
    except UnsupportedTypeError:
        return text


def _changed_storage(table: dict[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    """The storage with other columns; a type stays spelled as the table has it."""
    spelled = {each["Name"]: each["Type"] for each in table["StorageDescriptor"]["Columns"]}
    new = [{**glue_column(each), "Type": spelled.get(each.name, each.type)} for each in columns]
    return {"StorageDescriptor": {**table["StorageDescriptor"], "Columns": new}}


def _new_table(dataset: Dataset, place: Place, columns: Sequence[Column]) -> dict[str, Any]:
    return {
        "Name": place.history,
        "Description": (dataset.description or f"All generations of {dataset.id}")[:2048],
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": name, "Type": "string"} for name in dataset.generation.partition_names],
        "StorageDescriptor": parquet_storage(columns, place.prefix),
        "Parameters": {"EXTERNAL": "TRUE", "classification": "parquet", "dapflow.dataset": dataset.id},
    }


def _check_keys(dataset: Dataset, place: Place, table: dict[str, Any]) -> None:
    if table.get("TableType") == "VIRTUAL_VIEW":
        raise DapflowError(
            "name-taken",
            f"{place.database}.{place.history} is a view, so it cannot be the history of {dataset.id}",
            hint="drop that view, or choose the other `naming` in service.yml",
        )
    keys = tuple(key["Name"] for key in table.get("PartitionKeys", ()))
    if keys != dataset.generation.partition_names:
        raise DapflowError(
            "generation-columns",
            f"{place.database}.{place.history} is partitioned by {', '.join(keys) or 'nothing'}, "
            f"{dataset.id} by {', '.join(dataset.generation.partition_names)}",
            hint="let `generation_columns` in service.yml name the columns that the table has",
        )
