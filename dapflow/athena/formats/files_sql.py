"""The DuckDB query over the files of a scan."""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict

from dapflow.athena.catalog.partitions import NULL_PARTITION, TablePartition, partition_keys, typed_value
from dapflow.athena.catalog.session_catalog import TableRelation
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.session import Work
from dapflow.athena.formats.column_conversion import Incompatible, conversion
from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.query_files import DataFile
from dapflow.trino.duckdb.storage import duck_type, literal, quote
from dapflow.trino.types import Type, parse_type


def files_sql(
    work: Work,
    relation: TableRelation,
    partitions: list[TablePartition],
    readers: list[FormatReader],
    files: list[DataFile],
    read: set[str],
) -> str:
    """One SELECT for each set of files that DuckDB can read together."""
    groups: dict[tuple[str, int], list[DataFile]] = {}
    for file in files:
        groups.setdefault((file.footer.schema, id(readers[file.partition])), []).append(file)
    selects = [
        _select(work, relation, partitions, readers[group[0].partition], group, read) for group in groups.values()
    ]
    if not selects:
        nothing = [
            f"CAST(NULL AS {duck_type(parse_type(column.type))}) AS {quote(column.name)}"
            for column in (*relation.columns, *relation.hidden)
        ]
        selects = [f"SELECT {', '.join(nothing) or 'NULL'} WHERE false"]
    return "\nUNION ALL\n".join(selects)


def _select(
    work: Work,
    relation: TableRelation,
    partitions: list[TablePartition],
    reader: FormatReader,
    files: list[DataFile],
    read: set[str],
) -> str:
    paths = "[" + ", ".join(literal(str(file.local)) for file in files) + "]"
    # DuckDB would leave out row groups, and take a column for a constant, by statistics that pass over NaN.
    unsure = any(file.footer.unsure & read for file in files)
    source = f"read_parquet({paths}, hive_partitioning = false, can_have_nan = {str(unsure).lower()})"
    wanted = [column for column in relation.columns if column.name in read]
    types: dict[str, str] = {}
    if any(column.name not in relation.partition_columns for column in wanted):
        types = _types_of(work, files[0])
    keys = dict(partition_keys(relation.table))
    parts = []
    for column in relation.columns:
        kind = parse_type(column.type)
        if column.name in keys:
            index = relation.partition_columns.index(column.name)
            values = [partitions[file.partition].values[index] for file in files]
            parts.append(f"{_per_file(column.name, values, kind)} AS {quote(column.name)}")
        elif column.name not in read or column.name not in types:
            parts.append(f"CAST(NULL AS {duck_type(kind)}) AS {quote(column.name)}")
        else:
            parts.append(
                f"{_data_column(reader, files[0], column.name, types[column.name], kind)} AS {quote(column.name)}"
            )
    for column in relation.hidden:
        if column.name in read:
            items = [_hidden(column.name, file, partitions[file.partition], list(keys)) for file in files]
            parts.append(f"{_of_each(items)} AS {quote(column.name)}")
    return f"SELECT {', '.join(parts) or 'NULL'} FROM {source}"


_TYPES_KEPT = 5_000
_types: OrderedDict[str, dict[str, str]] = OrderedDict()


def _types_of(work: Work, file: DataFile) -> dict[str, str]:
    """The DuckDB types of a file's columns, by lower-case name. Files of one schema have the same."""
    types = _types.get(file.footer.schema)
    if types is None:
        sql = f"DESCRIBE SELECT * FROM read_parquet({literal(str(file.local))}, hive_partitioning = false)"
        types = {row[0].lower(): row[1] for row in work.run(sql).fetchall()}
        _types[file.footer.schema] = types
        while len(_types) > _TYPES_KEPT:
            _types.popitem(last=False)
    return types


def _hidden(name: str, file: DataFile, partition: TablePartition, keys: list[str]) -> str:
    """What a hidden column says of a file."""
    if name == "$path":
        return literal(str(file.item.location))
    if name == "$file_size":
        return f"CAST({file.item.size} AS BIGINT)"
    if name == "$file_modified_time":
        moment = file.item.modified.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        kind = duck_type(parse_type("timestamp(3) with time zone"))
        return f"CAST({{'u': TIMESTAMP {literal(moment)}, 'z': 'UTC'}} AS {kind})"
    return literal("/".join(f"{key}={value}" for key, value in zip(keys, partition.values, strict=True)))


def _per_file(name: str, values: list[str], kind: Type) -> str:
    """A partition column."""
    null = f"CAST(NULL AS {duck_type(kind)})"
    return _of_each([null if value == NULL_PARTITION else typed_value(literal(value), name, kind) for value in values])


def _of_each(items: list[str]) -> str:
    """A value that each file has one of, in the order of the files."""
    if len(set(items)) == 1:
        return items[0]
    return f"([{', '.join(items)}])[CAST(file_index AS BIGINT) + 1]"


def _data_column(reader: FormatReader, file: DataFile, name: str, source: str, kind: Type) -> str:
    value = quote(file.footer.names.get(name, name))
    if reader.typed is not None:
        return reader.typed(name, value, kind)
    unit = file.footer.instants.get(name)
    if kind.base == "bigint" and unit:
        # Trino gives the number that is stored: https://github.com/trinodb/trino/pull/9330
        return {"ns": f"epoch_ns({value})", "us": f"epoch_us({value})"}.get(unit, f"epoch_us({value}) // 1000")
    try:
        return conversion(source, kind, value)
    except Incompatible as error:
        raise QueryFailed(
            "HIVE_BAD_DATA",
            f"Field {name}'s type {error} in parquet file {file.item.location} is incompatible with type {kind} "
            "defined in table schema",
        ) from error
