"""Views as Athena keeps them in Glue: JSON in base64, in a comment."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any

from dapflow.athena.catalog.hive_types import to_hive
from dapflow.athena.engine.errors import QueryFailed
from dapflow.trino.duckdb import ColumnMetadata
from dapflow.trino.types import parse_type

_TEXT = re.compile(r"\s*/\*\s*Presto View:\s*([A-Za-z0-9+/=\s]*?)\s*\*/\s*", re.DOTALL)
CATALOG = "awsdatacatalog"


@dataclass(frozen=True)
class View:
    """A view's definition: its SQL, the database that its unqualified names are in, and its columns' Trino types."""

    sql: str
    database: str | None
    columns: tuple[ColumnMetadata, ...]


def is_view(table: dict[str, Any]) -> bool:
    """Whether a Glue table is a view."""
    return table.get("TableType") == "VIRTUAL_VIEW"


def read_view(table: dict[str, Any]) -> View:
    """The definition in a Glue table, whichever client put it there."""
    name = f"{table.get('DatabaseName', '')}.{table['Name']}"
    match = _TEXT.fullmatch(table.get("ViewOriginalText") or "")
    if match is None:
        raise QueryFailed("NOT_SUPPORTED", f"Hive views are not supported: '{name}'")
    try:
        data = json.loads(base64.b64decode(match[1]))
        return View(
            data["originalSql"],
            data.get("schema"),
            tuple(ColumnMetadata(column["name"].lower(), column["type"]) for column in data["columns"]),
        )
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise QueryFailed("INVALID_VIEW", f"Invalid view JSON: '{name}'") from error


def glue_view(name: str, view: View, comment: str | None = None) -> dict[str, Any]:
    """The TableInput of a view."""
    columns = [{"Name": column.name, "Type": _column_type(column)} for column in view.columns]
    data = {
        "originalSql": view.sql,
        "catalog": CATALOG,
        "schema": view.database,
        "columns": [{"name": column.name, "type": column.type} for column in view.columns],
    }
    encoded = base64.b64encode(json.dumps(data, separators=(",", ":")).encode()).decode()
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": comment or "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": "",
            "SerdeInfo": {},
            "BucketColumns": [],
            "SortColumns": [],
            "Compressed": False,
            "NumberOfBuckets": 0,
            "StoredAsSubDirectories": False,
            "Parameters": {},
        },
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
    }


def _column_type(column: ColumnMetadata) -> str:
    hive = to_hive(parse_type(column.type))
    if hive is None:
        # Trino keeps only a placeholder in Glue for what Hive cannot name; the view's own JSON has the type.
        return "string" if column.type != "unknown" else "void"
    return hive
