"""Results of statements: written to S3 as Athena writes them, and read back in pages."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.execution import Execution
from dapflow.athena.engine.result_csv import fields
from dapflow.athena.storage.cache import FileCache, MemoryCache
from dapflow.athena.storage.locations import Location, parse_location
from dapflow.athena.storage.object_store import ObjectStore
from dapflow.trino.duckdb import ColumnMetadata
from dapflow.trino.types import parse_type

CSV, TEXT, NOTHING = "csv", "txt", "none"
_MOST_VARCHAR = 2147483647
_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "varbinary": 1073741824,
    "timestamp": 3,
    "timestamp_tz": 3,
    "time": 3,
    "time_tz": 3,
}
_TYPE_NAMES = {
    "real": "float",
    "timestamp_tz": "timestamp with time zone",
    "time_tz": "time with time zone",
    "interval_ds": "interval day to second",
    "interval_ym": "interval year to month",
}


@dataclass
class StatementOutcome:
    """What a statement gave.

    Attributes:
        kind: CSV (rows with a header), TEXT (lines without one) or NOTHING.
        columns: the columns of the rows.
        body: the CSV text, if it is short.
        file: the CSV file, if it is not.
        lines: the lines of a TEXT outcome.
        written: objects that the statement wrote; they are listed in a manifest. None where it writes no data.
        update_count: rows that were written.
    """

    kind: str
    columns: tuple[ColumnMetadata, ...] = ()
    body: bytes | None = None
    file: Path | None = None
    lines: list[str] = field(default_factory=list)
    written: list[Location] | None = None
    update_count: int = 0


def output_location(execution: Execution) -> Location:
    """Where the execution's result goes. The request was refused if it is no S3 path."""
    location = parse_location(execution.output)
    if location is None:
        raise QueryFailed("INVALID_INPUT", f"Invalid output location {execution.output}")
    return location


def _metadata(execution: Execution) -> Location:
    output = output_location(execution)
    return Location(output.bucket, output.key + ".metadata")


def text_outcome(name: str, lines: list[str]) -> StatementOutcome:
    """An outcome of one text column."""
    return StatementOutcome(TEXT, (ColumnMetadata(name, "string"),), lines=lines)


def column_info(columns: tuple[ColumnMetadata, ...] | list[ColumnMetadata]) -> list[dict[str, Any]]:
    """ColumnInfo of the API."""
    return [_column_info(column) for column in columns]


def _column_info(column: ColumnMetadata) -> dict[str, Any]:
    precision, scale, name = 0, 0, column.type
    if column.type != "string":
        kind = parse_type(column.type)
        name = _TYPE_NAMES.get(kind.base, kind.base)
        precision = _PRECISIONS.get(kind.base, 0)
        if kind.base == "varchar":
            precision = kind.length if kind.length is not None else _MOST_VARCHAR
        elif kind.base == "char":
            precision = kind.length or 1
        elif kind.base == "decimal":
            precision, scale = kind.precision, kind.scale
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": name,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": name in {"varchar", "char"},
    }


class Results:
    """Where results go to and come from. A local copy serves the pages; S3 has the one that lasts."""

    def __init__(self, store: ObjectStore, large: FileCache, small: MemoryCache) -> None:
        self._store = store
        self._large = large
        self._small = small
        self._described: dict[str, Callable[[], None]] = {}

    def describe(self, execution: Execution, columns: tuple[ColumnMetadata, ...]) -> None:
        """Begin to write the columns of a result that is still to come."""
        body = json.dumps({"columns": column_info(columns)}).encode()
        self._described[execution.id] = self._store.begin_put(_metadata(execution), body)

    def abandon(self, execution: Execution) -> None:
        """Leave nothing of a result that does not come. Raises QueryFailed."""
        described = self._described.pop(execution.id, None)
        if described is None:
            return
        try:
            described()
        except QueryFailed:
            return
        self._store.delete([_metadata(execution)])

    def publish(self, execution: Execution, outcome: StatementOutcome) -> None:
        """Write the result objects; ``execution.output`` says where."""
        if execution.id not in self._described:
            self.describe(execution, outcome.columns)
        output = output_location(execution)
        body = outcome.body
        if outcome.kind == TEXT:
            body = "".join(line + "\n" for line in outcome.lines).encode()
        if outcome.written is not None:
            manifest = Location(output.bucket, output.key + "-manifest.csv")
            self._store.put(manifest, "".join(f"{location}\n" for location in outcome.written).encode())
            execution.figures.manifest = str(manifest)
        written = None
        if body is not None:
            execution.figures.output_bytes = len(body)
            written = self._store.begin_put(output, body)
            self._small.keep(execution.id, body)
        elif outcome.file is not None:
            execution.figures.output_bytes = outcome.file.stat().st_size
            self._store.upload(outcome.file, output)
            self._large.take(execution.id, outcome.file)
        # There when the query is seen to have succeeded: clients read it, or delete it.
        try:
            self._described[execution.id]()
        except QueryFailed:
            del self._described[execution.id]
            raise
        if written is not None:
            written()
        del self._described[execution.id]

    def open(self, execution: Execution) -> BinaryIO:
        """The result file; where the local copy is gone, S3's is taken."""
        body = self._small.get(execution.id)
        if body is not None:
            return io.BytesIO(body)
        output = output_location(execution)
        return self._large.open(execution.id, lambda part: self._store.download(output, part))


def csv_page(stream: BinaryIO, offset: int, count: int) -> tuple[list[list[str | None]], int | None]:
    """``count`` records from ``offset``, and the offset of the next one, None at the end."""
    rows: list[list[str | None]] = []
    stream.seek(offset)
    while len(rows) < count:
        lines = [stream.readline()]
        if not lines[0]:
            return rows, None
        quotes = lines[0].count(b'"')
        while quotes % 2 and (more := stream.readline()):
            lines.append(more)
            quotes += more.count(b'"')
        rows.append(fields(b"".join(lines)[:-1].decode("utf-8")))
    end = stream.tell()
    return rows, end if stream.read(1) else None


def text_page(stream: BinaryIO, offset: int, count: int) -> tuple[list[list[str | None]], int | None]:
    """``count`` lines from ``offset``, and the offset of the next one, None at the end."""
    rows: list[list[str | None]] = []
    stream.seek(offset)
    while len(rows) < count:
        line = stream.readline()
        if not line:
            return rows, None
        rows.append([line.rstrip(b"\n").decode("utf-8")])
    end = stream.tell()
    return rows, end if stream.read(1) else None
