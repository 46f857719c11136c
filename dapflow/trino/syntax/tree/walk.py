"""The walk through a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from dapflow.trino.syntax.tree.nodes import Node, QueryNode

_COMPARED: dict[type, tuple[str, ...]] = {}


def compared(cls: type[Node]) -> tuple[str, ...]:
    """Names of the parts of a kind of node that tell two of the kind apart."""
    names = _COMPARED.get(cls)
    if names is None:
        names = _COMPARED[cls] = tuple([part.name for part in fields(cls) if part.compare])
    return names


_CHILDREN: dict[type, tuple[str, ...]] = {}
_PLAIN = frozenset({"int", "str", "bool", "Type", "int | None", "str | None", "bool | None", "tuple[str, ...]"})


def children(cls: type[Node]) -> tuple[str, ...]:
    """Names of the parts of a kind of node that may hold nodes."""
    names = _CHILDREN.get(cls)
    if names is None:
        names = _CHILDREN[cls] = tuple([part.name for part in fields(cls) if part.type not in _PLAIN])
    return names


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
