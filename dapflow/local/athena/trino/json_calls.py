"""The SQL standard's JSON functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.local.athena.trino import tree

if TYPE_CHECKING:
    from dapflow.local.athena.trino.analyser import Analyser
    from dapflow.local.athena.trino.values import Value


def json_call(analyser: Analyser, node: tree.JsonCall) -> Value:
    """JSON_VALUE, JSON_QUERY, JSON_EXISTS, JSON_OBJECT or JSON_ARRAY."""
    analyser.unit.unsupported(f"Function {node.name}", node.pos)
