"""Calls of aggregates and window functions, and the windows that they are computed over."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.calls import GivenLambda, Resolved, argument, named_function, resolved, scalar
from dapflow.trino.analysis.canonical import same
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import condition
from dapflow.trino.analysis.forms import FORMS
from dapflow.trino.analysis.ordering import order_keys
from dapflow.trino.analysis.typed import Unchecked
from dapflow.trino.analysis.typed_calls import Aggregate, SortKey, WindowCall
from dapflow.trino.analysis.windows import window
from dapflow.trino.functions import Function
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT


def call(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """Any call."""
    form = FORMS.get(node.name)
    if form is not None and node.over is None and len(node.args) <= 127:
        return form(node, context)
    function = named_function(node, context)
    if isinstance(function, Unchecked):
        return function
    if function.kind == "scalar":
        return scalar(node, context)
    if function.kind == "window" and node.over is None:
        return context.fault("MISSING_OVER", node, f"Window function {node.name} requires an OVER clause")
    return _misplaced(node, context) or _aggregate(node, function, context)


def at_time_zone(node: tree.AtTimeZone, context: AnalysisContext) -> typed.Expr:
    """x AT TIME ZONE zone."""
    return call(tree.Call(node.pos, "at_timezone", (node.expr, node.zone)), context)


def _misplaced(node: tree.Call, context: AnalysisContext) -> Unchecked | None:
    if context.plain_clause is not None:
        problem = f"{context.plain_clause} cannot contain aggregations, window functions or grouping operations"
        return context.fault("EXPRESSION_NOT_SCALAR", node, f"{problem}: [{node.name}]")
    if node.over is None and context.in_aggregate:
        problem = f"Cannot nest aggregations inside aggregation '{node.name}'"
        return context.fault("NESTED_AGGREGATION", node, problem)
    if node.over is not None and (context.in_aggregate or context.in_window):
        problem = f"Cannot nest window functions inside a window or an aggregation: {node.name}"
        return context.fault("NESTED_WINDOW", node, problem)
    return None


def _aggregate(node: tree.Call, function: Function, context: AnalysisContext) -> typed.Expr:
    within = context._replace(in_aggregate=True) if node.over is None else context._replace(in_window=True)
    if node.over is not None:
        within = within._replace(in_aggregate=context.in_aggregate)
    args = [argument(a, within) for a in node.args]
    keys = order_keys(node.order, within)
    _check_distinct_order(node, args, keys, context)
    condition_found = condition(node.filter, "FILTER expression", within) if node.filter is not None else None
    over = window(node.over, within) if node.over is not None else None
    fault = _not_allowed(node, function, context)
    if fault is not None:
        return fault
    place = context.place(node)
    if node.name == "count" and not args:
        bound = Resolved(BIGINT, None, ())
    else:
        chosen = resolved(node, args, within)
        if isinstance(chosen, Unchecked):
            return chosen
        bound = chosen
    if over is None:
        return Aggregate(
            type=bound.type,
            place=place,
            name=node.name,
            signature=bound.signature,
            args=bound.args,
            distinct=node.distinct,
            order=keys,
            filter=condition_found,
            extra=node.extra,
        )
    return WindowCall(
        type=bound.type,
        place=place,
        name=node.name,
        signature=bound.signature,
        args=bound.args,
        window=over,
        filter=condition_found,
        ignore_nulls=node.nulls == "IGNORE",
    )


def _not_allowed(node: tree.Call, function: Function, context: AnalysisContext) -> Unchecked | None:
    """What a call over a window, or of this function, may not say."""
    if node.over is not None:
        if node.order:
            return context.fault("NOT_SUPPORTED", node, "Window function with ORDER BY is not supported")
        if node.distinct:
            problem = f"DISTINCT in window function parameters not yet supported: {node.name}"
            return context.fault("NOT_SUPPORTED", node, problem)
        if node.filter is not None and function.kind == "window":
            return context.fault("FUNCTION_NOT_AGGREGATE", node, f"FILTER is not allowed for {node.name}")
        if node.name in {"lag", "lead"}:
            fault = _check_shift(node, node.over, context)
            if fault is not None:
                return fault
    if node.nulls and function.kind != "window":
        problem = f"Cannot specify null treatment clause for {node.name} function"
        return context.fault("NULL_TREATMENT_NOT_ALLOWED", node, problem)
    return None


def _check_shift(node: tree.Call, over: tree.Window, context: AnalysisContext) -> Unchecked | None:
    """lag and lead count rows of an order, whatever the frame."""
    named = context.windows.get(over.existing or "", over)
    if not (over.order or named.order):
        problem = f"{node.name} function requires an ORDER BY window clause"
        return context.fault("MISSING_ORDER_BY", over, problem)
    if over.unit or named.unit:
        return context.fault("INVALID_WINDOW_FRAME", over, f"Cannot specify window frame for {node.name} function")
    return None


def _check_distinct_order(
    node: tree.Call, args: Sequence[typed.Expr | GivenLambda], keys: Sequence[SortKey], context: AnalysisContext
) -> None:
    """Distinct values can be put in order only by what tells them apart."""
    if not node.distinct:
        return
    for item, key in zip(node.order, keys, strict=True):
        if not any(isinstance(a, typed.Expr) and same(a, key.expr) for a in args):
            problem = "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments"
            context.fault("EXPRESSION_NOT_IN_DISTINCT", item.expr, problem)
