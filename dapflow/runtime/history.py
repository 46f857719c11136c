"""The history table of a dataset: created on first use, columns compared before every publication."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Column, Dataset
from dapflow.runtime import glue_parameters
from dapflow.runtime.accepted_changes import AcceptedChanges
from dapflow.runtime.aws import PassingError
from dapflow.runtime.catalog import GlueCatalog, StaleTableError
from dapflow.runtime.column_changes import partition_columns, table_columns, widens
from dapflow.runtime.column_types import UnsupportedTypeError, hive_type
from dapflow.runtime.current_view import Seen, check_current, glue_column, parameters_of, refresh_current_view
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.generation import Generation
from dapflow.runtime.schema_comparison import SchemaChangedError, compare_columns

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
        Column(column["Name"], _known(column["Type"]), column.get("Comment"))
        for column in table["StorageDescriptor"]["Columns"]
    ]


def published_table(catalog: GlueCatalog, place: DatasetLocation) -> dict[str, Any] | None:
    """The history table; None as long as nothing has been published with its columns."""
    table = catalog.table(place.database, place.history)
    return table if table is not None and catalog.has_partitions(place.database, place.history) else None


def published_columns(catalog: GlueCatalog, place: DatasetLocation) -> list[Column] | None:
    """The columns of the history table; None as long as nothing has been published with them."""
    table = published_table(catalog, place)
    return history_columns(table) if table is not None else None


def check_history(
    catalog: GlueCatalog,
    dataset: Dataset,
    place: DatasetLocation,
    table: dict[str, Any] | None,
    columns: Sequence[Column],
    generation: Generation,
) -> None:
    """Raise of a history table what the last steps of a publication would raise, and change nothing.

    A current view can only be made where nothing else has its name. That is looked at here for a first publication,
    which is mostly where it fails; the last steps look at it always.
    """
    if table is None:
        check_current(dataset, place, catalog.table(place.database, place.current))
    else:
        _check_columns(catalog, dataset, place, table, columns, generation)


def prepare_history(
    catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, columns: Sequence[Column], generation: Generation
) -> list[Column]:
    """Let there be a history table, and say which columns a new partition of it has.

    The columns of a table that has partitions are left as they are, but for types that get wider: no partition may have
    a wider one than the table. Those of a table without any partition are what a first publication left that failed, or
    a history that begins anew (``dapflow.runtime.reset``).
    Raises DapflowError ``breaking-change``.
    """
    for _ in range(_TRIES):
        table = catalog.table(place.database, place.history)
        try:
            if table is None:
                catalog.create_table(place.database, _new_table(dataset, place, columns))
                return list(columns)
            check_keys(catalog, dataset, place, table)
            fits = _check_columns(catalog, dataset, place, table, columns, generation)
            if fits and _key_names(table) == dataset.generation.partition_names:
                before = history_columns(table)
                _widen(catalog, dataset, place, table, table_columns(before, columns)[: len(before)])
                return partition_columns(before, columns)
            changes = _storage(table, [glue_column(column) for column in columns])
            catalog.update_table(place.database, table, {**changes, "PartitionKeys": _keys(dataset)})
            return list(columns)
        except StaleTableError:
            continue
    raise _busy(place)


def add_columns(
    catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, columns: Sequence[Column]
) -> tuple[list[Column], list[Column]]:
    """Add to the history table what a published partition brought; its columns now, and those that were added.

    Raises DapflowError ``breaking-change`` when another publication has changed the table meanwhile.
    """
    for _ in range(_TRIES):
        table = catalog.table(place.database, place.history)
        if table is None:
            break
        before = history_columns(table)
        # What another publication has added meanwhile is nothing that this one lost.
        added = compare_columns(dataset, before, columns, [column.name for column in before])
        merged = table_columns(before, columns)
        said = _said(dataset, table)
        try:
            if merged != before or any(table.get(key) != value for key, value in said.items()):
                catalog.update_table(place.database, table, {**_storage(table, _spelled(table, merged)), **said})
        except StaleTableError:
            continue
        return merged, added
    raise _busy(place)


def _check_columns(
    catalog: GlueCatalog,
    dataset: Dataset,
    place: DatasetLocation,
    table: dict[str, Any],
    columns: Sequence[Column],
    generation: Generation,
) -> bool:
    """Whether the table has columns that count. Raises DapflowError ``breaking-change`` where ``columns`` break them.

    A publication that ended between its switch and the change of the table left a partition with columns that the
    table lacks. These count too: Athena wants one type for a column's name in the table and in each partition
    (https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html).
    """
    before = history_columns(table)
    try:
        added = compare_columns(dataset, before, columns, AcceptedChanges.of(table).dispensable)
    except SchemaChangedError:
        if not catalog.has_partitions(place.database, place.history):
            return False
        added = compare_columns(
            dataset, before, columns, dispensable_columns(catalog, dataset, place, table, generation)
        )
    types = {column.name: column.type for column in added}
    for partition in catalog.partitions(place.database, place.history, columns=True) if added else ():
        if partition.values == generation.values:
            continue  # this publication replaces it
        for name, kind in partition.columns.items():
            if name in types and _known(kind) != types[name] and not widens(_known(kind), types[name]):
                raise DapflowError(
                    "breaking-change",
                    f"{dataset.id} would break its readers: column {name} is {_known(kind)} in the generation "
                    f"{partition.values[3]}, and is now {types[name]}",
                    file=dataset.transform.file if dataset.transform else None,
                    hint="publish that generation again without the column, or give the column another name",
                )
    return True


def dispensable_columns(
    catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, table: dict[str, Any], generation: Generation
) -> frozenset[str]:
    """The columns that a generation may lack: what was accepted, and of a raw table what came later than it.

    These are the ones that the generation itself lacks as it was published before, or else the one before it.
    """
    accepted = AcceptedChanges.of(table).dispensable
    if dataset.transform is not None:
        return accepted
    published = catalog.partitions(place.database, place.history, columns=True)
    earlier = [part for part in published if part.generation is not None and part.generation <= generation]
    if not earlier:
        return accepted
    newest = max(earlier, key=lambda part: part.generation or generation)
    return accepted.union(column.name for column in history_columns(table) if column.name not in newest.columns)


def _widen(
    catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, table: dict[str, Any], columns: Sequence[Column]
) -> None:
    """Let the table have these types, and before it the current view.

    A view is stale when the table has wider types than it says, and not when it has narrower ones.
    """
    if [column.type for column in columns] == [column.type for column in history_columns(table)]:
        return
    refresh_current_view(catalog, dataset, place, lambda: Seen(catalog.table(place.database, place.current), columns))
    catalog.update_table(place.database, table, _storage(table, _spelled(table, columns)))


def _busy(place: DatasetLocation) -> PassingError:
    return PassingError("busy", f"the table {place.database}.{place.history} is changed by others all the time")


def _known(text: str) -> str:
    try:
        return hive_type(text)
    except UnsupportedTypeError:
        return text


def _storage(table: dict[str, Any], columns: list[dict[str, str]]) -> dict[str, Any]:
    """The storage of a table with other columns."""
    return {"StorageDescriptor": {**table["StorageDescriptor"], "Columns": columns}}


def _spelled(table: dict[str, Any], columns: Sequence[Column]) -> list[dict[str, str]]:
    """Columns as Glue takes them; a type that stays the same stays spelled as the table has it."""
    spelled = {(known["Name"], _known(known["Type"])): known["Type"] for known in table["StorageDescriptor"]["Columns"]}
    return [{**glue_column(column), "Type": spelled.get((column.name, column.type), column.type)} for column in columns]


def _new_table(dataset: Dataset, place: DatasetLocation, columns: Sequence[Column]) -> dict[str, Any]:
    return {
        "Name": place.history,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": _keys(dataset),
        "StorageDescriptor": parquet_storage(columns, place.prefix),
        **_said(dataset, {"Parameters": {"EXTERNAL": "TRUE", "classification": "parquet"}}),
    }


def _said(dataset: Dataset, table: dict[str, Any]) -> dict[str, Any]:
    """What the table says of its dataset; the other parameters are as they were."""
    others = {key: value for key, value in table.get("Parameters", {}).items() if key != glue_parameters.TAGS}
    return {
        "Description": (dataset.description or f"All generations of {dataset.id}")[:2048],
        "Parameters": {**others, **parameters_of(dataset)},
    }


def _key_names(table: dict[str, Any]) -> tuple[str, ...]:
    return tuple(key["Name"] for key in table.get("PartitionKeys", ()))


def _keys(dataset: Dataset) -> list[dict[str, str]]:
    return [{"Name": name, "Type": "string"} for name in dataset.generation.names]


def check_keys(catalog: GlueCatalog, dataset: Dataset, place: DatasetLocation, table: dict[str, Any]) -> None:
    """Raise DapflowError ``generation-columns``, ``extra-columns`` or ``name-taken`` for a history table that is none.

    Its partitions are others than the generations of the dataset.
    """
    if table.get("TableType") == "VIRTUAL_VIEW":
        raise DapflowError(
            "name-taken",
            f"{place.database}.{place.history} is a view, so it cannot be the history of {dataset.id}",
            hint="drop that view, or choose the other `naming` in service.yml",
        )
    keys = _key_names(table)
    if keys == dataset.generation.partition_names:
        return
    ours = glue_parameters.DATASET in table.get("Parameters", {})
    if ours and not catalog.has_partitions(place.database, place.history):
        return  # nothing is in it: the next publication gives it the keys that it needs
    if not dataset.external and keys[:4] == dataset.generation.names:
        further = ", ".join(keys[4:])
        raise DapflowError(
            "extra-columns",
            f"{place.database}.{place.history} has further partition columns, {further}: a generation of {dataset.id} "
            "would be several partitions, which do not change in one moment",
            file=dataset.transform.file if dataset.transform else None,
            hint=f"publish under a new name, with {further} among the columns of the data",
        )
    raise DapflowError(
        "generation-columns",
        f"{place.database}.{place.history} is partitioned by {', '.join(keys) or 'nothing'}, "
        f"{dataset.id} by {', '.join(dataset.generation.partition_names)}",
        hint="let `generation_columns` in service.yml name the columns that the table has; on the embedded platform "
        f"dapflow reset {dataset.id} begins a new history",
    )
