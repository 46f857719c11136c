"""Expressions as the types that are wanted of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.typed import Coerce
from dapflow.trino.coercion import can_coerce, castable, common
from dapflow.trino.syntax import tree
from dapflow.trino.types import BOOLEAN, UNKNOWN, Type


def coerce(expr: typed.Expr, target: Type) -> typed.Expr:
    """A value as the type wanted; the caller knows that it may be coerced."""
    return expr if expr.type is target or expr.type == target else Coerce(type=target, place=expr.place, expr=expr)


def constant(expr: typed.Expr) -> Any:
    """The value of a literal, or None."""
    if isinstance(expr, typed.Literal):
        return expr.value
    if isinstance(expr, Coerce) or (isinstance(expr, typed.Cast) and expr.type.base == expr.expr.type.base):
        return constant(expr.expr)
    return None


def expect_type(node: tree.Expr, t: Type, what: str, context: AnalysisContext) -> typed.Expr:
    """An expression that must be of a type."""
    expr = context.visit(node)
    if not can_coerce(expr.type, t):
        return context.fault("TYPE_MISMATCH", node, f"{what} must evaluate to a {t}: actual type {expr.type}")
    return coerce(expr, t)


def condition(node: tree.Expr, what: str, context: AnalysisContext) -> typed.Expr:
    """An expression that must be true or false."""
    return expect_type(node, BOOLEAN, what, context)


def unified(
    exprs: Sequence[typed.Expr], nodes: Sequence[tree.Expr], what: str, context: AnalysisContext
) -> tuple[tuple[typed.Expr, ...], Type]:
    """Expressions as one type."""
    both: Type = UNKNOWN
    for expr, node in zip(exprs, nodes, strict=True):
        wider = common(both, expr.type)
        if wider is None:
            shown = ", ".join(dict.fromkeys(str(expr.type) for expr in exprs))
            fault = context.fault(
                "TYPE_MISMATCH",
                node,
                f"{what} must be the same type or coercible to a common type. "
                f"Cannot find common type between {both} and {expr.type}, all types (without duplicates): [{shown}]",
            )
            return tuple(exprs), fault.type
        both = wider
    return tuple(coerce(expr, both) for expr in exprs), both


def cast(node: tree.Cast, context: AnalysisContext) -> typed.Expr:
    """CAST or TRY_CAST."""
    expr, t = context.visit(node.expr), node.type
    if not carried(t, node, context) or not carried(expr.type, node.expr, context):
        return typed.Cast(type=t, place=context.place(node), expr=expr, safe=node.safe)
    if not castable(expr.type, t):
        context.fault("TYPE_MISMATCH", node, f"Cannot cast {expr.type} to {t}")
    return typed.Cast(type=t, place=context.place(node), expr=expr, safe=node.safe)


_NOT_CARRIED = frozenset({"hyperloglog", "HyperLogLog", "qdigest", "tdigest", "JsonPath", "color"})


def carried(t: Type, node: tree.Expr, context: AnalysisContext) -> bool:
    """Whether values of a type can be had; if not, that is noted at the node that names it."""
    if t.base in {"timestamp", "timestamp_tz", "time", "time_tz"} and t.precision > 6:
        context.limit(f"{t} (the finest precision is 6)", node)
    elif t.base == "decimal" and (t.precision > 38 or t.precision < 1 or t.scale > t.precision):
        name = "INVALID_FUNCTION_ARGUMENT" if t.precision > 38 else "TYPE_MISMATCH"
        context.fault(name, node, f"Invalid DECIMAL type: {t}")
    elif t.base in _NOT_CARRIED:
        context.limit(f"The type {t}", node)
    else:
        return all(carried(part, node, context) for part in t.args)
    return False
