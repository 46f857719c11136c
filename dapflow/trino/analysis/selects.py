"""SELECT: output columns, WHERE, groups, HAVING, DISTINCT and ORDER BY."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.canonical import canonical
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import condition, constant
from dapflow.trino.analysis.correlation import check_having, check_limit, check_outer_columns
from dapflow.trino.analysis.grouping import Extracted, combined, grouping_sets
from dapflow.trino.analysis.ordering import sort_key
from dapflow.trino.analysis.scopes import Scope
from dapflow.trino.analysis.select_items import Item, items_of
from dapflow.trino.analysis.typed import OutputRef
from dapflow.trino.analysis.typed_calls import SortKey
from dapflow.trino.analysis.typed_queries import OutputColumn, Source
from dapflow.trino.analysis.walk import correlated
from dapflow.trino.analysis.windows import named_windows
from dapflow.trino.coercion import comparable
from dapflow.trino.functions import AGGREGATES
from dapflow.trino.syntax import tree


@dataclass(frozen=True, slots=True)
class OrderedSelect:
    """A SELECT and the keys of the ORDER BY behind it."""

    select: typed_queries.Select
    order: tuple[SortKey, ...]


def select(
    node: tree.Select, context: AnalysisContext, order: Sequence[tree.SortItem] = (), limit: typed.Expr | None = None
) -> OrderedSelect:
    """One SELECT with the ORDER BY that follows it; the context's scope is what stands around the query."""
    relation = None
    if node.source is not None:
        relation = context.statement.visitor.relation(node.source, context, ())
    scope = Scope(relation.fields if relation is not None else (), context.scope)
    here = context.inside(scope)._replace(windows=named_windows(node, context.inside(scope)))
    where = None
    if node.where is not None:
        where = condition(node.where, "WHERE clause", here._replace(plain_clause="WHERE clause"))
        if node.groups is None and correlated(where):
            check_having(node, here)
            if limit is not None:
                check_limit(node, where, limit, ordered=bool(order), context=here)
    items = items_of(node, here)
    check_outer_columns(node, limit, items, here)
    by_keys = node.groups is not None
    calls = [] if by_keys else _calls((node.items, *(s.expr for s in order)))
    grouped = by_keys or node.having is not None or any(_is_aggregate(call) for call in calls)
    extracted = Extracted(here, grouped, by_keys, any(call.over is not None for call in calls))
    sets = _groups(node, items, extracted, here) if grouped else ()
    inside = here._replace(grouped=grouped)
    outputs = tuple(extracted.of(inside.visit(item.expr), item.expr) for item in items)
    having = None
    if node.having is not None:
        having = extracted.of(condition(node.having, "HAVING clause", inside), node.having)
    keys = _order(node, order, items, outputs, extracted, inside)
    if node.distinct:
        _check_distinct(node, outputs, here)
    columns = tuple(
        OutputColumn(item.written, expr.type, open=item.field is not None and item.field.open)
        for item, expr in zip(items, outputs, strict=True)
    )
    source: Source | None = relation.source if relation is not None else None
    return OrderedSelect(
        typed_queries.Select(
            columns=columns,
            place=context.place(node),
            source=source,
            where=where,
            grouped=grouped,
            keys=tuple(extracted.keys.exprs),
            sets=sets,
            aggregates=tuple(extracted.aggregates.exprs),
            having=having,
            windows=tuple(extracted.windows.exprs),
            items=outputs,
            distinct=node.distinct,
        ),
        keys,
    )


def _check_distinct(node: tree.Select, outputs: Sequence[typed.Expr], context: AnalysisContext) -> None:
    for expr, item in zip(outputs, node.items, strict=False):
        if not comparable(expr.type):
            problem = f"DISTINCT can only be applied to comparable types (actual: {expr.type})"
            context.fault("TYPE_MISMATCH", item, problem)
            return


# ----------------------------------------------------------------------------------------------------- groups
def _groups(
    node: tree.Select, items: Sequence[Item], extracted: Extracted, context: AnalysisContext
) -> tuple[tuple[int, ...], ...]:
    """The grouping sets, by places of keys; the keys are noted."""
    here = context._replace(plain_clause="GROUP BY clause")
    elements = []
    for grouping in node.groups or ():
        sets = [
            tuple(_key(_grouping_expression(expr, items, here), extracted, here) for expr in group)
            for group in grouping.sets
        ]
        elements.append(grouping_sets(grouping.kind, sets))
    return combined(elements, node.distinct_groups)


def _key(expr: tree.Expr, extracted: Extracted, context: AnalysisContext) -> int:
    key = context.visit(expr)
    if not comparable(key.type):
        problem = f"{key.type} is not comparable, and therefore cannot be used in GROUP BY"
        context.fault("TYPE_MISMATCH", expr, problem)
    if correlated(key):
        context.fault("NOT_SUPPORTED", expr, "Given correlated subquery is not supported")
    return extracted.keys.add(key)


def _grouping_expression(expr: tree.Expr, items: Sequence[Item], context: AnalysisContext) -> tree.Expr:
    """An expression of GROUP BY; a number stands for an output column."""
    if not isinstance(expr, tree.Literal) or expr.kind != "integer":
        return expr
    number = int(expr.value)
    if 1 <= number <= len(items):
        return items[number - 1].expr
    if not any(item.field is not None and item.field.open for item in items):
        context.fault("INVALID_COLUMN_REFERENCE", expr, f"GROUP BY position {number} is not in select list")
    return expr


# ------------------------------------------------------------------------------------------------------ order
def ordinal(item: tree.SortItem, columns: Sequence[Any], context: AnalysisContext) -> int | None:
    """The output column that an ORDER BY number means; None for what is no number, or a wrong one, which is noted."""
    if not isinstance(item.expr, tree.Literal) or item.expr.kind != "integer":
        return None
    number = int(item.expr.value)
    if 1 <= number <= len(columns):
        return number - 1
    context.fault("INVALID_COLUMN_REFERENCE", item.expr, f"ORDER BY position {number} is not in select list")
    return None


def _order(
    node: tree.Select,
    order: Sequence[tree.SortItem],
    items: Sequence[Item],
    outputs: Sequence[typed.Expr],
    extracted: Extracted,
    context: AnalysisContext,
) -> tuple[SortKey, ...]:
    if not order:
        return ()
    refs = [OutputRef(type=expr.type, place=expr.place, position=i) for i, expr in enumerate(outputs)]
    forms = [canonical(expr) for expr in outputs]
    names: dict[str, typed.Expr | None] = {}
    for i, output in enumerate(items):
        if output.name is not None:
            known = names.get(output.name, refs[i])
            both = isinstance(known, OutputRef) and forms[known.position] == forms[i]
            names[output.name] = known if both else None
    within = context._replace(outputs=names)
    keys = []
    for item in order:
        place = ordinal(item, refs, context)
        if place is not None:
            keys.append(sort_key(item, refs[place], context))
            continue
        expr = extracted.of(within.visit(item.expr), item.expr)
        form = canonical(expr)
        alike: list[typed.Expr] = [ref for ref, known in zip(refs, forms, strict=True) if known == form]
        if isinstance(expr, OutputRef):
            alike.append(expr)
        _check_in_distinct(node, item, alike, names, context)
        if alike:
            keys.append(sort_key(item, alike[0], context))
        elif constant(expr) is None and expr.type.base != "unknown":
            keys.append(sort_key(item, expr, context))
    return tuple(keys)


def _check_in_distinct(
    node: tree.Select,
    item: tree.SortItem,
    alike: Sequence[typed.Expr],
    names: dict[str, typed.Expr | None],
    context: AnalysisContext,
) -> None:
    complex_key = not isinstance(item.expr, tree.Ident | tree.Deref)
    if node.distinct and (not alike or (complex_key and _mentions(item.expr, names))):
        problem = "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
        context.fault("EXPRESSION_NOT_IN_DISTINCT", item, problem)


# --------------------------------------------------------------------------------------------- looking ahead
def _mentions(node: object, names: dict[str, typed.Expr | None]) -> bool:
    """Whether an expression uses one of these names: in ORDER BY they mean output columns."""
    if isinstance(node, tree.Ident):
        return node.name in names
    return any(_mentions(part, names) for part in _parts(node))


def _calls(node: object) -> list[tree.Call]:
    """What a part of a query calls, but for what its subqueries do."""
    calls = []
    pending = [node]
    while pending:
        part = pending.pop()
        if type(part) is tree.Call:
            calls.append(part)
        pending += _parts(part)
    return calls


def _is_aggregate(call: tree.Call) -> bool:
    return call.over is None and call.name in AGGREGATES


def _parts(node: object) -> Sequence[object]:
    if isinstance(node, tuple):
        return node
    if isinstance(node, tree.Node) and not isinstance(node, tree.QueryNode):
        return tree.children(node)
    return ()
