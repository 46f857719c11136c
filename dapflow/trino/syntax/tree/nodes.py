"""What all parts of a tree have in common, and a whole query."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, unsafe_hash=True)
class Node:
    """Anything that has a place in the text; `end` is where it ends, 0 where that is the end of its last part."""

    pos: int = field(compare=False)
    end: int = field(default=0, compare=False, kw_only=True, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class Expr(Node):
    """An expression."""


@dataclass(slots=True, unsafe_hash=True)
class RelationNode(Node):
    """What may stand in FROM."""


@dataclass(slots=True, unsafe_hash=True)
class BodyNode(Node):
    """SELECT, VALUES, TABLE t, a set operation or a query in parentheses."""


@dataclass(slots=True, unsafe_hash=True)
class SortItem(Node):
    """One key of an ORDER BY."""

    expr: Expr
    descending: bool = False
    nulls_first: bool | None = None


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
