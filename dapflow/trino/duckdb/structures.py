"""Arrays, maps and rows: their parts."""

from __future__ import annotations

from dapflow.trino.duckdb.conversions import text_sql
from dapflow.trino.duckdb.nodes import Sql, sql
from dapflow.trino.duckdb.values import Value, failure, let, null
from dapflow.trino.types import Type


def row_part(value: Value) -> Sql:
    """A value as a part of a row: NULL needs a type there."""
    return null(value.type) if value.type.base == "unknown" else value.sql


def element(base: Sql, index: Sql, t: Type) -> Sql:
    """An item of an array by its place."""
    return let(base, lambda a: let(index, lambda i: _element(a, i, t), limit=100), limit=200)


def _element(a: Sql, i: Sql, t: Type) -> Sql:
    above = sql("'Array subscript must be less than or equal to array length: ' || $i || ' > ' || len($a)", a=a, i=i)
    below = sql(
        "CASE WHEN $i = 0 THEN 'SQL array indices start at 1' ELSE 'Array subscript is negative: ' || $i END", i=i
    )
    return sql(
        "CASE WHEN $i > len($a) THEN $high WHEN $i < 1 THEN $low ELSE $a[$i] END",
        a=a,
        i=i,
        high=failure("INVALID_FUNCTION_ARGUMENT", above, t),
        low=failure("INVALID_FUNCTION_ARGUMENT", below, t),
    )


def map_value(base: Sql, key: Sql, t: Type) -> Sql:
    """The value of a key."""
    return let(base, lambda m: let(key, lambda k: _map_value(m, k, t), limit=100), limit=200)


def _map_value(m: Sql, k: Sql, t: Type) -> Sql:
    message = sql("'Key not present in map: ' || CAST($text AS VARCHAR)", text=text_sql(k, t.args[0]))
    return sql(
        "CASE WHEN $m IS NOT NULL AND $k IS NOT NULL AND NOT map_contains($m, $k) THEN $missing ELSE $m[$k] END",
        m=m,
        k=k,
        missing=failure("INVALID_FUNCTION_ARGUMENT", message, t.args[1]),
    )
