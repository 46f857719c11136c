"""What each column of a data product comes from, as the manifest holds it. Read by whoever asks, never by a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple


class ColumnOrigin(NamedTuple):
    """A column of a dataset, and how it gets into a column of a product.

    ``how`` is identity, expression, aggregate or window for a value; filter or join key for what decides which rows
    there are. ``column`` is ``*`` where the columns of the dataset are not known.
    """

    dataset: str
    column: str
    how: str


@dataclass(frozen=True)
class LineageColumn:
    """A column of a product with its Trino type; ``unchecked`` where that hangs on columns that are not known."""

    name: str
    type: str
    origins: tuple[ColumnOrigin, ...]


@dataclass(frozen=True)
class TableRead:
    """A place in the text, ``sql[start:end]``, that names a table of a dataset, and what is read of it there.

    ``partitions`` are the conditions, as written, that concern nothing but the table's partition columns.
    """

    start: int
    end: int
    dataset: str
    columns: tuple[str, ...]
    partitions: tuple[str, ...]


@dataclass(frozen=True)
class ProductLineage:
    """The lineage of a product.

    ``columns`` are None where not even their names are known. ``rows`` are the origins of every column: what decides
    which rows there are. ``meaning`` is equal for texts that only look different. ``key`` names what all this was made
    of: the text, and the columns of what it reads.
    """

    key: str
    meaning: str
    columns: tuple[LineageColumn, ...] | None
    rows: tuple[ColumnOrigin, ...]
    reads: tuple[TableRead, ...]


#: How the last section of a manifest begins, see `Manifest.to_json`; no text in JSON holds the end of a line.
_SECTION = b'\n"lineage": {'


def read_lineage(file: Path) -> dict[str, ProductLineage]:
    """The lineage in a manifest, by the ids of its products; nothing where there is none that can be read."""
    try:
        _, separator, section = file.read_bytes().partition(_SECTION)
        data = json.loads(b"{" + section[: section.rindex(b"}")]) if separator else {}
        return {name: _lineage(lineage) for name, lineage in data.items()}
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {}


def _lineage(data: dict[str, Any]) -> ProductLineage:
    columns = data["columns"] and tuple(
        LineageColumn(column["name"], column["type"], tuple(ColumnOrigin(*origin) for origin in column["origins"]))
        for column in data["columns"]
    )
    rows = tuple(ColumnOrigin(*origin) for origin in data["rows"])
    reads = tuple(
        TableRead(**{**read, "columns": tuple(read["columns"]), "partitions": tuple(read["partitions"])})
        for read in data["reads"]
    )
    return ProductLineage(data["key"], data["meaning"], columns, rows, reads)
