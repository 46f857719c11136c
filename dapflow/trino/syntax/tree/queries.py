"""What stands in FROM, and what stands before ORDER BY."""

from __future__ import annotations

from dataclasses import dataclass, field

from dapflow.trino.syntax.tree.expressions import Ident, Window
from dapflow.trino.syntax.tree.nodes import BodyNode, Expr, Node, QueryNode, RelationNode


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
class GroupingElement(Node):
    """`kind`: simple, rollup, cube, sets; `sets` are lists of expressions."""

    kind: str
    sets: tuple[tuple[Expr, ...], ...]


@dataclass(slots=True, unsafe_hash=True)
class Select(BodyNode):
    """One SELECT without ORDER BY and LIMIT."""

    distinct: bool
    items: tuple[SelectItem | AllColumns, ...]
    source: RelationNode | None
    where: Expr | None
    groups: tuple[GroupingElement, ...] | None
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
