"""Tables: create, drop, alter."""

from __future__ import annotations

import time
from typing import Any

from dapflow.athena.catalog.metastore import partition_input, table_input
from dapflow.athena.catalog.views import is_view
from dapflow.athena.ddl import failures, model
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.results import TEXT, StatementOutcome
from dapflow.athena.engine.session import Work
from dapflow.athena.engine.target_names import target_of
from dapflow.athena.storage.locations import parse_location


def located(work: Work, target: tuple[str, ...]) -> tuple[str, str]:
    """Database and table; without a session database that is ``default``, as for the Hive side."""
    return target_of(target, work.execution.database or "default")


def need_table(context: Context, work: Work, target: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    """The database's name and the table. Raises QueryFailed."""
    database, name = located(work, target)
    table = context.metastore.table(database, name)
    if table is None:
        raise failures.no_table(".".join(target))
    return database, table


def glue_columns(columns: tuple[model.HiveColumn, ...]) -> list[dict[str, Any]]:
    """Columns as Glue has them."""
    return [
        {"Name": column.name, "Type": column.type, **({"Comment": column.comment} if column.comment else {})}
        for column in columns
    ]


def check_location(location: str | None) -> str:
    """An S3 URI that a table may be at."""
    if not location:
        raise failures.execution(
            "MetaException(message:Got exception: java.io.IOException Can not create a Path from an empty string)"
        )
    if parse_location(location) is None:
        raise QueryFailed(
            "", f"FAILED: IllegalArgumentException LOCATION must be an S3 path such as s3://bucket/folder/: {location}"
        )
    return location


def create_table(context: Context, work: Work, statement: model.CreateTable) -> StatementOutcome:
    """CREATE EXTERNAL TABLE."""
    database, name = located(work, statement.target)
    if context.metastore.database(database) is None:
        raise failures.no_database(database)
    if context.metastore.table(database, name) is not None:
        if statement.if_not_exists:
            return StatementOutcome(TEXT)
        raise failures.execution(f"AlreadyExistsException(message:Table {name} already exists)")
    parameters = {"EXTERNAL": "TRUE", "transient_lastDdlTime": str(int(time.time())), **statement.properties}
    if statement.comment is not None:
        parameters["comment"] = statement.comment
    storage = statement.storage
    table = {
        "Name": name,
        "Owner": "hadoop",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": glue_columns(statement.partition_columns),
        "StorageDescriptor": {
            "Columns": glue_columns(statement.columns),
            # As for Hive, a path has no slash at its end.
            "Location": check_location(statement.location).rstrip("/"),
            "InputFormat": storage.input_format,
            "OutputFormat": storage.output_format,
            "Compressed": False,
            "NumberOfBuckets": statement.buckets,
            "SerdeInfo": {"SerializationLibrary": storage.serde, "Parameters": storage.properties},
            "BucketColumns": list(statement.bucket_columns),
            "SortColumns": [],
            "Parameters": {},
            "StoredAsSubDirectories": False,
        },
    }
    if statement.comment is not None:
        table["Description"] = statement.comment
    context.metastore.create_table(database, table)
    return StatementOutcome(TEXT)


def drop_table(context: Context, work: Work, statement: model.DropTable) -> StatementOutcome:
    """DROP TABLE: the catalog's entry goes, the objects stay."""
    database, name = located(work, statement.target)
    table = context.metastore.table(database, name)
    if table is None:
        if statement.if_exists:
            return StatementOutcome(TEXT)
        raise failures.no_table(f"{database}.{name}")
    if is_view(table):
        raise failures.semantic(10013, f"Cannot drop a view with DROP TABLE: {database}.{name}")
    context.metastore.drop_table(database, name)
    return StatementOutcome(TEXT)


def set_properties(context: Context, work: Work, statement: model.SetProperties) -> StatementOutcome:
    """ALTER TABLE … SET TBLPROPERTIES."""
    database, table = need_table(context, work, statement.target)
    changed = table_input(table)
    changed["Parameters"] = {**(table.get("Parameters") or {}), **statement.properties}
    context.metastore.update_table(database, changed)
    return StatementOutcome(TEXT)


def set_location(context: Context, work: Work, statement: model.SetLocation) -> StatementOutcome:
    """ALTER TABLE … [PARTITION …] SET LOCATION."""
    database, table = need_table(context, work, statement.target)
    location = check_location(statement.location)
    if statement.partition is None:
        changed = table_input(table)
        changed["StorageDescriptor"] = {**table["StorageDescriptor"], "Location": location}
        context.metastore.update_table(database, changed)
        return StatementOutcome(TEXT)
    values = spec_values(table, statement.partition)
    partition = context.metastore.partition(database, table["Name"], values)
    if partition is None:
        raise failures.semantic(10006, f"Partition not found {spec_text(statement.partition)}")
    changed = partition_input(partition)
    changed["StorageDescriptor"] = {**partition["StorageDescriptor"], "Location": location}
    context.metastore.update_partition(database, table["Name"], values, changed)
    return StatementOutcome(TEXT)


def change_columns(context: Context, work: Work, statement: model.ChangeColumns) -> StatementOutcome:
    """ALTER TABLE … ADD COLUMNS, REPLACE COLUMNS. Partition columns are not among them."""
    database, table = need_table(context, work, statement.target)
    if is_view(table):
        raise failures.semantic(10132, "To alter a view you need to use CREATE OR REPLACE VIEW")
    changed = table_input(table)
    storage = dict(table["StorageDescriptor"])
    there = [] if statement.replace else storage.get("Columns", [])
    taken = {column["Name"].lower() for column in [*there, *(table.get("PartitionKeys") or [])]}
    for column in statement.columns:
        if column.name in taken:
            raise failures.execution(f"Duplicate column name: {column.name}")
        taken.add(column.name)
    storage["Columns"] = [*there, *glue_columns(statement.columns)]
    changed["StorageDescriptor"] = storage
    context.metastore.update_table(database, changed)
    return StatementOutcome(TEXT)


def change_column(context: Context, work: Work, statement: model.ChangeColumn) -> StatementOutcome:
    """ALTER TABLE … CHANGE COLUMN."""
    database, table = need_table(context, work, statement.target)
    changed = table_input(table)
    storage = dict(table["StorageDescriptor"])
    columns = list(storage.get("Columns", []))
    index = next((i for i, column in enumerate(columns) if column["Name"].lower() == statement.old), None)
    if index is None:
        raise failures.semantic(10002, f"Invalid column reference {statement.old}")
    columns[index] = glue_columns((statement.column,))[0]
    storage["Columns"] = columns
    changed["StorageDescriptor"] = storage
    context.metastore.update_table(database, changed)
    return StatementOutcome(TEXT)


def spec_values(table: dict[str, Any], spec: model.Spec) -> list[str]:
    """The values of a complete specification, in the order of the partition columns."""
    keys = [column["Name"].lower() for column in table.get("PartitionKeys") or []]
    if not keys:
        raise failures.semantic(10241, f"Table is not partitioned {table['Name']}")
    check_names(spec, keys)
    if len(spec) < len(keys):
        raise failures.missing_keys(spec_text(spec), len(keys))
    return [spec[key] for key in keys]


def check_names(spec: model.Spec, keys: list[str]) -> None:
    """Refuse a specification of columns that are not partition columns."""
    for name in spec:
        if name not in keys:
            raise failures.semantic(10098, f"Non-Partition column appears in the partition specification: {name}")


def spec_text(spec: model.Spec) -> str:
    """A specification for a message."""
    return "{" + ", ".join(f"{key}={value}" for key, value in spec.items()) + "}"
