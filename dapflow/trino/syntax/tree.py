"""The parsed form of a query. `pos` is an offset in the user's text and takes no part in comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from dapflow.trino.types import Type


@dataclass(slots=True, unsafe_hash=True)
class Node:
    """Anything that has a place in the text; `end` is where it ends, 0 where that is the end of its last part."""

    pos: int = field(compare=False)
    end: int = field(default=0, compare=False, kw_only=True, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class Expr(Node):
    """An expression."""


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
class SortItem(Node):
    """One key of an ORDER BY."""

    expr: Expr
    descending: bool = False
    nulls_first: bool | None = None


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
    """A function call. `extra` holds what single functions add: of LISTAGG the filler, and whether it counts."""

    name: str
    args: tuple[Expr, ...]
    star: bool = False
    distinct: bool = False
    order: tuple[SortItem, ...] = ()
    filter: Expr | None = None
    over: Window | None = None
    nulls: str | None = None
    extra: tuple[Any, ...] = ()
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


# ------------------------------------------------------------------------------------------------ queries
@dataclass(slots=True, unsafe_hash=True)
class RelationNode(Node):
    """What may stand in FROM."""


@dataclass(slots=True, unsafe_hash=True)
class TableNode(RelationNode):
    """A table, view or WITH query by name, in lower case. `version` is that of FOR `version_of` AS OF."""

    parts: tuple[str, ...]
    version: Expr | None = None
    version_of: str = ""


@dataclass(slots=True, unsafe_hash=True)
class SubqueryNode(RelationNode):
    """(SELECT …); `lateral` when it may see what stands before it."""

    query: QueryNode
    lateral: bool = False


@dataclass(slots=True, unsafe_hash=True)
class UnnestNode(RelationNode):
    """UNNEST(…) [WITH ORDINALITY]."""

    items: tuple[Expr, ...]
    ordinality: bool


@dataclass(slots=True, unsafe_hash=True)
class AliasNode(RelationNode):
    """A relation with a name and maybe names of columns."""

    relation: RelationNode
    name: str
    columns: tuple[str, ...] | None


@dataclass(slots=True, unsafe_hash=True)
class SampleNode(RelationNode):
    """TABLESAMPLE."""

    relation: RelationNode
    method: str
    percentage: Expr


@dataclass(slots=True, unsafe_hash=True)
class OpaqueNode(RelationNode):
    """What only Athena knows the columns of: MATCH_RECOGNIZE, table functions, JSON_TABLE; and what it reads."""

    relations: tuple[RelationNode, ...] = ()
    items: tuple[Expr, ...] = ()
    #: The whole of it, with nothing but spaces between the tokens.
    written: str = field(kw_only=True)


@dataclass(slots=True, unsafe_hash=True)
class JoinNode(RelationNode):
    """`kind`: inner, left, right, full, cross or implicit (a comma)."""

    kind: str
    left: RelationNode
    right: RelationNode
    on: Expr | None = None
    using: tuple[Ident, ...] | None = None


@dataclass(slots=True, unsafe_hash=True)
class SelectItem(Node):
    """One output expression; `alias` as written."""

    expr: Expr
    alias: str | None


@dataclass(slots=True, unsafe_hash=True)
class AllColumns(Node):
    """`*`, `t.*` or `row.* AS (…)`."""

    base: Expr | None
    aliases: tuple[str, ...]


@dataclass(slots=True, unsafe_hash=True)
class Grouping(Node):
    """`kind`: simple, rollup, cube, sets; `sets` are lists of expressions."""

    kind: str
    sets: tuple[tuple[Expr, ...], ...]


@dataclass(slots=True, unsafe_hash=True)
class BodyNode(Node):
    """SELECT, VALUES, TABLE t, a set operation or a query in parentheses."""


@dataclass(slots=True, unsafe_hash=True)
class Select(BodyNode):
    """One SELECT without ORDER BY and LIMIT."""

    distinct: bool
    items: tuple[SelectItem | AllColumns, ...]
    source: RelationNode | None
    where: Expr | None
    groups: tuple[Grouping, ...] | None
    having: Expr | None
    windows: tuple[tuple[str, Window], ...]
    distinct_groups: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Values(BodyNode):
    """VALUES …."""

    rows: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class TableBody(BodyNode):
    """TABLE t."""

    table: TableNode


@dataclass(slots=True, unsafe_hash=True)
class SetOperation(BodyNode):
    """UNION, INTERSECT, EXCEPT; duplicates go unless `all`."""

    op: str
    all: bool
    left: BodyNode
    right: BodyNode


@dataclass(slots=True, unsafe_hash=True)
class Nested(BodyNode):
    """A query in parentheses as a body."""

    query: QueryNode


@dataclass(slots=True, unsafe_hash=True)
class Cte(Node):
    """One WITH query."""

    name: str
    columns: tuple[str, ...] | None
    query: QueryNode


@dataclass(slots=True, unsafe_hash=True)
class QueryNode(Node):
    """A query with its WITH, ORDER BY, OFFSET and LIMIT. `parameters` counts the question marks of a whole text."""

    ctes: tuple[Cte, ...]
    recursive: bool
    body: BodyNode
    order: tuple[SortItem, ...] = ()
    offset: Expr | None = None
    limit: Expr | None = None
    ties: bool = False
    parameters: int = 0


_COMPARED: dict[type, tuple[str, ...]] = {}


def compared(cls: type[Node]) -> tuple[str, ...]:
    """Names of the parts of a kind of node that tell two of the kind apart."""
    found = _COMPARED.get(cls)
    if found is None:
        found = _COMPARED[cls] = tuple([part.name for part in fields(cls) if part.compare])
    return found


_CHILDREN: dict[type, tuple[str, ...]] = {}
_PLAIN = frozenset({"int", "str", "bool", "Type", "int | None", "str | None", "bool | None", "tuple[str, ...]"})


def children(cls: type[Node]) -> tuple[str, ...]:
    """Names of the parts of a kind of node that may hold nodes."""
    found = _CHILDREN.get(cls)
    if found is None:
        found = _CHILDREN[cls] = tuple([part.name for part in fields(cls) if part.type not in _PLAIN])
    return found


def nodes(part: Any, *, into_queries: bool = True) -> Iterator[Node]:
    """The nodes of a part of a tree, outer ones first; without ``into_queries`` those of no query inside it."""
    stack = [part]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(reversed(current))
        elif isinstance(current, Node):
            if isinstance(current, QueryNode) and not into_queries and current is not part:
                continue
            yield current
            stack.extend([getattr(current, name) for name in reversed(children(type(current)))])
