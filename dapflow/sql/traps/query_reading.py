"""A statement as the rules read it: its tree, what is known of its tables, and ways through the tree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from dapflow.errors import Severity
from dapflow.trino.syntax import tree

NodeKind = TypeVar("NodeKind", bound=tree.Node)


class Trap(NamedTuple):
    """What a rule found; ``pos`` is an offset in the text."""

    code: str
    message: str
    pos: int
    hint: str
    severity: Severity = "warning"


class KnownTable(NamedTuple):
    """What is known of a table: its columns, those that tell generations apart, and whether it holds all of them."""

    columns: tuple[str, ...]
    generation: tuple[str, ...] = ()
    history: bool = False


@dataclass(frozen=True)
class QueryReading:
    """A statement, and what is known of it.

    ``table`` gives what is known of a table by the parts of its name, or None. ``divisions`` are the offsets of the
    operators that divide whole numbers. ``product`` says that the statement is, or will be, a data product.
    """

    text: str
    query: tree.QueryNode
    table: Callable[[tuple[str, ...]], KnownTable | None]
    aggregates: Collection[str] = ()
    divisions: Collection[int] = ()
    product: bool = False

    @cached_property
    def _by_kind(self) -> dict[type, list[Any]]:
        by_kind: dict[type, list[Any]] = defaultdict(list)
        for node in tree.nodes(self.query):
            by_kind[type(node)].append(node)
        return by_kind

    def every(self, kind: type[NodeKind]) -> Sequence[NodeKind]:
        """The nodes of a kind in the whole statement, outer ones first."""
        return self._by_kind.get(kind, ())

    @cached_property
    def ctes(self) -> dict[str, tree.QueryNode]:
        """The queries of WITH by name."""
        return {node.name: node.query for node in self.every(tree.Cte)}

    def known(self, node: tree.TableNode) -> KnownTable | None:
        """What is known of a table; None for a query of WITH."""
        return None if node.parts[0] in self.ctes and len(node.parts) == 1 else self.table(node.parts)

    def named_query(self, node: tree.RelationNode) -> tree.QueryNode | None:
        """The query that a relation is: a subquery, or one of WITH."""
        node = bare(node)
        if isinstance(node, tree.SubqueryNode):
            return node.query
        if isinstance(node, tree.TableNode) and len(node.parts) == 1:
            return self.ctes.get(node.parts[0])
        return None

    def gives_one_row(self, query: tree.QueryNode, around: tuple[tree.QueryNode, ...] = ()) -> bool:
        """Whether a query is sure to give one row at most: by LIMIT 1, by aggregates without groups, without FROM."""
        if isinstance(query.limit, tree.Literal) and query.limit.value == "1":
            return True
        body = query.body
        if isinstance(body, tree.Nested):
            return self.gives_one_row(body.query, around)
        if isinstance(body, tree.Values):
            return len(body.rows) == 1
        if not isinstance(body, tree.Select) or body.groups is not None:
            return False
        calls = (node for node in tree.nodes(body.items, into_queries=False) if isinstance(node, tree.Call))
        if body.source is None or any(call.name in self.aggregates and call.over is None for call in calls):
            return True
        inner = self.named_query(body.source)
        # A query of WITH may read itself.
        return inner is not None and inner not in around and self.gives_one_row(inner, (*around, query))


def conjuncts(condition: tree.Expr | None) -> Iterator[tree.Expr]:
    """The conditions that AND joins."""
    if isinstance(condition, tree.Logical) and condition.op == "AND":
        for term in condition.terms:
            yield from conjuncts(term)
    elif condition is not None:
        yield condition


def column(node: tree.Node) -> tuple[str, ...] | None:
    """The parts of a column's name; None for another expression."""
    names: list[str] = []
    while isinstance(node, tree.Deref):
        names.append(node.name)
        node = node.base
    return (node.name, *reversed(names)) if isinstance(node, tree.Ident) else None


def columns(part: Any) -> Iterator[tuple[str, ...]]:
    """The columns that a part names, those of no query inside it, and each once: not `t` and `x` of `t.x` too."""
    stack = [part]
    while stack:
        current = stack.pop()
        name = column(current) if isinstance(current, tree.Ident | tree.Deref) else None
        if name is not None:
            yield name
        elif isinstance(current, tuple):
            stack.extend(current)
        elif isinstance(current, tree.Node) and not isinstance(current, tree.QueryNode):
            stack.extend(tree.children(current))


def bare(node: tree.RelationNode) -> tree.RelationNode:
    """A relation without its alias."""
    while isinstance(node, tree.AliasNode | tree.SampleNode):
        node = node.relation
    return node


def relations(node: tree.RelationNode | None) -> Iterator[tree.RelationNode]:
    """The relations that FROM joins, with their aliases."""
    if isinstance(node, tree.JoinNode):
        yield from relations(node.left)
        yield from relations(node.right)
    elif node is not None:
        yield node


def called(node: tree.RelationNode) -> set[str]:
    """The names by which columns of a relation, or of a join, can be qualified."""
    names = set()
    for relation in relations(node):
        while isinstance(relation, tree.SampleNode):
            relation = relation.relation  # noqa: PLW2901
        if isinstance(relation, tree.AliasNode):
            names.add(relation.name)
        elif isinstance(relation, tree.TableNode):
            names.add(relation.parts[-1])
    return names
