"""What is written like a function and has rules of its own."""

from __future__ import annotations

from collections.abc import Callable

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import condition, unified
from dapflow.trino.coercion import common
from dapflow.trino.syntax import tree
from dapflow.trino.types import VARCHAR, display_name, grouping_type


def coalesce(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """COALESCE."""
    if len(node.args) < 2:
        name = "INVALID_ARGUMENTS" if node.args else "SYNTAX_ERROR"
        return context.fault(name, node, "The 'coalesce' function must have at least two arguments")
    args, t = unified([context.visit(a) for a in node.args], node.args, "All COALESCE operands", context)
    return typed.Coalesce(type=t, place=context.place(node), args=args)


def if_(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """IF, which is a CASE."""
    if len(node.args) not in {2, 3}:
        return context.fault("SYNTAX_ERROR", node, "Invalid number of arguments for 'if' function")
    test = condition(node.args[0], "IF condition", context)
    branches = node.args[1:]
    results, t = unified([context.visit(a) for a in branches], branches, "Result types for IF", context)
    default = results[1] if len(results) > 1 else None
    return typed.Case(type=t, place=context.place(node), operand=None, whens=((test, results[0]),), default=default)


def nullif(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """NULLIF."""
    if len(node.args) != 2:
        return context.fault("SYNTAX_ERROR", node, "Invalid number of arguments for 'nullif' function")
    first, second = context.visit(node.args[0]), context.visit(node.args[1])
    both = common(first.type, second.type)
    if both is None:
        problem = f"Types are not comparable with NULLIF: {first.type} vs {second.type}"
        return context.fault("TYPE_MISMATCH", node, problem)
    return typed.NullIf(type=first.type, place=context.place(node), first=first, second=second, common=both)


def try_(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """TRY."""
    if len(node.args) != 1:
        return context.fault("SYNTAX_ERROR", node, "The 'try' function must have exactly one argument")
    inner = context.visit(node.args[0])
    return typed.Try(type=inner.type, place=context.place(node), expr=inner)


def typeof(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """TYPEOF, which is known now."""
    if len(node.args) != 1:
        problem = "Unexpected parameters for function typeof. Expected: typeof(t)"
        return context.fault("FUNCTION_NOT_FOUND", node, problem)
    shown = display_name(context.visit(node.args[0]).type)
    return typed.Literal(type=VARCHAR, place=context.place(node), value=shown)


def grouping(node: tree.Call, context: AnalysisContext) -> typed.Expr:
    """GROUPING; its arguments are found among the keys when the query's keys are known."""
    if not context.grouped:
        problem = (
            "A GROUPING() operation can only be used with a corresponding GROUPING SET/CUBE/ROLLUP/GROUP BY clause"
        )
        return context.fault("MISSING_GROUP_BY", node, problem)
    args = tuple(context.visit(a) for a in node.args)
    return typed.GroupingOf(type=grouping_type(len(args)), place=context.place(node), args=args)


FORMS: dict[str, Callable[[tree.Call, AnalysisContext], typed.Expr]] = {
    "coalesce": coalesce,
    "if": if_,
    "nullif": nullif,
    "try": try_,
    "typeof": typeof,
    "grouping": grouping,
}
