"""Conversions that may fail, which CAST and TRY_CAST write differently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dapflow.trino.duckdb.nodes import Sql, sql
from dapflow.trino.duckdb.values import cast, failure, let, type_sql
from dapflow.trino.types import Type


@dataclass(frozen=True, slots=True)
class Fallible:
    """A conversion that may fail: `failing` fails then, and `or_null` gives NULL, without an error on its way."""

    failing: Callable[[], Sql]
    or_null: Callable[[], Sql]


#: What a rule gives: SQL that cannot fail, or both ways to write it.
Converted = Sql | Fallible
Rule = Callable[[Sql, Type, Type], Converted]


def failing(converted: Converted) -> Sql:
    """What CAST gives."""
    return converted.failing() if isinstance(converted, Fallible) else converted


def or_null(converted: Converted) -> Sql:
    """What TRY_CAST gives."""
    return converted.or_null() if isinstance(converted, Fallible) else converted


def checked(value: Sql, attempt: Callable[[Sql], Sql], message: Callable[[Sql], Sql], target: Type) -> Fallible:
    """An attempt that gives NULL on failure, with Trino's failure when the value was not NULL."""

    def body(x: Sql) -> Sql:
        error = failure("INVALID_CAST_ARGUMENT", message(x), target)
        return sql("coalesce($attempt, CASE WHEN $x IS NOT NULL THEN $error END)", attempt=attempt(x), x=x, error=error)

    return Fallible(lambda: let(value, body), lambda: let(value, attempt))


def plain(value: Sql, _: Type, target: Type) -> Sql:
    """DuckDB's own cast, which cannot fail."""
    return cast(value, target)


def narrowed(value: Sql, _: Type, target: Type) -> Fallible:
    """DuckDB's own cast, whose failure is told as Trino's by the runtime."""
    return Fallible(lambda: cast(value, target), lambda: try_cast(value, target))


def try_cast(value: Sql, t: Type) -> Sql:
    """DuckDB's own cast, or NULL."""
    return sql("TRY_CAST($value AS $t)", value=value, t=type_sql(t))
