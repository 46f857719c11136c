"""Expressions, and windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dapflow.trino.syntax.tree.nodes import Expr, Node, QueryNode, SortItem
from dapflow.trino.types import Type


@dataclass(slots=True, unsafe_hash=True)
class Literal(Expr):
    """`kind` is string, integer, double, boolean, null or binary; `value` the text or bytes."""

    kind: str
    value: Any


@dataclass(slots=True, unsafe_hash=True)
class TypedLiteral(Expr):
    """`DATE '2020-01-01'` and its like."""

    type_name: str
    text: str


@dataclass(slots=True, unsafe_hash=True)
class IntervalLiteral(Expr):
    """`INTERVAL -'1' DAY TO SECOND`; `last` is None for a single unit."""

    sign: int
    text: str
    first: str
    last: str | None


@dataclass(slots=True, unsafe_hash=True)
class Ident(Expr):
    """A name; `name` is lower case, `written` as in the text."""

    name: str
    written: str = field(compare=False)
    quoted: bool = field(default=False, compare=False)


@dataclass(slots=True, unsafe_hash=True)
class Given(Expr):
    """A column that `*` stands for, with its field already known."""

    written: str = field(compare=False)
    given: Any


@dataclass(slots=True, unsafe_hash=True)
class Deref(Expr):
    """`base.field`."""

    base: Expr
    name: str
    written: str = field(compare=False)
    #: Where the field's name begins.
    at: int = field(default=0, compare=False)


@dataclass(slots=True, unsafe_hash=True)
class FrameBound(Node):
    """`kind`: unbounded preceding, preceding, current row, following, unbounded following."""

    kind: str
    value: Expr | None = None


@dataclass(slots=True, unsafe_hash=True)
class Window(Node):
    """A window, or the name of one (`existing`). `measures` and `pattern` are the text of a row pattern."""

    existing: str | None = None
    partition: tuple[Expr, ...] = ()
    order: tuple[SortItem, ...] = ()
    unit: str | None = None
    low: FrameBound | None = None
    high: FrameBound | None = None
    measures: str = ""
    pattern: str = ""


@dataclass(slots=True, unsafe_hash=True)
class Call(Expr):
    """A function call. `extra` holds what single functions add: of LISTAGG the filler, and whether it counts.

    One that `extracts` is written EXTRACT(name FROM argument).
    """

    name: str
    args: tuple[Expr, ...]
    star: bool = False
    distinct: bool = False
    order: tuple[SortItem, ...] = ()
    filter: Expr | None = None
    over: Window | None = None
    nulls: str | None = None
    extra: tuple[Any, ...] = ()
    extracts: bool = False
    written: str = field(default="", compare=False)


@dataclass(slots=True, unsafe_hash=True)
class Cast(Expr):
    """CAST or, when `safe`, TRY_CAST."""

    expr: Expr
    type: Type
    safe: bool


@dataclass(slots=True, unsafe_hash=True)
class Case(Expr):
    """CASE with or without an operand."""

    operand: Expr | None
    whens: tuple[tuple[Expr, Expr], ...]
    default: Expr | None


@dataclass(slots=True, unsafe_hash=True)
class Binary(Expr):
    """Arithmetic, comparison or `||`, by `op`."""

    op: str
    left: Expr
    right: Expr


@dataclass(slots=True, unsafe_hash=True)
class Unary(Expr):
    """`-x` or `+x`."""

    op: str
    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class Logical(Expr):
    """AND or OR over two terms or more."""

    op: str
    terms: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class Not(Expr):
    """NOT x."""

    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class Between(Expr):
    """x BETWEEN low AND high."""

    expr: Expr
    low: Expr
    high: Expr


@dataclass(slots=True, unsafe_hash=True)
class InList(Expr):
    """x IN (a, b)."""

    expr: Expr
    items: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class InQuery(Expr):
    """x IN (SELECT …)."""

    expr: Expr
    query: QueryNode


@dataclass(slots=True, unsafe_hash=True)
class Like(Expr):
    """x LIKE pattern ESCAPE escape."""

    expr: Expr
    pattern: Expr
    escape: Expr | None


@dataclass(slots=True, unsafe_hash=True)
class IsNull(Expr):
    """x IS NULL."""

    expr: Expr


@dataclass(slots=True, unsafe_hash=True)
class Quantified(Expr):
    """x = ALL (SELECT …)."""

    op: str
    quantifier: str
    expr: Expr
    query: QueryNode


@dataclass(slots=True, unsafe_hash=True)
class Exists(Expr):
    """EXISTS (SELECT …)."""

    query: QueryNode


@dataclass(slots=True, unsafe_hash=True)
class ScalarQuery(Expr):
    """A subquery where a value is wanted."""

    query: QueryNode


@dataclass(slots=True, unsafe_hash=True)
class ArrayNode(Expr):
    """ARRAY[…]."""

    items: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class RowNode(Expr):
    """ROW(…) or (a, b)."""

    items: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class Subscript(Expr):
    """base[index]."""

    base: Expr
    index: Expr


@dataclass(slots=True, unsafe_hash=True)
class Lambda(Expr):
    """(x, y) -> body."""

    names: tuple[str, ...]
    body: Expr


@dataclass(slots=True, unsafe_hash=True)
class AtTimeZone(Expr):
    """x AT TIME ZONE zone."""

    expr: Expr
    zone: Expr


@dataclass(slots=True, unsafe_hash=True)
class Special(Expr):
    """CURRENT_DATE and its like, with their precision."""

    name: str
    precision: int | None = None


@dataclass(slots=True, unsafe_hash=True)
class Parameter(Expr):
    """A question mark, counted from 0."""

    index: int


@dataclass(slots=True, unsafe_hash=True)
class JsonCall(Expr):
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT, JSON_ARRAY with their clauses."""

    name: str
    args: tuple[Any, ...]
    clauses: tuple[tuple[str, Any], ...]


@dataclass(slots=True, unsafe_hash=True)
class OpaqueExpr(Expr):
    """What only Athena can judge, such as a measure of row pattern recognition; nothing in it names a column."""

    written: str
