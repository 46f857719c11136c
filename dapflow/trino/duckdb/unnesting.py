"""UNNEST."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis.typed_queries import Unnest
from dapflow.trino.duckdb.nodes import FieldOf, Sql, Variable, Word, sql
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import Value
from dapflow.trino.types import Type, row


def unnest(node: Unnest, values: Sequence[Value]) -> Sql:
    """The rows of arrays and maps side by side, with columns c0, c1, …"""
    items = [_items(value) for value in values]
    columns: list[Sql] = [
        sql("unnest($items) AS $name", items=item, name=_name(i)) for i, (item, _) in enumerate(items)
    ]
    picked = [part for i, (_, t) in enumerate(items) for part in _parts(_name(i), t)]
    if node.ordinality or any(t.base == "row" for _, t in items):
        # The row count keeps rows whose element is NULL, and numbers them.
        counts: list[Sql] = [sql("coalesce($count, 0)", count=_count(value)) for value in values]
        columns.append(sql("unnest(range(1, greatest($counts) + 1)) AS n", counts=counts))
    if node.ordinality:
        picked.append(Word("n"))
    outer: list[Sql] = [sql("$part AS $name", part=part, name=Word(f"c{i}")) for i, part in enumerate(picked)]
    return sql("SELECT $outer FROM (SELECT $columns) AS $inner", outer=outer, columns=columns, inner=Variable("q"))


def _name(place: int) -> Word:
    return Word(f"u{place}")


def _items(value: Value) -> tuple[Sql, Type]:
    """The array of an array or map, and the type of what is in it."""
    t = value.type
    if t.base == "map":
        return sql("map_entries($value)", value=value.sql), row(*t.args, names=("key", "value"))
    return value.sql, t.args[0]


def _count(value: Value) -> Sql:
    if value.type.base == "map":
        return sql("CAST(cardinality($value) AS BIGINT)", value=value.sql)
    return sql("len($value)", value=value.sql)


def _parts(item: Sql, t: Type) -> list[Sql]:
    """What an item is in columns: a row is one for each of its fields."""
    return [FieldOf(item, name) for name in field_names(t)] if t.base == "row" else [item]
