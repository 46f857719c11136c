"""The catalog as one query sees it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from dapflow.athena.catalog.hidden_columns import HIDDEN_COLUMNS
from dapflow.athena.catalog.hive_types import trino_text
from dapflow.athena.catalog.information_schema import INFORMATION_SCHEMA, information_relation
from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.catalog.views import CATALOG, is_view, read_view
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.storage.locations import Location, parse_location
from dapflow.trino.duckdb import ColumnMetadata, QueryError, Relation

CATALOG_NAMES = frozenset({"awsdatacatalog", "hive"})
_PARTITIONS_SUFFIX = "$partitions"


@dataclass(frozen=True)
class TableRelation(Relation):
    """A table of Glue, with Glue's own description of it."""

    table: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class PartitionsRelation(Relation):
    """``"t$partitions"``: the registered partitions of a table."""

    table: dict[str, Any] = field(default_factory=dict, compare=False)


class SessionCatalog:
    """Looks names up in Glue; each is asked for once, so that a query sees one state of it."""

    def __init__(self, metastore: Metastore, database: str | None) -> None:
        self.metastore = metastore
        self.database = database.lower() if database else None
        self._tables: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._databases: dict[str, bool] = {}

    def has_database(self, database: str) -> bool:
        """Whether there is such a database."""
        name = database.lower()
        if name == INFORMATION_SCHEMA:
            return True
        if name not in self._databases:
            self._databases[name] = self.metastore.database(name) is not None
        return self._databases[name]

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's description of a table."""
        key = (database, name)
        if key not in self._tables:
            self._tables[key] = self.metastore.table(database, name)
        return self._tables[key]

    def look_up(self, names: Iterable[tuple[str, ...]], submit: Callable[..., Future[Any]]) -> None:
        """Ask Glue for tables that will be wanted, all at once; whether one can be had is told when it is."""
        wanted: dict[str, set[str]] = {}
        for parts in names:
            database, name = (part.lower() for part in (self.database or "", *parts)[-2:])
            if database not in {"", INFORMATION_SCHEMA}:
                wanted.setdefault(database, set()).add(name.removesuffix(_PARTITIONS_SUFFIX))
        for database, tables in wanted.items():
            for name, table in self.metastore.some_tables(database, sorted(tables)).items():
                self._tables[database, name] = table
        keys = {(database, name) for database, tables in wanted.items() for name in tables} - self._tables.keys()
        if len(keys) > 1:
            for lookup in [submit(self.table, *key) for key in keys]:
                with contextlib.suppress(QueryFailed):
                    lookup.result()

    def whole_tables(self) -> list[Location]:
        """Where the tables are that were looked up so far and have no partitions."""
        tables = [table for table in self._tables.values() if table is not None and not is_view(table)]
        whole = [table.get("StorageDescriptor", {}) for table in tables if not table.get("PartitionKeys")]
        places = [parse_location(storage.get("Location") or "") for storage in whole]
        return [place for place in places if place is not None]

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """A table, a view, or one of the tables that the catalog makes up."""
        if catalog is not None and catalog.lower() not in CATALOG_NAMES:
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{catalog}' not found")
        schema = (database or self.database or "").lower()
        name = name.lower()
        if not schema:
            return None
        if schema == INFORMATION_SCHEMA:
            return information_relation(name)
        try:
            if name.endswith(_PARTITIONS_SUFFIX):
                return self._partitions(schema, name)
            table = self.table(schema, name)
            return None if table is None else _relation(schema, table)
        except QueryFailed as error:
            raise QueryError(error.error_name, str(error).partition(": ")[2]) from error

    def _partitions(self, database: str, name: str) -> Relation | None:
        table = self.table(database, name.removesuffix(_PARTITIONS_SUFFIX))
        if table is None or is_view(table) or not table.get("PartitionKeys"):
            return None
        return PartitionsRelation(CATALOG, database, name, columns_of(table.get("PartitionKeys", [])), table=table)


def columns_of(columns: list[dict[str, Any]]) -> tuple[ColumnMetadata, ...]:
    """Glue columns in Trino's terms."""
    return tuple(
        ColumnMetadata(column["Name"].lower(), trino_text(column.get("Type") or "string")) for column in columns
    )


def _relation(database: str, table: dict[str, Any]) -> Relation:
    name = table["Name"]
    if is_view(table):
        view = read_view({**table, "DatabaseName": database})
        return Relation(CATALOG, database, name, view.columns, view_sql=view.sql, view_database=view.database)
    keys = columns_of(table.get("PartitionKeys", []))
    data = columns_of(table.get("StorageDescriptor", {}).get("Columns", []))
    return TableRelation(
        CATALOG,
        database,
        name,
        data + keys,
        hidden=HIDDEN_COLUMNS,
        partition_columns=tuple(column.name for column in keys),
        table=table,
    )
