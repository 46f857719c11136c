"""``information_schema``: what it holds, computed from Glue when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dapflow.athena.catalog.hive_types import trino_text
from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.catalog.views import CATALOG, is_view, read_view
from dapflow.athena.engine.errors import QueryFailed
from dapflow.trino.duckdb import ColumnMetadata, Relation

INFORMATION_SCHEMA = "information_schema"

_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "schemata": (("catalog_name", "varchar"), ("schema_name", "varchar")),
    "tables": (
        ("table_catalog", "varchar"),
        ("table_schema", "varchar"),
        ("table_name", "varchar"),
        ("table_type", "varchar"),
    ),
    "columns": (
        ("table_catalog", "varchar"),
        ("table_schema", "varchar"),
        ("table_name", "varchar"),
        ("column_name", "varchar"),
        ("ordinal_position", "bigint"),
        ("column_default", "varchar"),
        ("is_nullable", "varchar"),
        ("data_type", "varchar"),
        ("comment", "varchar"),
        ("extra_info", "varchar"),
    ),
    "views": (
        ("table_catalog", "varchar"),
        ("table_schema", "varchar"),
        ("table_name", "varchar"),
        ("view_definition", "varchar"),
    ),
}


@dataclass(frozen=True)
class InformationRelation(Relation):
    """A table of ``information_schema``."""


def information_relation(name: str) -> Relation | None:
    """The table of that name, or None."""
    columns = _COLUMNS.get(name)
    if columns is None:
        return None
    return InformationRelation(CATALOG, INFORMATION_SCHEMA, name, tuple(ColumnMetadata(*column) for column in columns))


def information_rows(name: str, metastore: Metastore, schemas: set[str] | None = None) -> list[tuple[Any, ...]]:
    """The rows of a table. ``schemas`` bounds the databases that are asked for, None means all."""
    databases = [database["Name"] for database in metastore.databases()]
    if name == "schemata":
        return [(CATALOG, database) for database in [*databases, INFORMATION_SCHEMA]]
    rows: list[tuple[Any, ...]] = []
    for database in databases:
        if schemas is not None and database not in schemas:
            continue
        for table in metastore.tables(database):
            rows += _ROWS[name](database, table)
    if schemas is None or INFORMATION_SCHEMA in schemas:
        rows += _own_rows(name)
    return rows


def _table_rows(database: str, table: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(CATALOG, database, table["Name"], "VIEW" if is_view(table) else "BASE TABLE")]


def _column_rows(database: str, table: dict[str, Any]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    keys = table.get("PartitionKeys") or []
    data = table.get("StorageDescriptor", {}).get("Columns", [])
    try:
        types = (
            [(column.name, column.type) for column in read_view(table).columns]
            if is_view(table)
            else [(column["Name"].lower(), trino_text(column.get("Type") or "string")) for column in [*data, *keys]]
        )
    except QueryFailed:
        return []
    comments = [column.get("Comment") for column in [*data, *keys]]
    first_key = len(types) - len(keys)
    for index, (name, kind) in enumerate(types):
        comment = comments[index] if index < len(comments) else None
        extra = "partition key" if index >= first_key else None
        rows.append((CATALOG, database, table["Name"], name, index + 1, None, "YES", kind, comment, extra))
    return rows


def _view_rows(database: str, table: dict[str, Any]) -> list[tuple[Any, ...]]:
    if not is_view(table):
        return []
    try:
        return [(CATALOG, database, table["Name"], read_view(table).sql)]
    except QueryFailed:
        return []


def _own_rows(name: str) -> list[tuple[Any, ...]]:
    if name == "tables":
        return [(CATALOG, INFORMATION_SCHEMA, table, "BASE TABLE") for table in _COLUMNS]
    if name == "columns":
        return [
            (CATALOG, INFORMATION_SCHEMA, table, column, index + 1, None, "YES", kind, None, None)
            for table, columns in _COLUMNS.items()
            for index, (column, kind) in enumerate(columns)
        ]
    return []


_ROWS = {"tables": _table_rows, "columns": _column_rows, "views": _view_rows}
