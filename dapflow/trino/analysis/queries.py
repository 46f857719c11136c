"""Queries: WITH, set operations, VALUES, ORDER BY and LIMIT."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import coerce
from dapflow.trino.analysis.ordering import sort_key
from dapflow.trino.analysis.scopes import Scope
from dapflow.trino.analysis.selects import ordinal, select
from dapflow.trino.analysis.set_operations import combined, output_refs
from dapflow.trino.analysis.typed import RowField
from dapflow.trino.analysis.typed_calls import SortKey
from dapflow.trino.analysis.typed_queries import OutputColumn, Query, QueryBody
from dapflow.trino.analysis.walk import outer_references
from dapflow.trino.analysis.with_queries import with_queries
from dapflow.trino.coercion import common
from dapflow.trino.syntax import tree
from dapflow.trino.types import BIGINT


def query(node: tree.QueryNode, context: AnalysisContext) -> Query:
    """A whole query; the context's scope is what stands around it."""
    names, named_queries = with_queries(node.ctes, node.recursive, context, body)
    context = context._replace(names=names)
    limit, offset = _count(node.limit, context), _count(node.offset, context)
    query_body: QueryBody
    if isinstance(node.body, tree.Select):
        ordered = select(node.body, context, node.order, limit)
        query_body, keys = ordered.select, ordered.order
    else:
        query_body = body(node.body, context)
        keys = _order(node.order, query_body, context)
    if node.ties and not node.order:
        context.fault("MISSING_ORDER_BY", 0, "FETCH FIRST WITH TIES clause requires ORDER BY")
    inner = [with_query.query for with_query in named_queries if with_query.query is not None]
    return Query(
        with_queries=named_queries,
        body=query_body,
        order=keys,
        offset=offset,
        limit=limit,
        ties=node.ties,
        columns=query_body.columns,
        place=context.place(node),
        outer=outer_references((*inner, query_body, *keys)) if context.scope.is_around() else (),
    )


def _count(node: tree.Expr | None, context: AnalysisContext) -> typed.Expr | None:
    return None if node is None else coerce(context.bare().visit(node), BIGINT)


def _order(items: Sequence[tree.SortItem], query_body: QueryBody, context: AnalysisContext) -> tuple[SortKey, ...]:
    """The order of what is no SELECT: by its output columns."""
    refs = output_refs(query_body.columns, query_body)
    names: dict[str, typed.Expr | None] = {}
    for column, ref in zip(query_body.columns, refs, strict=True):
        if column.written is not None:
            name = column.written.lower()
            names[name] = None if name in names else ref
    here = context.inside(Scope((), context.scope))._replace(outputs=names)
    keys = []
    for item in items:
        place = ordinal(item, refs, context)
        keys.append(sort_key(item, refs[place] if place is not None else here.visit(item.expr), context))
    return tuple(keys)


# ----------------------------------------------------------------------------------------------------- bodies
def body(node: tree.BodyNode, context: AnalysisContext) -> QueryBody:
    """What stands before ORDER BY."""
    if isinstance(node, tree.Select):
        return select(node, context).select
    if isinstance(node, tree.Values):
        return _values(node, context)
    if isinstance(node, tree.Nested):
        inner = context.statement.visitor.query(node.query, context)
        return typed_queries.Nested(columns=inner.columns, place=context.place(node), query=inner)
    if isinstance(node, tree.TableBody):
        item = tree.AllColumns(node.pos, None, (), end=node.table.end)
        written = tree.Select(node.pos, False, (item,), node.table, None, None, None, (), end=node.table.end)
        return select(written, context).select
    assert isinstance(node, tree.SetOperation)  # noqa: S101 - no other body exists
    return set_operation(node, body(node.left, context), body(node.right, context), context)


def set_operation(
    node: tree.SetOperation, left: QueryBody, right: QueryBody, context: AnalysisContext
) -> typed_queries.SetOperation:
    """UNION, INTERSECT or EXCEPT of two bodies."""
    columns = _common_columns(node, left, right, context)
    return combined(columns, node, left, right, context)


def _common_columns(
    node: tree.SetOperation, left: QueryBody, right: QueryBody, context: AnalysisContext
) -> tuple[OutputColumn, ...]:
    if any(column.open for column in (*left.columns, *right.columns)):
        return left.columns if not any(column.open for column in left.columns) else right.columns
    if len(left.columns) != len(right.columns):
        counts = f"{len(left.columns)}, {len(right.columns)}"
        problem = f"{node.op} query has different number of fields: {counts}"
        context.fault("TYPE_MISMATCH", node.right, problem)
        return left.columns
    columns = []
    for i, (a, b) in enumerate(zip(left.columns, right.columns, strict=True)):
        both = common(a.type, b.type)
        if both is None:
            problem = f"column {i + 1} in {node.op} query has incompatible types: {a.type}, {b.type}"
            both = context.fault("TYPE_MISMATCH", node.right, problem).type
        columns.append(OutputColumn(a.written, both))
    return tuple(columns)


def _values(node: tree.Values, context: AnalysisContext) -> typed_queries.Values:
    here = context.inside(Scope((), context.scope))
    rows = [_row(here, item) for item in node.rows]
    types = [expr.type for expr in rows[0]]
    for exprs, source in zip(rows, node.rows, strict=True):
        if len(exprs) != len(types):
            problem = f"row 1 has {len(types)} columns, another {len(exprs)}"
            context.fault("TYPE_MISMATCH", node, f"Values rows have mismatched types: {problem}")
            continue
        for i, expr in enumerate(exprs):
            both = common(types[i], expr.type)
            if both is None:
                problem = f"Values rows have mismatched types: {types[i]} vs {expr.type}"
                both = context.fault("TYPE_MISMATCH", source, problem).type
            types[i] = both
    return typed_queries.Values(
        columns=tuple(OutputColumn(None, t) for t in types),
        place=context.place(node),
        rows=tuple(tuple(coerce(expr, t) for expr, t in zip(exprs, types, strict=False)) for exprs in rows),
    )


def _row(context: AnalysisContext, item: tree.Expr) -> list[typed.Expr]:
    if isinstance(item, tree.RowNode):
        return [context.visit(part) for part in item.items]
    value = context.visit(item)
    if value.type.base != "row":
        return [value]
    return [RowField(type=t, place=value.place, base=value, position=i) for i, t in enumerate(value.type.args)]
