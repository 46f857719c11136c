"""Which partitions of a table a query reads: the registered ones, or the projected ones, that its predicate allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote as url_quote

import pyarrow as pa

from dapflow.athena.catalog.hive_types import from_hive
from dapflow.athena.catalog.metastore import Metastore
from dapflow.athena.catalog.partition_expressions import partition_expression
from dapflow.athena.catalog.partition_schemas import check_partition
from dapflow.athena.catalog.predicates import Predicate
from dapflow.athena.catalog.projection import is_projected, projected
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.session import Work
from dapflow.athena.storage.locations import Location, parse_location
from dapflow.trino.duckdb.storage import duck_type, literal, quote
from dapflow.trino.types import Type

NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


# What Hive leaves as it is in a path.
_PLAIN = " !$&()+,;@~.-_"


def partition_path(keys: Sequence[str], values: Sequence[str]) -> str:
    """``a=1/b=2``, the folders of a partition."""
    return "/".join(f"{key}={url_quote(value, safe=_PLAIN)}" for key, value in zip(keys, values, strict=True))


@dataclass(frozen=True)
class TablePartition:
    """A place to read, with the values of the partition columns as Glue has them, and Glue's own description."""

    values: tuple[str, ...]
    location: Location
    storage: dict[str, Any]


def partition_keys(table: dict[str, Any]) -> list[tuple[str, str]]:
    """Names and Hive types of the partition columns."""
    return [(column["Name"].lower(), column.get("Type") or "string") for column in table.get("PartitionKeys") or []]


def table_location(table: dict[str, Any]) -> Location:
    """Where a table's data is."""
    return _location(table.get("StorageDescriptor", {}).get("Location") or "", table["Name"])


def _location(uri: str, table: str) -> Location:
    location = parse_location(uri)
    if location is None:
        raise QueryFailed("HIVE_INVALID_METADATA", f"Table '{table}' has no valid S3 location: '{uri}'")
    return location


def read_partitions(
    work: Work, metastore: Metastore, database: str, table: dict[str, Any], predicate: Predicate
) -> list[TablePartition]:
    """The partitions that may hold rows for ``predicate``. An unpartitioned table is one of its own."""
    keys = partition_keys(table)
    storage = table.get("StorageDescriptor", {})
    if not keys:
        return [TablePartition((), table_location(table), storage)]
    if is_projected(table):
        kinds = dict(keys)

        def allowed(name: str, values: list[str]) -> list[str]:
            return [row[0] for row in _matching(work, [(name, kinds[name])], [(value,) for value in values], predicate)]

        rows = list(projected(work, table, [name for name, _ in keys], predicate, allowed))
        partitions = [TablePartition(values, _location(uri, table["Name"]), storage) for values, uri in rows]
    else:
        partitions = [
            TablePartition(
                tuple(item["Values"]),
                _location(item.get("StorageDescriptor", {}).get("Location") or "", table["Name"]),
                item.get("StorageDescriptor", {}),
            )
            for item in metastore.partitions(database, table["Name"], partition_expression(table, predicate))
        ]
    chosen = allowed_partitions(work, table, partitions, predicate)
    names = [name for name, _ in keys]
    for partition in chosen:
        # Most have the very columns of their table.
        if partition.storage.get("Columns") != storage.get("Columns"):
            check_partition(database, table, partition.storage, partition_path(names, partition.values))
    return chosen


def allowed_partitions(
    work: Work, table: dict[str, Any], partitions: list[TablePartition], predicate: Predicate
) -> list[TablePartition]:
    """Those of the partitions that may hold rows for ``predicate``."""
    chosen = set(_matching(work, partition_keys(table), [item.values for item in partitions], predicate))
    return [partition for partition in partitions if partition.values in chosen]


def _matching(
    work: Work, keys: list[tuple[str, str]], rows: list[tuple[str, ...]], predicate: Predicate
) -> list[tuple[str, ...]]:
    """Those of the values of partition columns that the predicate allows, as far as it speaks of these columns."""
    condition = predicate.over(name for name, _ in keys)
    if condition is None or not rows:
        return rows
    work.table("partition_values", partition_values(keys, rows))
    typed = ", ".join(f"{typed_key(name, hive)} AS {quote(name)}" for name, hive in keys)
    sql = f"SELECT i FROM (SELECT i, {typed} FROM partition_values) WHERE {condition} ORDER BY i"
    return [rows[row[0]] for row in work.run(sql).fetchall()]


def partition_values(keys: list[tuple[str, str]], values: list[tuple[str, ...]]) -> pa.Table:
    """Partition values as text, one column each, and ``i``, their number."""
    columns: dict[str, Any] = {"i": pa.array(range(len(values)), pa.int64())}
    for index, (name, _) in enumerate(keys):
        texts = [None if row[index] == NULL_PARTITION else row[index] for row in values]
        columns[name] = pa.array(texts, pa.string())
    return pa.table(columns)


def typed_key(name: str, hive_type: str) -> str:
    """DuckDB SQL that gives a partition column, which is text, its type."""
    return typed_value(quote(name), name, from_hive(hive_type))


def typed_value(text: str, name: str, kind: Type) -> str:
    """DuckDB SQL that gives the text of a partition column its type; text that is not of it fails as in Athena."""
    if kind.base in {"varchar", "char"}:
        return text
    before = literal("HIVE_INVALID_PARTITION_VALUE: Invalid partition value '")
    after = literal(f"' for {str(kind).upper()} partition key: {name}")
    typed = f"TRY_CAST({text} AS {duck_type(kind)})"
    return (
        f"CASE WHEN {text} IS NOT NULL AND {typed} IS NULL THEN error({before} || {text} || {after}) ELSE {typed} END"
    )
