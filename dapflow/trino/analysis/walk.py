"""Walking the typed tree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dapflow.trino.analysis.typed import ColumnRef, Expr
from dapflow.trino.analysis.typed_queries import Query, Source, WithQuery
from dapflow.trino.syntax.tree import Reader, reader
from dapflow.trino.types import Type

_NOT_NODES = frozenset({"place", "type", "columns", "relation", "with_query", "outer", "common"})
#: What typed nodes hold besides nodes and tuples, and how the fields that hold nothing else are declared.
_LEAVES = frozenset({str, int, float, bool, bytes, type(None), Type})
_PLAIN = frozenset(
    {"str", "int", "bool", "str | None", "tuple[str, ...]", "tuple[int, ...]", "tuple[tuple[int, ...], ...]"}
)
_FIELDS: dict[type, tuple[str, ...]] = {}
_READERS: dict[type, Reader] = {}


def _fields(cls: type) -> tuple[str, ...]:
    """Names of the fields of a kind of node that may hold nodes."""
    names = _FIELDS.get(cls)
    if names is None:
        held = (f.name for f in dataclasses.fields(cls) if f.name not in _NOT_NODES and f.type not in _PLAIN)
        names = _FIELDS[cls] = tuple(held)
    return names


def parts(node: Any) -> list[Any]:
    """The nodes right below a node; a WITH query is below the query that defines it alone."""
    cls = type(node)
    read = _READERS.get(cls)
    if read is None:
        read = _READERS[cls] = reader(_fields(cls))
    below: list[Any] = []
    for part in read(node):
        kind = type(part)
        if kind is tuple:
            _add_items(part, below)
        elif kind not in _LEAVES:
            below.append(part)
    return below


def _add_items(items: tuple[Any, ...], nodes: list[Any]) -> None:
    for item in items:
        kind = type(item)
        if kind is tuple:
            _add_items(item, nodes)
        elif kind not in _LEAVES:
            nodes.append(item)


def within(node: Any) -> Iterator[Any]:
    """A node and all below it, but not what is in subqueries; these come themselves."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, Query):
            pending += reversed(parts(node))


def deep(node: Any) -> Iterator[Any]:
    """A node and all below it, subqueries included."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(parts(node))


def outer_references(query_parts: Iterable[Any]) -> tuple[ColumnRef, ...]:
    """References in the parts of a query to relations that are not its own."""
    own: set[int] = set()
    references: dict[ColumnRef, None] = {}
    for part in query_parts:
        for node in within(part):
            if isinstance(node, Source):
                own.add(node.number)
            elif isinstance(node, ColumnRef):
                references[node] = None
            elif isinstance(node, Query):
                references.update(dict.fromkeys(node.outer))
    return tuple(reference for reference in references if reference.relation not in own)


def correlated(expr: Expr) -> bool:
    """Whether an expression refers to a query around its own, or holds a subquery that refers to its own."""
    for node in within(expr):
        if (isinstance(node, ColumnRef) and node.outer > 0) or (isinstance(node, Query) and node.outer):
            return True
    return False


def rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A node whose parts were changed; the node itself if none was. Subqueries stay as they are."""
    changes = {}
    for name in _fields(type(node)):
        before = getattr(node, name)
        after = _changed(before, change)
        if after is not before:
            changes[name] = after
    return dataclasses.replace(node, **changes) if changes else node


def _changed(part: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(part, tuple):
        changed = tuple([_changed(item, change) for item in part])
        return part if all(a is b for a, b in zip(part, changed, strict=True)) else changed
    if type(part) in _LEAVES or isinstance(part, Query | WithQuery):
        return part
    return change(part) if isinstance(part, Expr) else rebuilt(part, change)
