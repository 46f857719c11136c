"""Writing the Parquet form of a file that is in another format."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq


def write(part: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write tables of one schema to ``part``."""
    with pq.ParquetWriter(part, schema, compression="zstd", compression_level=1) as writer:
        for table in tables:
            if table.num_rows:
                writer.write_table(table.cast(schema))


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config={"threads": "1"})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    return connection


class Converter:
    """A cursor of a private, in-memory DuckDB that splits and types lines. It sees Arrow data only, no files."""

    def __enter__(self) -> Converter:
        self._cursor = _database().cursor()
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def lines(self, lines: pa.Array, select: str) -> pa.Table:
        """``select`` over the relation ``lines(line)``."""
        self._cursor.register("lines", pa.table({"line": lines}))
        try:
            return self._cursor.sql(select).to_arrow_table()
        finally:
            self._cursor.unregister("lines")
