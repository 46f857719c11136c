"""Parquet files: what their footers say, what a column of them becomes, and what reading them costs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.storage.locations import Location

_FOOTERS_KEPT = 20_000
_FLOATS = {"FLOAT", "DOUBLE"}


@dataclass(frozen=True)
class ParquetChunk:
    """A column of a row group: compressed size of all its leaves, and the statistics of a plain column."""

    size: int
    least: Any = None
    most: Any = None
    has_statistics: bool = False


@dataclass(frozen=True)
class RowGroup:
    """A row group, its chunks by lower-case name of the top-level column."""

    rows: int
    chunks: dict[str, ParquetChunk]


@dataclass(frozen=True)
class ParquetFooter:
    """What is kept of a footer.

    Attributes:
        schema: the same text for files that one DuckDB scan can read together.
        names: the columns, by lower-case name.
        instants: the units of plain columns of timestamps of 64 bits, by lower-case name.
        unsure: the columns, in lower case, whose statistics may say nothing of a NaN that is there.
    """

    schema: str
    names: dict[str, str]
    row_groups: tuple[RowGroup, ...]
    instants: dict[str, str]
    unsure: frozenset[str]

    def cost(self, columns: set[str], allows: Callable[[RowGroup], bool]) -> int:
        """Compressed bytes of ``columns`` in the row groups that ``allows`` lets through."""
        return sum(
            sum(group.chunks[column].size for column in columns if column in group.chunks)
            for group in self.row_groups
            if allows(group)
        )


class Footers:
    """Footers by the identity of the object, so that a file's is read once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, ParquetFooter] = OrderedDict()

    def known(self, identity: str) -> ParquetFooter | None:
        """The footer of a file that was read before."""
        with self._lock:
            footer = self._kept.get(identity)
            if footer is not None:
                self._kept.move_to_end(identity)
            return footer

    def read(self, identity: str, file: Path, place: Location) -> ParquetFooter:
        """The footer of a file. Raises QueryFailed if it is not Parquet."""
        known = self.known(identity)
        if known is not None:
            return known
        footer = _read(file, place)
        with self._lock:
            self._kept[identity] = footer
            while len(self._kept) > _FOOTERS_KEPT:
                self._kept.popitem(last=False)
        return footer


def _read(file: Path, place: Location) -> ParquetFooter:
    size = file.stat().st_size
    with file.open("rb") as stream:
        head = stream.read(4)
        stream.seek(max(0, size - 4))
        tail = stream.read(4)
    if size < 12:
        raise QueryFailed("HIVE_BAD_DATA", f"Not valid Parquet file: {place}: file is too small ({size} bytes)")
    if tail != b"PAR1" or head != b"PAR1":
        raise QueryFailed(
            "HIVE_BAD_DATA",
            f"Not valid Parquet file: {place} expected magic number: PAR1 got: {tail.decode('latin-1')!s}",
        )
    try:
        metadata = pq.read_metadata(file)
        schema = metadata.schema.to_arrow_schema()
    except (pa.ArrowException, OSError) as error:
        raise QueryFailed(
            "HIVE_CURSOR_ERROR", f"Failed to read Parquet file: {place}: the footer is damaged"
        ) from error
    names = {field.name.lower(): field.name for field in schema}
    groups = tuple(_row_group(metadata.row_group(index)) for index in range(metadata.num_row_groups))
    leaves = {
        leaf.path: leaf.physical_type for leaf in (metadata.schema.column(i) for i in range(metadata.num_columns))
    }
    instants = {
        field.name.lower(): field.type.unit
        for field in schema
        if leaves.get(field.name) == "INT64" and pa.types.is_timestamp(field.type)
    }
    shown = schema.remove_metadata().to_string(show_field_metadata=False)
    # Timestamps of 96 bits look like those of 64.
    return ParquetFooter(f"{shown}\n{sorted(instants)}", names, groups, instants, _unsure(metadata))


def _unsure(metadata: pq.FileMetaData) -> frozenset[str]:
    """Arrow leaves NaN out of the least and most values, other writers leave these out where there is a NaN.

    Of the others only DuckDB is taken at its word.
    """
    if metadata.created_by.startswith("DuckDB"):
        return frozenset()
    leaves = [metadata.schema.column(i) for i in range(metadata.num_columns)]
    return frozenset(leaf.path.partition(".")[0].lower() for leaf in leaves if leaf.physical_type in _FLOATS)


def _row_group(group: Any) -> RowGroup:
    chunks: dict[str, ParquetChunk] = {}
    for index in range(group.num_columns):
        column = group.column(index)
        top, _, below = column.path_in_schema.partition(".")
        name = top.lower()
        size = column.total_compressed_size
        if below or name in chunks:
            earlier = chunks.get(name)
            chunks[name] = ParquetChunk(size + (earlier.size if earlier else 0))
            continue
        chunks[name] = _chunk(size, column.statistics if column.is_stats_set else None)
    return RowGroup(group.num_rows, chunks)


def _chunk(size: int, statistics: Any) -> ParquetChunk:
    if statistics is None or not statistics.has_min_max:
        return ParquetChunk(size)
    try:
        return ParquetChunk(size, statistics.min, statistics.max, has_statistics=True)
    except (OverflowError, ValueError):  # a date of before year 1 or behind 9999, which Python has none of
        return ParquetChunk(size)
