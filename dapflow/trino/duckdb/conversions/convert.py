"""CAST, TRY_CAST and implicit conversion: one rule for each pair of kinds of types."""

from __future__ import annotations

from dapflow.trino.duckdb.conversions.attempts import Converted, Rule, failing, or_null
from dapflow.trino.duckdb.conversions.json import to_json
from dapflow.trino.duckdb.conversions.json_reading import from_json
from dapflow.trino.duckdb.conversions.moments import MOMENTS
from dapflow.trino.duckdb.conversions.nested import NESTED
from dapflow.trino.duckdb.conversions.numbers import NUMBERS
from dapflow.trino.duckdb.conversions.strings import STRINGS
from dapflow.trino.duckdb.nodes import Sql
from dapflow.trino.duckdb.storage import duck_type
from dapflow.trino.duckdb.values import Value, null
from dapflow.trino.types import Type

_RULES: dict[tuple[str, str], Rule] = {**NUMBERS, **STRINGS, **MOMENTS}


def coerce(value: Value, target: Type) -> Value:
    """A value as the type wanted; the caller knows that it may be coerced."""
    if value.type == target:
        return value
    if value.type.base == "unknown":
        return Value(null(target), target)
    return Value(convert(value.sql, value.type, target), target, value.const)


def convert(value: Sql, source: Type, target: Type) -> Sql:
    """A value as another type, the same object if it is held as one; fails when it runs where Trino's CAST fails."""
    return failing(_converted(value, source, target))


def convert_or_null(value: Sql, source: Type, target: Type) -> Sql:
    """A value as another type, or NULL where Trino's CAST fails. What the value itself fails with is not caught."""
    return or_null(_converted(value, source, target))


def _converted(value: Sql, source: Type, target: Type) -> Converted:
    if source.base == "unknown":
        return null(target)
    if same_form(source, target):
        return value
    if target.base == "json":
        return to_json(value, source)
    if source.base == "json":
        return from_json(value, target, convert, convert_or_null)
    if source.base == target.base and source.args:
        return NESTED[source.base](value, source, target, _converted)
    return _RULES[source.base, target.base](value, source, target)


def same_form(source: Type, target: Type) -> bool:
    """Whether every value of one type is held by DuckDB just as in the other."""
    if source == target:
        return True
    if source.base != target.base or duck_type(source) != duck_type(target):
        return False
    if source.base == "varchar":
        return target.length is None or (source.length is not None and source.length <= target.length)
    if source.base == "char":
        return (source.length or 0) <= (target.length or 0)
    if source.base in {"timestamp", "time", "timestamp_tz", "time_tz"}:
        return source.precision <= target.precision
    return all(same_form(a, b) for a, b in zip(source.args, target.args, strict=True))
