"""Writing rows to S3: DuckDB writes local files, which are then uploaded. UNLOAD, CTAS and INSERT use it."""

from __future__ import annotations

import random
import string
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import pyarrow.parquet as pq

from dapflow.athena.catalog.hive_types import to_hive
from dapflow.athena.catalog.partitions import NULL_PARTITION, partition_path
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.session import Work
from dapflow.athena.formats.text_output import json_select, text_select
from dapflow.athena.storage.locations import Location
from dapflow.athena.storage.object_store import ObjectStore
from dapflow.trino.duckdb import ColumnMetadata, CompiledQuery
from dapflow.trino.duckdb.storage import duck_type, literal, quote
from dapflow.trino.types import Type, parse_type

PARTITION_LIMIT = 100
_FORMATS = {"PARQUET": "PARQUET", "ORC": "ORC", "AVRO": "AVRO", "JSON": "JSON", "TEXTFILE": "TEXTFILE"}
_COMPRESSIONS = {
    "PARQUET": {"SNAPPY": "snappy", "GZIP": "gzip", "ZSTD": "zstd", "NONE": "uncompressed", "LZ4": "lz4_raw"},
    "TEXTFILE": {"GZIP": "gzip", "NONE": "none", "ZSTD": "zstd"},
}
_SUFFIXES = {"gzip": ".gz", "zstd": ".zst", "none": ""}
# A row group is the least that is read; this many rows is what Athena's own files have, roughly.
_ROW_GROUP_ROWS = 122_880
_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class Writing:
    """What to write, and where. ``target`` ends in ``/``; partition columns are the last columns."""

    columns: tuple[ColumnMetadata, ...]
    target: Location
    format: str = "PARQUET"
    compression: str = "GZIP"
    delimiter: str = "\x01"
    partition_columns: tuple[str, ...] = ()
    null_text: str = "\\N"
    partition_limit: int = PARTITION_LIMIT


@dataclass(frozen=True)
class WrittenFile:
    """A file that was written, and the partition values that its rows have."""

    location: Location
    partition: tuple[str, ...] = ()


@dataclass
class Written:
    """What was written."""

    rows: int = 0
    files: list[WrittenFile] = field(default_factory=list)


def writing_format(name: object) -> str:
    """A format by its name in WITH (…)."""
    chosen = _FORMATS.get(str(name or "PARQUET").upper())
    if chosen is None:
        raise QueryFailed("INVALID_PROPERTY", f"Unsupported format: {name}")
    return chosen


def write_rows(work: Work, store: ObjectStore, query: CompiledQuery, writing: Writing) -> Written:
    """Run the query and write its rows. A failure or stop leaves what was uploaded, as on AWS."""
    _check_columns(writing)
    directory = work.directory / "written"
    directory.mkdir()
    written = Written()
    written.rows = _write_local(work, query, writing, directory)
    work.execution.figures.output_rows = written.rows
    if written.rows == 0:
        return written
    uploads = []
    stem = _stem()
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    _check_partitions(files, directory, writing)
    for number, path in enumerate(files):
        relative = path.relative_to(directory).parent
        parts = [] if str(relative) == "." else list(relative.parts)
        values = tuple(unquote(part.partition("=")[2]) for part in parts)
        # DuckDB escapes more in a path than Hive does.
        prefix = f"{partition_path(writing.partition_columns, values)}/" if values else ""
        location = writing.target.child(f"{prefix}{stem}_{number:05d}_{uuid.uuid4()}{_suffix(writing)}")
        written.files.append(WrittenFile(location, values))
        work.execution.figures.output_bytes += path.stat().st_size
        uploads.append(store.submit(_upload, work, store, path, location))
    for upload in uploads:
        upload.result()
    return written


def _upload(work: Work, store: ObjectStore, path: Path, location: Location) -> None:
    work.execution.check()
    store.upload(path, location)


def _check_partitions(files: list[Path], directory: Path, writing: Writing) -> None:
    count = len({path.parent for path in files})
    if writing.partition_columns and count > writing.partition_limit:
        raise QueryFailed(
            "HIVE_TOO_MANY_OPEN_PARTITIONS",
            f"Exceeded limit of {writing.partition_limit} open writers for partitions/buckets.",
        )


def _check_columns(writing: Writing) -> None:
    names = [column.name for column in writing.columns]
    for column in writing.columns:
        if to_hive(parse_type(column.type)) is None:
            raise QueryFailed("NOT_SUPPORTED", f"Unsupported Hive type: {column.type} (column '{column.name}')")
        if column.type == "unknown":
            raise QueryFailed("NOT_SUPPORTED", f"Column type is unknown: {column.name}")
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise QueryFailed("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{doubled[0]}' specified more than once")
    keys = list(writing.partition_columns)
    missing = [key for key in keys if key not in names]
    if missing:
        raise QueryFailed("INVALID_TABLE_PROPERTY", f"Partition columns [{', '.join(missing)}] not present in schema")
    if keys and names[-len(keys) :] != keys:
        raise QueryFailed(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the table properties: "
            f"[{', '.join(keys)}]",
        )
    if keys and len(keys) == len(names):
        raise QueryFailed("INVALID_TABLE_PROPERTY", "Table contains only partition columns")


def _write_local(work: Work, query: CompiledQuery, writing: Writing, directory: Path) -> int:
    """Write the rows to files below ``directory``, one folder for each partition."""
    keys = set(writing.partition_columns)
    data = [column for column in writing.columns if column.name not in keys]
    positions = {column.name: quote(f"c{index}") for index, column in enumerate(writing.columns)}
    aliases = ", ".join(positions.values())
    selected, options = _form(writing, data, positions)
    selected += [
        f"{_partition_text(column, positions[column.name])} AS {quote(column.name)}"
        for column in writing.columns
        if column.name in keys
    ]
    # DuckDB writes REQUIRED where it sees that a column is never NULL, Athena OPTIONAL always. That the second SELECT
    # gives no row is only seen when it is run.
    never = f"SELECT {', '.join(['NULL'] * len(selected))} WHERE random() < 0"
    select = f"SELECT {', '.join(selected)} FROM (SELECT * FROM ({query.sql}) AS q({aliases})) UNION ALL {never}"
    target = directory / "0"
    if keys:
        options = [*options, "PARTITION_BY (" + ", ".join(quote(key) for key in writing.partition_columns) + ")"]
        target = directory
    answer = work.run(f"COPY ({select}) TO {literal(str(target))} ({', '.join(options)})").fetchone()
    kinds = [(column.name, parse_type(column.type)) for column in data]
    if writing.format in {"ORC", "AVRO"} or (
        writing.format == "PARQUET" and any(_has_moments(kind) for _, kind in kinds)
    ):
        _rewrite(work, writing, kinds, directory)
    return int(answer[0]) if answer else 0


def _form(writing: Writing, data: list[ColumnMetadata], positions: dict[str, str]) -> tuple[list[str], list[str]]:
    """What is selected and the options of COPY."""
    if writing.format == "JSON":
        return [json_select(data, positions)], _text_options(writing)
    if writing.format == "TEXTFILE":
        return [text_select(data, positions, writing.delimiter, writing.null_text)], _text_options(writing)
    compression = _compression(writing) if writing.format == "PARQUET" else "zstd"
    selected = [f"{_stored(column, positions[column.name])} AS {quote(column.name)}" for column in data]
    return selected, ["FORMAT parquet", f"COMPRESSION {compression}", f"ROW_GROUP_SIZE {_ROW_GROUP_ROWS}"]


def _has_moments(kind: Type) -> bool:
    return kind.base == "timestamp" or any(map(_has_moments, kind.args))


def _rewrite(work: Work, writing: Writing, kinds: list[tuple[str, Type]], directory: Path) -> None:
    """ORC, Avro and timestamps of 96 bits are made from the Parquet files that DuckDB wrote."""
    from dapflow.athena.formats.columnar import write_avro, write_orc  # noqa: PLC0415 - rarely needed

    for path in [path for path in directory.rglob("*") if path.is_file()]:
        work.execution.check()
        part = path.with_name(path.name + ".part")
        if writing.format == "PARQUET":
            _write_int96(work, path, part, _compression(writing))
        elif writing.format == "ORC":
            write_orc(pq.ParquetFile(path).read(), part, writing.compression)
        else:
            write_avro(pq.ParquetFile(path).read(), kinds, part, writing.compression)
        part.replace(path)


def _write_int96(work: Work, source: Path, part: Path, compression: str) -> None:
    """The same Parquet file with timestamps as Athena writes them, INT96. DuckDB writes none."""
    file = pq.ParquetFile(source)
    codec = {"uncompressed": "none", "lz4_raw": "lz4"}.get(compression, compression)
    with pq.ParquetWriter(part, file.schema_arrow, compression=codec, use_deprecated_int96_timestamps=True) as writer:
        for index in range(file.num_row_groups):
            work.execution.check()
            writer.write_table(file.read_row_group(index), row_group_size=_ROW_GROUP_ROWS)


def _partition_text(column: ColumnMetadata, value: str) -> str:
    """A partition column's value as it stands in a path."""
    kind = parse_type(column.type)
    if kind.base == "timestamp":
        return f"coalesce(strftime({value}, '%Y-%m-%d %H:%M:%S.%g'), {literal(NULL_PARTITION)})"
    return f"coalesce(CAST({value} AS VARCHAR), {literal(NULL_PARTITION)})"


def _stored(column: ColumnMetadata, value: str) -> str:
    kind = parse_type(column.type)
    return f"CAST({value} AS {_stored_type(kind)})"


def _stored_type(kind: Type) -> str:
    """Athena's timestamps have milliseconds in files."""
    if kind.base == "timestamp" and kind.precision <= 3:
        return "TIMESTAMP_MS"
    return duck_type(kind)


def _compression(writing: Writing) -> str:
    known = _COMPRESSIONS["PARQUET" if writing.format == "PARQUET" else "TEXTFILE"]
    chosen = known.get(writing.compression)
    if chosen is None:
        raise QueryFailed(
            "INVALID_PROPERTY", f"Unsupported compression {writing.compression} for format {writing.format}"
        )
    return chosen


def _text_options(writing: Writing) -> list[str]:
    # The line is made already; a delimiter and quote that cannot occur keep the writer from changing it.
    return [
        "FORMAT csv",
        "HEADER false",
        "DELIMITER '\x1e'",
        "QUOTE ''",
        "ESCAPE ''",
        f"COMPRESSION {_compression(writing)}",
    ]


def _suffix(writing: Writing) -> str:
    return "" if writing.format in {"PARQUET", "ORC", "AVRO"} else _SUFFIXES[_compression(writing)]


def _stem() -> str:
    moment = time.strftime("%Y%m%d_%H%M%S", time.gmtime())
    return f"{moment}_{''.join(random.choices(_LETTERS, k=5))}"  # noqa: S311 - a name, not a secret
