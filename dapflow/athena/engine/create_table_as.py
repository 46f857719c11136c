"""CREATE TABLE … AS: a query's rows become a table."""

from __future__ import annotations

import time
from typing import Any

from dapflow.athena.catalog.hive_types import to_hive
from dapflow.athena.catalog.partitions import partition_path
from dapflow.athena.ddl.partitions import new_partition
from dapflow.athena.ddl.storage_formats import LAZY_SIMPLE, storage_of
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.queries import check_named, compiled
from dapflow.athena.engine.results import NOTHING, StatementOutcome, output_location
from dapflow.athena.engine.session import Work
from dapflow.athena.engine.target_names import target_of
from dapflow.athena.formats.writer import Writing, Written, write_rows, writing_format
from dapflow.athena.storage.locations import Location, parse_location
from dapflow.trino.duckdb import ColumnMetadata, CompiledQuery, Statement
from dapflow.trino.types import parse_type

_PROPERTIES = frozenset(
    {
        "format",
        "external_location",
        "partitioned_by",
        "bucketed_by",
        "bucket_count",
        "write_compression",
        "parquet_compression",
        "orc_compression",
        "compression_level",
        "field_delimiter",
        "null_format",
        "table_type",
        "is_external",
    }
)


def create_table_as(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """Write the files, then the catalog's entry."""
    database, name = target_of(statement.target, work.execution.database)
    place = f"'awsdatacatalog.{database}.{name}'"
    if context.metastore.database(database) is None:
        raise QueryFailed("SCHEMA_NOT_FOUND", f"line 1:1: Schema '{database}' does not exist")
    if context.metastore.table(database, name) is not None:
        if statement.if_not_exists:
            return written_outcome(Written())
        raise QueryFailed("TABLE_ALREADY_EXISTS", f"line 1:1: Destination table {place} already exists")
    _check_properties(statement.properties)
    query = _named(compiled(context, work, statement), statement.columns)
    target = _target(context, work, statement)
    writing = Writing(
        columns=query.columns,
        target=target,
        format=writing_format(statement.properties.get("format")),
        compression=_compression(statement.properties),
        delimiter=str(statement.properties.get("field_delimiter", "\x01")),
        partition_columns=tuple(_names(statement.properties, "partitioned_by")),
        null_text=str(statement.properties.get("null_format", "\\N")),
    )
    if not context.store.is_empty(target):
        raise QueryFailed(
            "HIVE_PATH_ALREADY_EXISTS",
            f"Target directory for table {place} already exists: {target}. You may need to manually clean the data at "
            f"location '{target}' before retrying. Athena will not delete data in your account.",
        )
    written = write_rows(work, context.store, query, writing) if statement.with_data else Written()
    table = _table(name, writing, statement)
    context.metastore.create_table(database, table)
    register(context, database, table, list(writing.partition_columns), written, target)
    return written_outcome(written)


def written_outcome(written: Written) -> StatementOutcome:
    """What CTAS and INSERT answer: a column ``rows`` without a row, and the number of rows that were written."""
    locations = [file.location for file in written.files]
    return StatementOutcome(NOTHING, (ColumnMetadata("rows", "bigint"),), written=locations, update_count=written.rows)


def register(
    context: Context, database: str, table: dict[str, Any], keys: list[str], written: Written, target: Location
) -> None:
    """Tell the catalog of the partitions that were written."""
    if not keys:
        return
    values = sorted({file.partition for file in written.files})
    context.metastore.create_partitions(
        database,
        table["Name"],
        [new_partition(table, list(item), str(target.child(partition_path(keys, item) + "/"))) for item in values],
    )


def _check_properties(properties: dict[str, object]) -> None:
    if str(properties.get("table_type", "HIVE")).upper() == "ICEBERG":
        raise QueryFailed("NOT_SUPPORTED", "Iceberg tables are not supported")
    unknown = [name for name in properties if name not in _PROPERTIES]
    if unknown:
        raise QueryFailed(
            "INVALID_TABLE_PROPERTY", f"line 1:1: Catalog 'awsdatacatalog' table property '{unknown[0]}' does not exist"
        )
    if ("bucketed_by" in properties) != ("bucket_count" in properties):
        raise QueryFailed("INVALID_TABLE_PROPERTY", "bucketed_by and bucket_count must be specified together")


def _named(query: CompiledQuery, names: tuple[str, ...]) -> CompiledQuery:
    if not names:
        check_named(query)
        return query
    if len(names) != len(query.columns):
        raise QueryFailed(
            "MISMATCHED_COLUMN_ALIASES",
            f"line 1:1: Column alias list has {len(names)} entries but relation has {len(query.columns)} columns",
        )
    columns = tuple(ColumnMetadata(name, column.type) for name, column in zip(names, query.columns, strict=True))
    return CompiledQuery(query.sql, columns, query.scans, query.text_sql, query.ordered)


def _target(context: Context, work: Work, statement: Statement) -> Location:
    wanted = statement.properties.get("external_location")
    if wanted is None:
        # ``output`` is <location>/tables/<query id>, which is where Athena puts such a table.
        return output_location(work.execution).prefix
    if work.execution.enforced_output:
        raise QueryFailed(
            "INVALID_TABLE_PROPERTY",
            "The Create Table As Select query failed because it was submitted with an 'external_location' property to "
            "an Athena Workgroup that enforces a centralized output location for all queries. Please remove the "
            "'external_location' property and resubmit the query.",
        )
    target = parse_location(str(wanted))
    if target is None:
        raise QueryFailed("INVALID_TABLE_PROPERTY", f"External location must be a valid S3 path: {wanted}")
    return target.prefix


def _compression(properties: dict[str, object]) -> str:
    for name in ("write_compression", "parquet_compression", "orc_compression"):
        if name in properties:
            return str(properties[name]).upper()
    return "GZIP"


def _names(properties: dict[str, object], key: str) -> list[str]:
    value = properties.get(key, [])
    if not isinstance(value, list):
        raise QueryFailed("INVALID_TABLE_PROPERTY", f"{key} must be an array of column names")
    return [str(item).lower() for item in value]


def _table(name: str, writing: Writing, statement: Statement) -> dict[str, Any]:
    storage = storage_of(writing.format)
    serde: dict[str, str] = {}
    if storage.serde == LAZY_SIMPLE:
        serde = {"field.delim": writing.delimiter, "serialization.format": writing.delimiter}
        if writing.null_text != "\\N":
            serde["serialization.null.format"] = writing.null_text
    keys = set(writing.partition_columns)
    described = [
        {"Name": column.name, "Type": to_hive(parse_type(column.type)) or "string"} for column in writing.columns
    ]
    count = statement.properties.get("bucket_count", -1)
    return {
        "Name": name,
        "Owner": "hadoop",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {
            "EXTERNAL": "TRUE",
            "auto.purge": "false",
            "has_encrypted_data": "false",
            "numFiles": "-1",
            "totalSize": "-1",
            "transactional": "false",
            "transient_lastDdlTime": str(int(time.time())),
            **({"comment": statement.comment} if statement.comment else {}),
        },
        "PartitionKeys": [column for column in described if column["Name"] in keys],
        "StorageDescriptor": {
            "Columns": [column for column in described if column["Name"] not in keys],
            "Location": str(writing.target).rstrip("/"),
            "InputFormat": storage.input_format,
            "OutputFormat": storage.output_format,
            "Compressed": False,
            "NumberOfBuckets": count if isinstance(count, int) else -1,
            "SerdeInfo": {"Name": name, "SerializationLibrary": storage.serde, "Parameters": serde},
            "BucketColumns": _names(statement.properties, "bucketed_by"),
            "SortColumns": [],
            "Parameters": {},
            "StoredAsSubDirectories": False,
        },
    }
