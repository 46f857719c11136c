"""Arrays, maps and rows: their parts, and types that cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.duckdb.conversion_text import text_sql
from dapflow.trino.duckdb.storage import duck_type, field_names, quote
from dapflow.trino.duckdb.values import Value, failure, let
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import Unit


def packed(t: Type, inner: str) -> str:
    """The columns of a subquery as one row."""
    return "{" + ", ".join(f"{quote(n)}: {inner}.c{i}" for i, n in enumerate(field_names(t))) + "}"


def held(value: Value) -> str:
    """A value as a part of a row: NULL needs a type there."""
    return f"CAST(NULL AS {duck_type(value.type)})" if value.type.base == "unknown" else value.sql


def element(base: str, index: str, t: Type) -> str:
    """An item of an array by its place."""

    def body(a: str, i: str) -> str:
        high = failure(
            "INVALID_FUNCTION_ARGUMENT",
            f"'Array subscript must be less than or equal to array length: ' || {i} || ' > ' || len({a})",
            t,
        )
        low = failure(
            "INVALID_FUNCTION_ARGUMENT",
            f"CASE WHEN {i} = 0 THEN 'SQL array indices start at 1' ELSE 'Array subscript is negative: ' || {i} END",
            t,
        )
        return f"CASE WHEN {i} > len({a}) THEN {high} WHEN {i} < 1 THEN {low} ELSE {a}[{i}] END"

    return let(base, lambda a: let(index, lambda i: body(a, i), limit=100), limit=200)


def map_value(base: str, key: str, t: Type) -> str:
    """The value of a key."""

    def body(m: str, k: str) -> str:
        text = f"CAST({text_sql(k, t.args[0])} AS VARCHAR)"
        missing = failure("INVALID_FUNCTION_ARGUMENT", f"'Key not present in map: ' || {text}", t.args[1])
        return (
            f"CASE WHEN {m} IS NOT NULL AND {k} IS NOT NULL AND NOT map_contains({m}, {k}) THEN {missing} "
            f"ELSE {m}[{k}] END"
        )

    return let(base, lambda m: let(key, lambda k: body(m, k), limit=100), limit=200)


def check_precision(unit: Unit, t: Type, pos: int) -> None:
    """Refuse types that are not carried, at the place where they are named."""
    if t.base in {"timestamp", "timestamp_tz", "time", "time_tz"} and t.precision > 6:
        unit.unsupported(f"{t} (the finest precision is 6)", pos)
    if t.base == "decimal" and (t.precision > 38 or t.precision < 1 or t.scale > t.precision):
        unit.fail(
            "INVALID_FUNCTION_ARGUMENT" if t.precision > 38 else "TYPE_MISMATCH", pos, f"Invalid DECIMAL type: {t}"
        )
    if t.base in {"hyperloglog", "HyperLogLog", "qdigest", "tdigest", "JsonPath", "color"}:
        unit.unsupported(f"The type {t}", pos)
    for part in t.args:
        check_precision(unit, part, pos)
