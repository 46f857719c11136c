"""Calls of functions, aggregates and window functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.typed import ColumnRef
from dapflow.trino.analysis.typed_calls import Aggregate, Call, WindowCall
from dapflow.trino.analysis.walk import correlated, within
from dapflow.trino.duckdb import resolution
from dapflow.trino.duckdb.functions import REGISTRY
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import Computed, Sql, joined, sql
from dapflow.trino.duckdb.resolution import CallTemplate, LambdaValue, Modifiers, render
from dapflow.trino.duckdb.sorting import ordering
from dapflow.trino.duckdb.values import Value
from dapflow.trino.duckdb.windows import window
from dapflow.trino.functions import FUNCTIONS


def call(node: Call, lowering: Lowering) -> Value:
    """A call of a scalar function."""
    return Value(_rendered(node, Modifiers(), (), lowering), node.type)


def attempt(node: Call, lowering: Lowering) -> Value:
    """A call that gives NULL where it would fail, of a function that has such a way."""
    template = REGISTRY.attempts[node.signature or ""]
    return Value(render(_call(node, template, Modifiers(), (), lowering)), node.type)


def aggregate(node: Aggregate, lowering: Lowering, own: Sql) -> Sql:
    """A call of an aggregate. `own` is a column of its SELECT's own that is always true."""
    conditions = [] if node.filter is None else [lowering.sql(node.filter)]
    if is_of_outer_columns(node):
        # DuckDB takes it for an aggregate of the query that the columns are of.
        conditions.append(own)
    modifiers = Modifiers(
        distinct=node.distinct,
        order=ordering(node.order, lowering) if node.order else None,
        filter=joined(" AND ", conditions) if conditions else None,
    )
    return Computed(_rendered(node, modifiers, node.extra, lowering))


def is_of_outer_columns(node: Aggregate) -> bool:
    """Whether an aggregate is given columns of queries around it, and none of its own."""
    return correlated(node) and not any(isinstance(part, ColumnRef) and part.outer == 0 for part in within(node))


def window_call(node: WindowCall, lowering: Lowering) -> Sql:
    """A window function, or an aggregate over a window."""
    modifiers = Modifiers(
        ignore_nulls=node.ignore_nulls,
        filter=None if node.filter is None else lowering.sql(node.filter),
        over=window(node.window, lowering),
    )
    return Computed(_rendered(node, modifiers, (), lowering))


def _rendered(
    node: Call | Aggregate | WindowCall, modifiers: Modifiers, extra: tuple[Any, ...], lowering: Lowering
) -> Sql:
    if node.signature is None:
        return sql("count(*)$tail", tail=modifiers.slots()["tail"])
    template = REGISTRY.templates.get(node.signature)
    if template is None:
        lowering.unsupported(f"Function {node.name}", node.place)
    return render(_call(node, template, modifiers, extra, lowering))


def _call(
    node: Call | Aggregate | WindowCall,
    template: CallTemplate,
    modifiers: Modifiers,
    extra: tuple[Any, ...],
    lowering: Lowering,
) -> resolution.LoweredCall:
    return resolution.LoweredCall(
        name=node.name,
        kind=FUNCTIONS[node.name].kind,
        template=template,
        args=[_argument(arg, lowering) for arg in node.args],
        type=node.type,
        place=node.place,
        lowering=lowering,
        modifiers=modifiers,
        extra=extra,
    )


def _argument(node: typed.Expr, lowering: Lowering) -> Value | LambdaValue:
    if not isinstance(node, typed.Lambda):
        return lowering.value(node)

    def body(given: Sequence[Sql]) -> Sql:
        numbers = [parameter.number for parameter in node.parameters]
        lowering.notes.parameters.update(zip(numbers, given, strict=True))
        return lowering.sql(node.body)

    return LambdaValue([parameter.type for parameter in node.parameters], node.type, body)
