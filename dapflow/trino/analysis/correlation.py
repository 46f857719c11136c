"""What Trino does not take of queries that refer to a query around them."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import constant
from dapflow.trino.analysis.names import field_of
from dapflow.trino.analysis.select_items import Item
from dapflow.trino.analysis.typed import Coerce, ColumnRef, Comparison
from dapflow.trino.analysis.walk import correlated, within
from dapflow.trino.syntax import tree

_PROBLEM = "Given correlated subquery is not supported"


def check_having(node: tree.Select, context: AnalysisContext) -> None:
    """Refuse HAVING over all correlated rows, which is no filter of groups: see ``visitAggregation`` as below."""
    if node.having is not None:
        context.fault("NOT_SUPPORTED", node, _PROBLEM)


def check_limit(
    node: tree.Select, where: typed.Expr, limit: typed.Expr, *, ordered: bool, context: AnalysisContext
) -> None:
    """Refuse a correlated LIMIT where Trino does: it must be told by equality which rows belong together.

    LIMIT 1 gives only columns that are told so, unless the rows are ordered. See ``visitLimit`` and ``visitTopN`` in
    https://github.com/trinodb/trino/blob/433/core/trino-main/src/main/java/io/trino/sql/planner/optimizations/PlanNodeDecorrelator.java
    """
    held: set[tuple[int, int]] = set()
    for term in where.terms if isinstance(where, typed.Logical) and where.op == "AND" else (where,):
        refs = [part for part in within(term) if isinstance(part, ColumnRef)]
        if not correlated(term) or not any(ref.outer == 0 for ref in refs):
            continue
        sides = [_without_coercion(side) for side in _compared(term)]
        own = [side for side in sides if isinstance(side, ColumnRef) and side.outer == 0]
        floats = sum(side.type.base in {"double", "real"} for side in sides)
        if not own or floats == 1:
            context.fault("NOT_SUPPORTED", node, _PROBLEM)
            return
        held.update((ref.relation, ref.position) for ref in own)
    outputs = [item.expr if isinstance(item, tree.SelectItem) else None for item in node.items]
    if not ordered and constant(limit) == 1 and not all(_is_held(output, held, context) for output in outputs):
        context.fault("NOT_SUPPORTED", node, _PROBLEM)


def _compared(term: typed.Expr) -> tuple[typed.Expr, ...]:
    return (term.left, term.right) if isinstance(term, Comparison) and term.op == "=" else ()


def _without_coercion(expr: typed.Expr) -> typed.Expr:
    return expr.expr if isinstance(expr, Coerce) else expr


def _is_held(expr: tree.Expr | None, held: set[tuple[int, int]], context: AnalysisContext) -> bool:
    if expr is None or isinstance(expr, tree.Literal):
        return expr is not None
    field = field_of(expr, context)
    return field is not None and (field.relation, field.position) in held


def check_outer_columns(
    node: tree.Select, limit: typed.Expr | None, items: Sequence[Item], context: AnalysisContext
) -> None:
    """Refuse LIMIT beside all columns of an outer table, as Trino does."""
    if limit is None or (node.source is None and constant(limit) != 0) or _one_row(node.source):
        return
    for item in items:
        if item.field is not None and item.outer:
            context.fault("NOT_SUPPORTED", item.expr, _PROBLEM)
            return


def _one_row(node: tree.RelationNode | None) -> bool:
    """Whether a relation is VALUES with a single row."""
    body = node.query.body if isinstance(node, tree.SubqueryNode) else None
    return isinstance(body, tree.Values) and len(body.rows) == 1
