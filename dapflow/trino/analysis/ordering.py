"""Keys of ORDER BY."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.typed_calls import SortKey
from dapflow.trino.coercion import orderable
from dapflow.trino.syntax import tree


def order_keys(items: Sequence[tree.SortItem], context: AnalysisContext) -> tuple[SortKey, ...]:
    """The keys of an ORDER BY within a call or window."""
    return tuple(sort_key(item, context.visit(item.expr), context) for item in items)


def sort_key(item: tree.SortItem, expr: typed.Expr, context: AnalysisContext) -> SortKey:
    """One key of an ORDER BY."""
    if not orderable(expr.type):
        problem = f"Type {expr.type} is not orderable, and therefore cannot be used in ORDER BY"
        context.fault("TYPE_MISMATCH", item, problem)
    return SortKey(expr, item.descending, bool(item.nulls_first))
