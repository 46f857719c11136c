"""Writing the Parquet form of a file that is in another format."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dapflow.trino.duckdb.storage import literal


def write(part: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write tables of one schema to ``part``."""
    with pq.ParquetWriter(part, schema, compression="zstd", compression_level=1) as writer:
        for table in tables:
            if table.num_rows:
                writer.write_table(table.cast(schema))


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    """A database of its own, that no query of a user reaches: it reads and writes the files that it is told to."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "async_threads": "0",  # as in the session's database
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@contextmanager
def _beside(part: Path, ending: str) -> Iterator[Path]:
    file = part.with_name(f"{part.name}.{ending}")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def convert_lines(part: Path, lines: Iterable[pa.Array], select: str) -> None:
    """Write ``select`` over the relation ``lines(line)`` to ``part``. The lines never are in memory all at once."""
    with _beside(part, "lines") as file:
        write(file, (pa.table({"line": array}) for array in lines), pa.schema([("line", pa.string())]))
        source = f"WITH lines AS (SELECT line FROM read_parquet({literal(str(file))})) {select}"
        cursor = _database().cursor()
        try:
            cursor.execute(f"COPY ({source}) TO {literal(str(part))} (FORMAT parquet, COMPRESSION zstd)")
        finally:
            cursor.close()
