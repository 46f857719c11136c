"""The typed tree: calls of functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dapflow.trino.analysis.typed import Expr


@dataclass(slots=True, unsafe_hash=True)
class Call(Expr):
    """A call of a scalar function; lambdas are arguments too.

    `signature` is its text in the table of functions, None where arguments could not be checked.
    """

    name: str
    signature: str | None
    args: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class SortKey:
    """A key of an ORDER BY."""

    expr: Expr
    descending: bool
    nulls_first: bool


@dataclass(slots=True, unsafe_hash=True)
class Aggregate(Expr):
    """A call of an aggregate. `signature` is None for count(*), and see `Call`.

    `extra` is what LISTAGG says of overflow.
    """

    name: str
    signature: str | None
    args: tuple[Expr, ...]
    distinct: bool = False
    order: tuple[SortKey, ...] = ()
    filter: Expr | None = None
    extra: tuple[Any, ...] = ()


@dataclass(slots=True, unsafe_hash=True)
class FrameBound:
    """An end of a frame: unbounded preceding, preceding, current row, following or unbounded following."""

    kind: str
    value: Expr | None = None


@dataclass(slots=True, unsafe_hash=True)
class Window:
    """A window with what named windows add to it. `unit` is ROWS, RANGE, GROUPS, or None without a frame."""

    partition: tuple[Expr, ...]
    order: tuple[SortKey, ...]
    unit: str | None = None
    start: FrameBound | None = None
    end: FrameBound | None = None


@dataclass(slots=True, unsafe_hash=True)
class WindowCall(Expr):
    """A window function, or an aggregate over a window. `signature` is None for count(*), and see `Call`."""

    name: str
    signature: str | None
    args: tuple[Expr, ...]
    window: Window
    filter: Expr | None = None
    ignore_nulls: bool = False


@dataclass(slots=True, unsafe_hash=True)
class JsonValue:
    """A value that a JSON function is given, with its FORMAT, and its name or key.

    It is `nested` if it is the result of another, which is JSON without a FORMAT.
    """

    expr: Expr
    form: str | None
    name: str | None = None
    key: Expr | None = None
    nested: bool = False


@dataclass(slots=True, unsafe_hash=True)
class JsonCall(Expr):
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT or JSON_ARRAY.

    The first three have a source, a path and what is passed to it; the others have `values`. Clauses are as in the
    text; a DEFAULT is an expression.
    """

    name: str
    values: tuple[JsonValue, ...]
    source: JsonValue | None = None
    path: str | None = None
    clauses: tuple[tuple[str, Any], ...] = ()
