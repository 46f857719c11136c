"""INSERT INTO: a query's rows are added to a table."""

from __future__ import annotations

from typing import Any

from dapflow.athena.catalog.partitions import partition_keys, table_location
from dapflow.athena.catalog.projection import is_projected
from dapflow.athena.catalog.session_catalog import columns_of
from dapflow.athena.catalog.views import is_view
from dapflow.athena.ddl.storage_formats import LAZY_SIMPLE
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.create_table_as import register, written_outcome
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.queries import compiled
from dapflow.athena.engine.results import StatementOutcome
from dapflow.athena.engine.session import Work
from dapflow.athena.engine.target_names import target_of
from dapflow.athena.formats.writer import Writing, write_rows
from dapflow.trino.coercion import can_coerce, common
from dapflow.trino.duckdb import ColumnMetadata, CompiledQuery, Statement
from dapflow.trino.duckdb.conversions import convert
from dapflow.trino.duckdb.nodes import Name, Sql, Text, Word, sql
from dapflow.trino.duckdb.printer import printed
from dapflow.trino.duckdb.values import cast, failure, null
from dapflow.trino.types import Type, parse_type

_FORMATS = {
    "ParquetHiveSerDe": "PARQUET",
    "OrcSerde": "ORC",
    "AvroSerDe": "AVRO",
    "LazySimpleSerDe": "TEXTFILE",
    "JsonSerDe": "JSON",
}


def insert(context: Context, work: Work, statement: Statement) -> StatementOutcome:
    """Write the files, then tell the catalog of new partitions."""
    database, name = target_of(statement.target, work.execution.database)
    table = context.metastore.table(database, name)
    if table is None:
        raise QueryFailed("TABLE_NOT_FOUND", f"line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist")
    if is_view(table):
        raise QueryFailed("NOT_SUPPORTED", "line 1:1: Inserting into views is not supported")
    query = _fitted(compiled(context, work, statement), table, statement.columns)
    keys = [key for key, _ in partition_keys(table)]
    writing = _writing(table, query, keys)
    written = write_rows(work, context.store, query, writing)
    if not is_projected(table):
        register(context, database, table, keys, written, writing.target)
    return written_outcome(written)


def _writing(table: dict[str, Any], query: CompiledQuery, keys: list[str]) -> Writing:
    serde = table["StorageDescriptor"].get("SerdeInfo") or {}
    library = str(serde.get("SerializationLibrary") or "")
    format_name = _FORMATS.get(library.rpartition(".")[2])
    if format_name is None:
        raise QueryFailed("NOT_SUPPORTED", f"Inserting into a table with SerDe {library or 'none'} is not supported")
    properties = serde.get("Parameters") or {}
    delimiter = "\x01"
    if library == LAZY_SIMPLE:
        delimiter = properties.get("field.delim") or properties.get("serialization.format") or "\x01"
        delimiter = "\x01" if delimiter == "1" else delimiter
    parameters = table.get("Parameters") or {}
    compression = next(
        (
            str(parameters[key])
            for key in ("write.compression", "parquet.compression", "orc.compress", "write_compression")
            if parameters.get(key)
        ),
        "GZIP",
    )
    return Writing(
        columns=query.columns,
        target=table_location(table).prefix,
        format=format_name,
        compression=compression.upper(),
        delimiter=delimiter,
        partition_columns=tuple(keys),
        null_text=properties.get("serialization.null.format", "\\N"),
    )


def _fitted(query: CompiledQuery, table: dict[str, Any], names: tuple[str, ...]) -> CompiledQuery:
    """The query's columns in the table's order and types; a column that the statement leaves out is NULL."""
    wanted = columns_of(table["StorageDescriptor"].get("Columns", [])) + columns_of(table.get("PartitionKeys") or [])
    known = {column.name for column in wanted}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise QueryFailed(
            "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {unknown[0]}"
        )
    doubled = [name for index, name in enumerate(names) if name in names[:index]]
    if doubled:
        raise QueryFailed(
            "DUPLICATE_COLUMN_NAME", f"line 1:1: Insert column name is specified more than once: {doubled[0]}"
        )
    order = list(names) or [column.name for column in wanted]
    inserted = [column for name in order for column in wanted if column.name == name]
    if len(order) != len(query.columns):
        raise _mismatch(inserted, query)
    parts = []
    for column in wanted:
        value = null(parse_type(column.type))
        if column.name in order:
            index = order.index(column.name)
            source, target = parse_type(query.columns[index].type), parse_type(column.type)
            if not _assignable(source, target):
                raise _mismatch(inserted, query)
            value = _assigned(_result(index), source, target)
        parts.append(sql("$value AS $name", value=value, name=Name(column.name)))
    fitted = sql(
        "SELECT $parts FROM ($query) AS q($names)",
        parts=parts,
        query=Word(query.sql),
        names=[_result(index) for index in range(len(query.columns))],
    )
    return CompiledQuery(printed(fitted), tuple(wanted), query.scans, query.text_sql, query.ordered)


def _result(index: int) -> Name:
    """The name of a column of the query."""
    return Name(f"c{index}")


def _mismatch(wanted: list[ColumnMetadata], query: CompiledQuery) -> QueryFailed:
    table = ", ".join(column.type for column in wanted)
    given = ", ".join(column.type for column in query.columns)
    return QueryFailed(
        "TYPE_MISMATCH", f"line 1:1: Insert query has mismatched column types: Table: [{table}], Query: [{given}]"
    )


def _assignable(source: Type, target: Type) -> bool:
    """Whether Trino assigns: where the types have one in common. What does not fit then fails when it is met."""
    if any(map(_bounded, target.args)):
        return can_coerce(source, target)
    return common(source, target) is not None


def _bounded(t: Type) -> bool:
    return t.length is not None or any(map(_bounded, t.args))


def _assigned(value: Sql, source: Type, target: Type) -> Sql:
    if source == target:
        return value
    if "timestamp_tz" in {source.base, *(part.base for part in source.args)}:
        raise QueryFailed("NOT_SUPPORTED", f"Inserting {source} into a column of type {target} is not supported")
    if target.base in {"varchar", "char"} and target.length is not None and source.base != "unknown":
        message = Text(f"Cannot truncate non-space characters when casting from {source} to {target} on INSERT")
        return sql(
            "CASE WHEN $x IS NULL OR length(rtrim($x, ' ')) <= $length THEN substr($x, 1, $length) ELSE $failed END",
            x=value,
            length=target.length,
            failed=failure("INVALID_CAST_ARGUMENT", message, target),
        )
    return cast(convert(value, source, target), target)
