"""Partitions: add, drop, rename, find by MSCK REPAIR TABLE."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from dapflow.athena.catalog.metastore import partition_input
from dapflow.athena.catalog.partitions import partition_path, table_location
from dapflow.athena.ddl import failures, model
from dapflow.athena.ddl.tables import check_location, check_names, need_table, spec_text, spec_values
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.results import TEXT, StatementOutcome
from dapflow.athena.engine.session import Work


def keys_of(table: dict[str, Any]) -> list[str]:
    """Names of the partition columns."""
    return [column["Name"].lower() for column in table.get("PartitionKeys") or []]


def new_partition(table: dict[str, Any], values: list[str], location: str) -> dict[str, Any]:
    """The PartitionInput of a partition in the table's format."""
    storage = {key: value for key, value in table["StorageDescriptor"].items() if value is not None}
    return {"Values": values, "StorageDescriptor": {**storage, "Location": location}, "Parameters": {}}


def add_partitions(context: Context, work: Work, statement: model.AddPartitions) -> StatementOutcome:
    """ALTER TABLE … ADD PARTITION."""
    database, table = need_table(context, work, statement.target)
    keys, base = keys_of(table), str(table_location(table).prefix)
    inputs = []
    for spec, location in statement.partitions:
        values = spec_values(table, spec)
        place = check_location(location) if location is not None else f"{base}{partition_path(keys, values)}"
        inputs.append(new_partition(table, values, place))
    if not statement.if_not_exists:
        for item in inputs:
            if context.metastore.partition(database, table["Name"], item["Values"]) is not None:
                raise failures.execution("AlreadyExistsException(message:Partition already exists.)")
    context.metastore.create_partitions(database, table["Name"], inputs)
    return StatementOutcome(TEXT)


def drop_partitions(context: Context, work: Work, statement: model.DropPartitions) -> StatementOutcome:
    """ALTER TABLE … DROP PARTITION; a specification may leave partition columns out."""
    database, table = need_table(context, work, statement.target)
    keys = keys_of(table)
    registered = [item["Values"] for item in context.metastore.partitions(database, table["Name"])]
    for spec in statement.partitions:
        check_names(spec, keys)
        chosen = [
            values for values in registered if all(values[keys.index(key)] == value for key, value in spec.items())
        ]
        if not chosen and not statement.if_exists:
            raise failures.semantic(10006, f"Partition not found {spec_text(spec)}")
        context.metastore.drop_partitions(database, table["Name"], chosen)
        registered = [values for values in registered if values not in chosen]
    return StatementOutcome(TEXT)


def rename_partition(context: Context, work: Work, statement: model.RenamePartition) -> StatementOutcome:
    """ALTER TABLE … PARTITION … RENAME TO PARTITION."""
    database, table = need_table(context, work, statement.target)
    old, new = spec_values(table, statement.old), spec_values(table, statement.new)
    partition = context.metastore.partition(database, table["Name"], old)
    if partition is None:
        raise failures.semantic(10006, f"Partition not found {spec_text(statement.old)}")
    if context.metastore.partition(database, table["Name"], new) is not None:
        raise failures.execution("AlreadyExistsException(message:Partition already exists.)")
    context.metastore.update_partition(database, table["Name"], old, {**partition_input(partition), "Values": new})
    return StatementOutcome(TEXT)


def repair_table(context: Context, work: Work, statement: model.RepairTable) -> StatementOutcome:
    """MSCK REPAIR TABLE: registers the folders ``key=value/…`` below the table's location; removes nothing."""
    database, table = need_table(context, work, statement.target)
    keys, base = keys_of(table), table_location(table).prefix
    if not keys:
        return StatementOutcome(TEXT)
    registered = {tuple(item["Values"]) for item in context.metastore.partitions(database, table["Name"])}
    locations: dict[tuple[str, ...], str] = {}
    for item in context.store.list_objects(base):
        parts = item.location.key[len(base.key) :].split("/")[:-1]
        values = _values(keys, parts)
        if values is not None and values not in registered:
            locations.setdefault(values, str(base.child("/".join(parts[: len(keys)]))))
    inputs = [new_partition(table, list(values), location) for values, location in sorted(locations.items())]
    context.metastore.create_partitions(database, table["Name"], inputs)
    if not locations:
        return StatementOutcome(TEXT)
    named = [f"{table['Name']}:{partition_path(keys, values)}" for values in sorted(locations)]
    lines = ["Partitions not in metastore:\t" + "\t".join(named)]
    lines += [f"Repair: Added partition to metastore {name}" for name in named]
    return StatementOutcome(TEXT, lines=lines)


def _values(keys: list[str], parts: list[str]) -> tuple[str, ...] | None:
    if len(parts) < len(keys):
        return None
    values = []
    for key, part in zip(keys, parts, strict=False):
        name, sign, value = part.partition("=")
        # Folders in capitals are no partitions to Athena, whatever the column was called when the table was made.
        if not sign or name != key or not value:
            return None
        values.append(unquote(value))
    return tuple(values)
