"""Where the nodes of a tree stand in the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from dapflow.trino.analysis.findings import Place
from dapflow.trino.syntax import tree

#: Nodes whose place for errors is not where they begin.
_AROUND = frozenset(
    {
        tree.AliasNode,
        tree.AtTimeZone,
        tree.Between,
        tree.Binary,
        tree.Deref,
        tree.InList,
        tree.InQuery,
        tree.IsNull,
        tree.JoinNode,
        tree.Like,
        tree.Logical,
        tree.Not,
        tree.Quantified,
        tree.SampleNode,
        tree.SetOperation,
        tree.Subscript,
    }
)

#: Makes a place without the detour of a constructor of Python's own; there are many.
_place: Callable[[tuple[int, int, int]], Place] = partial(tuple.__new__, Place)


@dataclass
class Places:
    """Places of nodes, each computed once."""

    known: dict[int, tuple[tree.Node, Place]] = field(default_factory=dict)

    def of(self, node: tree.Node) -> Place:
        """From the first character of the node's first part to the last of its last."""
        start, end = node.pos, node.end
        if end and (type(node) not in _AROUND or (type(node) is tree.Deref and type(node.base) is tree.Ident)):
            return _place((start, end, start))
        known = self.known.get(id(node))
        if known is not None:
            return known[1]
        parts = _parts(node)
        # They stand in the order of the text.
        for part in (parts[0], parts[-1]) if len(parts) > 1 else parts:
            inner = self.of(part)
            start, end = min(start, inner.start), max(end, inner.end)
        place = Place(start, max(end, start), node.pos)
        # The node is kept, so that no other one gets its identity.
        self.known[id(node)] = (node, place)
        return place


def _parts(node: tree.Node) -> list[tree.Node]:
    parts: list[tree.Node] = []
    _add(tree.children(node), parts)
    return parts


def _add(part: object, nodes: list[tree.Node]) -> None:
    if isinstance(part, tree.Node):
        nodes.append(part)
    elif isinstance(part, tuple):
        for item in part:
            _add(item, nodes)
