"""What holds of every typed tree without findings, whatever the text: what its readers rely on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.typed_queries import OutputColumn, Query, QueryBody, Select, SetOperation, Source, Values
from dapflow.trino.analysis.walk import parts, within
from dapflow.trino.coercion import can_coerce
from dapflow.trino.types import BIGINT, BOOLEAN, Type

Columns = Mapping[int, tuple[OutputColumn, ...]]


def broken(query: Query, text: str) -> list[str]:
    """What does not hold."""
    return list(_query(query, {}, text))


def _query(query: Query, around: Columns, text: str) -> Iterator[str]:
    for with_query in query.with_queries:
        if with_query.query is not None:
            yield from _query(with_query.query, around, text)
    known = dict(around)
    for node in within(query.body):
        if isinstance(node, Source) and node.columns:
            known[node.number] = node.columns
    body = query.body
    select = body if isinstance(body, Select) else None
    outputs = body.columns
    for root in (body, *query.order, query.limit, query.offset):
        if root is not None:
            yield from _tree(root, known, select, outputs, text)


def _tree(
    root: Any, known: Columns, select: Select | None, outputs: tuple[OutputColumn, ...], text: str
) -> Iterator[str]:
    if isinstance(root, Query):
        yield from _query(root, known, text)
        return
    if isinstance(root, QueryBody):
        select, outputs = (root if isinstance(root, Select) else None), root.columns
        if isinstance(root, Select | Values):
            rows = [root.items] if isinstance(root, Select) else root.rows
            for row in rows:
                if [expr.type for expr in row] != [column.type for column in root.columns]:
                    yield f"columns of {type(root).__name__}"
        if isinstance(root, SetOperation):
            yield from _set_operation(root, known, text)
            return
    if isinstance(root, typed.Expr):
        yield from _expression(root, known, select, outputs, text)
    for part in parts(root):
        yield from _tree(part, known, select, outputs, text)


def _set_operation(node: SetOperation, known: Columns, text: str) -> Iterator[str]:
    wanted = [column.type for column in node.columns]
    for side, items in ((node.left, node.left_items), (node.right, node.right_items)):
        if [item.type for item in items] != wanted:
            yield "sides of a set operation"
        for item in items:
            yield from _tree(item, known, None, side.columns, text)
        yield from _tree(side, known, None, side.columns, text)


def _expression(
    node: typed.Expr, known: Columns, select: Select | None, outputs: tuple[OutputColumn, ...], text: str
) -> Iterator[str]:
    name = type(node).__name__
    if not 0 <= node.place.start <= node.place.at <= node.place.end <= len(text) and text:
        yield f"place of {name}: {node.place}"
    if isinstance(node, typed.Unchecked | typed.GroupingOf):
        yield f"{name} without a finding"
    if isinstance(node, typed.ColumnRef):
        columns = known.get(node.relation)
        if columns is None:
            yield f"unknown relation {node.relation} of {node.name}"
        elif columns[node.position].type != node.type:
            yield f"type of {node.name}: {node.type}, not {columns[node.position].type}"
    referred = _referred(node, select, outputs)
    if referred is not None and referred != node.type:
        yield f"type of {name}: {node.type}, not {referred}"
    if isinstance(node, typed.Coerce) and (node.expr.type == node.type or not can_coerce(node.expr.type, node.type)):
        yield f"coercion of {node.expr.type} to {node.type}"
    wanted = _wanted(node)
    for part, t in wanted:
        if part.type != t:
            yield f"{name}: {part.type} where {t} is wanted"


def _referred(node: typed.Expr, select: Select | None, outputs: tuple[OutputColumn, ...]) -> Type | None:
    """The type of what a reference within a query means."""
    if isinstance(node, typed.OutputRef):
        return outputs[node.position].type
    if isinstance(node, typed.KeyRef | typed.AggregateRef | typed.WindowRef):
        assert select is not None
        held: dict[type, tuple[typed.Expr, ...]] = {
            typed.KeyRef: select.keys,
            typed.AggregateRef: select.aggregates,
            typed.WindowRef: select.windows,
        }
        return held[type(node)][node.position].type
    return None


def _wanted(node: typed.Expr) -> list[tuple[typed.Expr, Type]]:  # noqa: PLR0911 - one line a kind of node
    """The parts of an expression whose types are given by it."""
    if isinstance(node, typed.Comparison):
        return [(node.right, node.left.type), (node, BOOLEAN)]
    if isinstance(node, typed.Logical):
        return [(term, BOOLEAN) for term in node.terms]
    if isinstance(node, typed.Between):
        return [(node.low, node.expr.type), (node.high, node.expr.type)]
    if isinstance(node, typed.InList):
        return [(item, node.expr.type) for item in node.items]
    if isinstance(node, typed.Case):
        results = [then for _, then in node.whens] + ([node.default] if node.default is not None else [])
        return [(result, node.type) for result in results] + [(when, BOOLEAN) for when, _ in node.whens]
    if isinstance(node, typed.Coalesce):
        return [(argument, node.type) for argument in node.args]
    if isinstance(node, typed.ArrayOf):
        return [(item, node.type.args[0]) for item in node.items]
    if isinstance(node, typed.Element):
        index = BIGINT if node.base.type.base == "array" else node.base.type.args[0]
        return [(node.index, index)]
    if isinstance(node, typed_queries.Quantified):
        return [(node.value, node.common)]
    return []
