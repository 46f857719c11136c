"""Windows: what stands in OVER."""

from __future__ import annotations

from dapflow.trino.analysis.typed import Expr
from dapflow.trino.analysis.typed_calls import FrameBound, Window
from dapflow.trino.coercion import NUMERIC
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import Sql, Word, joined, sql
from dapflow.trino.duckdb.operators import comparable_form
from dapflow.trino.duckdb.sorting import ordering
from dapflow.trino.duckdb.values import failure_text
from dapflow.trino.types import BIGINT, Type

_NEGATIVE = "Window frame offset value must not be negative or null"


def window(node: Window, lowering: Lowering) -> Sql:
    """What stands between the parentheses of OVER."""
    parts: list[Sql] = []
    if node.partition:
        parts.append(sql("PARTITION BY $keys", keys=[_key(key, lowering) for key in node.partition]))
    if node.order:
        parts.append(sql("ORDER BY $keys", keys=ordering(node.order, lowering)))
    if node.unit is not None and node.start is not None:
        parts.append(_frame(node, node.unit, node.start, lowering))
    return joined(" ", parts)


def _key(key: Expr, lowering: Lowering) -> Sql:
    value = lowering.value(key)
    return comparable_form(value.sql, value.type)


def _frame(node: Window, unit: str, start: FrameBound, lowering: Lowering) -> Sql:
    low = _bound(start, node, lowering)
    if node.end is not None:
        high = _bound(node.end, node, lowering)
    elif start.kind == "following":
        high = Word("CURRENT ROW")
    else:
        return sql("$unit $low", unit=Word(unit), low=low)
    return sql("$unit BETWEEN $low AND $high", unit=Word(unit), low=low, high=high)


def _bound(bound: FrameBound, node: Window, lowering: Lowering) -> Sql:
    kind = Word(bound.kind.upper())
    if bound.value is None:
        return kind
    value = lowering.value(bound.value)
    known = isinstance(value.const, int | float) and value.const >= 0
    if node.unit == "RANGE":
        distance = value.sql if known else _not_negative(value.sql, value.sql, value.type)
        distance = _distance(distance, value.type, node.order[0].expr.type)
    elif known and isinstance(value.const, int):
        distance = value.sql
    else:
        distance = _not_negative(value.sql, sql("CAST($value AS BIGINT)", value=value.sql), BIGINT)
    return sql("$distance $kind", distance=distance, kind=kind)


def _distance(value: Sql, t: Type, ordered: Type) -> Sql:
    """The distance in a RANGE frame, as DuckDB adds it to what is ordered by."""
    if ordered.base.startswith("interval") or ordered.base in NUMERIC:
        return value
    if t.base == "interval_ds":
        return sql("to_milliseconds($value)", value=value)
    return sql("to_months($value)", value=value)


def _not_negative(test: Sql, value: Sql, t: Type) -> Sql:
    problem = failure_text("INVALID_WINDOW_FRAME", _NEGATIVE, t)
    return sql("CASE WHEN $test >= 0 THEN $value ELSE $problem END", test=test, value=value, problem=problem)
