"""ORC and Avro files, through libraries: read into the converted form, and written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
from pyarrow import orc

from dapflow.athena.catalog.hive_types import from_hive
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.formats import avro_codecs
from dapflow.athena.formats.arrow_types import arrow_type
from dapflow.athena.formats.format_reader import FormatReader
from dapflow.athena.formats.parquet_form import write
from dapflow.athena.storage.locations import Location
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.types import Type

_BATCH = 50_000
avro_codecs.register()


def orc_reader(columns: list[dict[str, Any]], properties: dict[str, str]) -> FormatReader:
    """ORC: by position as in Athena, by name where the SerDe's properties say so."""
    names = [column["Name"].lower() for column in columns]
    by_name = properties.get("orc.column.index.access", "true").lower() == "false"

    def convert(source: Path, part: Path, place: Location) -> None:
        try:
            file = orc.ORCFile(source)
            schema = file.schema
            in_file = [name.lower() for name in schema.names] if by_name else names[: len(schema.names)]
            kept = list(range(len(in_file)))
            renamed = pa.schema([pa.field(in_file[index], _plain(schema.field(index).type)) for index in kept])
            write(part, (_stripe(file, index, renamed) for index in range(file.nstripes)), renamed)
        except (pa.ArrowException, OSError) as error:
            raise QueryFailed("HIVE_CURSOR_ERROR", f"Failed to read ORC file: {place}: the file is damaged") from error

    return FormatReader(f"orc {by_name} {names}", convert)


def _plain(kind: Any) -> Any:
    """Nanoseconds are more than a table has."""
    return pa.timestamp("us") if pa.types.is_timestamp(kind) else kind


def _stripe(file: Any, index: int, schema: pa.Schema) -> pa.Table:
    batch = file.read_stripe(index)
    columns = [batch.column(position).cast(field.type, safe=False) for position, field in enumerate(schema)]
    return pa.table(columns, schema=schema)


def avro_reader(columns: list[dict[str, Any]]) -> FormatReader:
    """Avro: by name."""
    kinds = [(column["Name"].lower(), from_hive(column.get("Type") or "string")) for column in columns]
    schema = pa.schema([(name, arrow_type(kind)) for name, kind in kinds])

    def convert(source: Path, part: Path, place: Location) -> None:
        try:
            with source.open("rb") as stream:
                write(part, _records(fastavro.reader(stream), kinds, schema), schema)
        except (pa.ArrowException, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
            raise QueryFailed("HIVE_CURSOR_ERROR", f"Failed to read Avro file: {place}") from error

    return FormatReader(f"avro {kinds}", convert, lambda _name, value, _kind: value)


def _records(reader: Any, kinds: list[tuple[str, Type]], schema: pa.Schema) -> Iterator[pa.Table]:
    rows: list[dict[str, Any]] = []
    for record in reader:
        rows.append({name.lower(): value for name, value in record.items()})
        if len(rows) >= _BATCH:
            yield _table(rows, kinds, schema)
            rows = []
    yield _table(rows, kinds, schema)


def _table(rows: list[dict[str, Any]], kinds: list[tuple[str, Type]], schema: pa.Schema) -> pa.Table:
    arrays = []
    for name, kind in kinds:
        values = [_value(row.get(name), kind) for row in rows]
        arrays.append(pa.array(values, arrow_type(kind)))
    return pa.table(arrays, schema=schema)


def _value(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    if kind.base == "timestamp" and isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    if kind.base == "array":
        return [_value(item, kind.args[0]) for item in value]
    if kind.base == "map":
        return [(key, _value(item, kind.args[1])) for key, item in value.items()]
    if kind.base == "row":
        lower = {name.lower(): item for name, item in value.items()}
        return {
            name: _value(lower.get(name.lower()), part) for name, part in zip(field_names(kind), kind.args, strict=True)
        }
    return value


def write_orc(table: pa.Table, file: Path, compression: str) -> None:
    """Write an ORC file."""
    known = {"ZLIB": "zlib", "GZIP": "zlib", "SNAPPY": "snappy", "ZSTD": "zstd", "LZ4": "lz4", "NONE": "uncompressed"}
    if compression not in known:
        raise QueryFailed("INVALID_PROPERTY", f"Unsupported compression {compression} for format ORC")
    orc.write_table(table, str(file), compression=known[compression])


def write_avro(table: pa.Table, kinds: list[tuple[str, Type]], file: Path, compression: str) -> None:
    """Write an Avro file."""
    known = {
        "GZIP": "deflate",
        "DEFLATE": "deflate",
        "NONE": "null",
        "BZIP2": "bzip2",
        "SNAPPY": "snappy",
        "ZSTD": "zstandard",
    }
    if compression not in known:
        raise QueryFailed("INVALID_PROPERTY", f"Unsupported compression {compression} for format AVRO")
    names = iter(range(1_000_000))
    fields = [{"name": name, "type": ["null", _avro_type(kind, names)], "default": None} for name, kind in kinds]
    schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
    rows = (
        {name: _written(row[name], kind) for name, kind in kinds}
        for batch in table.to_batches()
        for row in batch.to_pylist()
    )
    with file.open("wb") as stream:
        fastavro.writer(stream, schema, rows, codec=known[compression])


_AVRO: dict[str, Any] = {
    "boolean": "boolean",
    "tinyint": "int",
    "smallint": "int",
    "integer": "int",
    "bigint": "long",
    "real": "float",
    "double": "double",
    "varchar": "string",
    "char": "string",
    "varbinary": "bytes",
    "date": {"type": "int", "logicalType": "date"},
    "timestamp": {"type": "long", "logicalType": "local-timestamp-millis"},
}


def _avro_type(kind: Type, names: Iterator[int]) -> Any:
    if kind.base == "decimal":
        return {"type": "bytes", "logicalType": "decimal", "precision": kind.precision, "scale": kind.scale}
    if kind.base == "array":
        return {"type": "array", "items": ["null", _avro_type(kind.args[0], names)]}
    if kind.base == "map":
        return {"type": "map", "values": ["null", _avro_type(kind.args[1], names)]}
    if kind.base == "row":
        fields = [
            {"name": name, "type": ["null", _avro_type(part, names)], "default": None}
            for name, part in zip(field_names(kind), kind.args, strict=True)
        ]
        return {"type": "record", "name": f"row{next(names)}", "fields": fields}
    return _AVRO[kind.base]


def _written(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    if kind.base == "map":
        return {str(key): _written(item, kind.args[1]) for key, item in value}
    if kind.base == "array":
        return [_written(item, kind.args[0]) for item in value]
    if kind.base == "row":
        return {name: _written(value[name], part) for name, part in zip(field_names(kind), kind.args, strict=True)}
    return value
