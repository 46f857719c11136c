"""The typed tree: expressions.

Every node has a type and a place in the text; two nodes are equal when they say the same, wherever they stand. Names
are resolved: nothing after the analysis looks anything up by name. Conversions that Trino makes by itself are nodes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dapflow.trino.analysis.findings import Place
from dapflow.trino.types import Type


@dataclass(slots=True, unsafe_hash=True, kw_only=True)
class Expr:
    """An expression."""

    type: Type
    place: Place = field(compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class Unchecked(Expr):
    """What could not be analysed: there is a finding, or a table is not known."""


# ------------------------------------------------------------------------------------------ values and names
@dataclass(slots=True, unsafe_hash=True)
class Literal(Expr):
    """A value that is known now.

    Numbers, texts, booleans and bytes are Python's; decimals, dates, times and moments texts as `dapflow.trino.moments`
    reads them; intervals whole milliseconds or months; the zone of a moment stands behind it after a space.
    """

    value: Any


@dataclass(slots=True, unsafe_hash=True)
class ColumnRef(Expr):
    """A column of a relation of FROM, by the relation's number and the column's place, from 0.

    `outer` counts the queries between: 0 is the expression's own, more is a correlated reference. Where the query that
    owns the relation has groups, a correlated reference to a column stands for the group's key that is this column.
    """

    relation: int
    position: int
    outer: int
    name: str = field(compare=False)


@dataclass(slots=True, unsafe_hash=True)
class OutputRef(Expr):
    """An output column of the query, by its place: in ORDER BY, and on the sides of a set operation."""

    position: int


@dataclass(slots=True, unsafe_hash=True)
class KeyRef(Expr):
    """A key of GROUP BY, by its place among the query's keys."""

    position: int


@dataclass(slots=True, unsafe_hash=True)
class AggregateRef(Expr):
    """An aggregate, by its place among the query's aggregates."""

    position: int


@dataclass(slots=True, unsafe_hash=True)
class WindowRef(Expr):
    """A window function, by its place among the query's window functions."""

    position: int


@dataclass(slots=True, unsafe_hash=True)
class LambdaParameter(Expr):
    """A parameter of a lambda, by a number of its own."""

    number: int
    name: str = field(compare=False)


@dataclass(slots=True, unsafe_hash=True)
class Lambda(Expr):
    """A lambda; its type is that of its body."""

    parameters: tuple[LambdaParameter, ...]
    body: Expr


@dataclass(slots=True, unsafe_hash=True)
class SessionValue(Expr):
    """CURRENT_DATE and its like: what the session knows. `name` is in capitals."""

    name: str


# ------------------------------------------------------------------------------------------------ conversions
@dataclass(slots=True, unsafe_hash=True)
class Coerce(Expr):
    """A value as a type that it becomes by itself."""

    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class Cast(Expr):
    """CAST, or TRY_CAST if `safe`."""

    expr: Expr
    safe: bool


# -------------------------------------------------------------------------------------------------- operators
@dataclass(slots=True, unsafe_hash=True)
class Arithmetic(Expr):
    """`+ - * / %`. Numbers are of one type, or decimals each of its own; else a moment or interval is among them."""

    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, unsafe_hash=True)
class Negate(Expr):
    """`-x`."""

    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class Concat(Expr):
    """`||` of texts, bytes, arrays, or an array and an element."""

    left: Expr
    right: Expr


@dataclass(slots=True, unsafe_hash=True)
class Comparison(Expr):
    """`= <> < <= > >=` or IS DISTINCT FROM, of two values of one type."""

    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, unsafe_hash=True)
class Logical(Expr):
    """AND or OR."""

    op: str
    terms: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class Not(Expr):
    """NOT x."""

    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class IsNull(Expr):
    """x IS NULL."""

    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class Between(Expr):
    """x BETWEEN low AND high, all of one type."""

    expr: Expr
    low: Expr
    high: Expr


@dataclass(slots=True, unsafe_hash=True)
class InList(Expr):
    """x IN (a, b), all of one type."""

    expr: Expr
    items: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class Like(Expr):
    """x LIKE pattern ESCAPE escape."""

    expr: Expr
    pattern: Expr
    escape: Expr | None


# ------------------------------------------------------------------------------------------------- conditions
@dataclass(slots=True, unsafe_hash=True)
class Case(Expr):
    """CASE and IF: conditions and results, all of one type.

    With an operand, that is evaluated once, and the conditions compare `CaseOperand` with something.
    """

    operand: Expr | None
    whens: tuple[tuple[Expr, Expr], ...]
    default: Expr | None


@dataclass(slots=True, unsafe_hash=True)
class CaseOperand(Expr):
    """The operand of the CASE around it."""


@dataclass(slots=True, unsafe_hash=True)
class CountedResult(Expr):
    """A result of CASE that makes known, by a number, that it was computed for a row; no analysis gives one."""

    expr: Expr
    number: int


@dataclass(slots=True, unsafe_hash=True)
class Coalesce(Expr):
    """The first that is not NULL, all of one type."""

    args: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class NullIf(Expr):
    """`first`, or NULL where it equals `second`; both are compared as `common`."""

    first: Expr
    second: Expr
    common: Type


@dataclass(slots=True, unsafe_hash=True)
class Try(Expr):
    """NULL where the expression fails."""

    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class Grouping(Expr):
    """GROUPING(…): which of these keys the row is not grouped by, as bits; their places among the query's keys."""

    keys: tuple[int, ...]


@dataclass(slots=True, unsafe_hash=True)
class GroupingOf(Expr):
    """GROUPING(…) before its arguments are found among the keys; no query that is finished holds one."""

    args: tuple[Expr, ...]


# ------------------------------------------------------------------------------------------------- structures
@dataclass(slots=True, unsafe_hash=True)
class ArrayOf(Expr):
    """ARRAY[…], all of one type."""

    items: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class RowOf(Expr):
    """ROW(…)."""

    items: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class Element(Expr):
    """An element of an array by its place from 1, a bigint; or the value of a map's key."""

    base: Expr
    index: Expr


@dataclass(slots=True, unsafe_hash=True)
class RowField(Expr):
    """A field of a row, by its place from 0."""

    base: Expr
    position: int
