"""A lowered expression: DuckDB's SQL with Trino's type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dapflow.trino.duckdb.nodes import FieldOf, Sql, Text, Variable, Word, sql
from dapflow.trino.duckdb.storage import duck_type
from dapflow.trino.types import Type

#: An argument longer than this is bound to a name instead of being written twice.
_LONG = 120


@dataclass(slots=True)
class Value:
    """`const` is the Python value of a literal.

    `short` is SQL for a decimal of more than 18 digits that computes in 64 bits, and fails where those do not do.
    """

    sql: Sql
    type: Type
    const: Any = None
    short: Sql | None = None


@lru_cache(maxsize=4096)
def type_sql(t: Type) -> Word:
    """DuckDB's name of the type that holds values of a type."""
    return Word(duck_type(t))


def null(t: Type) -> Sql:
    """NULL of a type."""
    return sql("CAST(NULL AS $t)", t=type_sql(t))


def cast(value: Sql, t: Type) -> Sql:
    """DuckDB's own cast to the type that holds values of a type."""
    return sql("CAST($value AS $t)", value=value, t=type_sql(t))


def row_field(base: Sql, name: str, t: Type) -> Sql:
    """A field of a row, which is of type t: DuckDB forgets it where the row is NULL whatever the data."""
    field = FieldOf(base, name)
    return field if field.simple else cast(field, t)


def let(value: Sql, body: Callable[[Sql], Sql], *, limit: int = _LONG) -> Sql:
    """Use an expression more than once: names and short ones are repeated, others bound to a name."""
    if value.simple or (value.size <= limit and not value.calls_macro and not value.is_volatile):
        return body(value)
    name = Variable("v")
    bound = body(name)
    if bound.has_subquery:
        # DuckDB takes no subquery within a lambda.
        return body(value)
    return sql("list_transform([$value], lambda $name: $bound)[1]", value=value, name=name, bound=bound)


def failure(error_name: str, message: Sql, t: Type) -> Sql:
    """An expression that fails with Trino's error when it is evaluated."""
    return cast(sql("fail($error || $message)", error=Text(f"{error_name}: "), message=message), t)


def failure_text(error_name: str, message: str, t: Type) -> Sql:
    """The same with a message that is known now."""
    return cast(sql("fail($message)", message=Text(f"{error_name}: {message}")), t)
