"""The walk through a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from dapflow.trino.syntax.tree.nodes import Node, QueryNode

_COMPARED: dict[type, tuple[str, ...]] = {}


def compared(cls: type[Node]) -> tuple[str, ...]:
    """Names of the parts of a kind of node that tell two of the kind apart."""
    names = _COMPARED.get(cls)
    if names is None:
        names = _COMPARED[cls] = tuple([part.name for part in fields(cls) if part.compare])
    return names


Reader = Callable[[Any], tuple[Any, ...]]


def reader(names: Sequence[str]) -> Reader:
    """What reads these attributes of an object, all at once."""
    if not names:
        return lambda node: ()
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda node: (read(node),)


_CHILDREN: dict[type, Reader] = {}
_PLAIN = frozenset({"int", "str", "bool", "Type", "int | None", "str | None", "bool | None", "tuple[str, ...]"})

#: What often stands among the parts of nodes and is none.
_NO_NODES = frozenset({type(None), str, bool, int})


def children(node: Node) -> tuple[Any, ...]:
    """The parts of a node that may be nodes or hold some: nodes, tuples and others."""
    cls = type(node)
    read = _CHILDREN.get(cls)
    if read is None:
        read = _CHILDREN[cls] = reader([part.name for part in fields(cls) if part.type not in _PLAIN])
    return read(node)


def nodes(part: Any, *, into_queries: bool = True) -> Iterator[Node]:
    """The nodes of a part of a tree, outer ones first; without ``into_queries`` those of no query inside it."""
    stack = [part]
    pop, extend = stack.pop, stack.extend
    while stack:
        current = pop()
        kind = type(current)
        if kind is tuple:
            extend(current[::-1])
        elif kind not in _NO_NODES and isinstance(current, Node):
            if kind is QueryNode and not into_queries and current is not part:
                continue
            yield current
            if below := children(current):
                extend(below[::-1])
