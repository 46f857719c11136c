"""Subqueries in expressions."""

from __future__ import annotations

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.conversions import coerce
from dapflow.trino.analysis.typed import Unchecked
from dapflow.trino.analysis.typed_queries import Query
from dapflow.trino.coercion import common
from dapflow.trino.syntax import tree
from dapflow.trino.types import BOOLEAN, UNCHECKED, Type, row


def _query(node: tree.ScalarQuery | tree.Quantified | tree.Exists, context: AnalysisContext) -> Query | Unchecked:
    if context.lambdas:
        return context.fault("NOT_SUPPORTED", node, "Lambda expression cannot contain subqueries")
    return context.statement.visitor.query(node.query, context.inside(context.scope))


def _row_type(query: Query) -> Type:
    """The type of a whole row of a query."""
    if any(column.open for column in query.columns):
        return UNCHECKED
    names = tuple(column.written.lower() if column.written is not None else None for column in query.columns)
    return row(*(column.type for column in query.columns), names=names)


def scalar_query(node: tree.ScalarQuery, context: AnalysisContext) -> typed.Expr:
    """A subquery where a value is wanted."""
    query = _query(node, context)
    if isinstance(query, Unchecked):
        return query
    t = _row_type(query)
    return typed_queries.ScalarQuery(type=t.args[0] if len(t.args) == 1 else t, place=context.place(node), query=query)


def in_query(node: tree.InQuery, context: AnalysisContext) -> typed.Expr:
    """x IN (SELECT …)."""
    return quantified(tree.Quantified(node.pos, "=", "ANY", node.expr, node.query, end=node.end), context)


def quantified(node: tree.Quantified, context: AnalysisContext) -> typed.Expr:
    """x = ALL (SELECT …)."""
    value = context.visit(node.expr)
    query = _query(node, context)
    if isinstance(query, Unchecked):
        return Unchecked(type=BOOLEAN, place=query.place)
    t = _row_type(query)
    single_row = value.type.base == "row" and len(value.type.args) == 1
    if len(t.args) == 1 and not (single_row and t.args[0].base != "row"):
        t = t.args[0]
    both = common(value.type, t)
    if both is None:
        problem = f"Value expression and result of subquery must be of the same type: {value.type} vs {t}"
        return Unchecked(type=BOOLEAN, place=context.fault("TYPE_MISMATCH", node, problem).place)
    return typed_queries.Quantified(
        type=BOOLEAN,
        place=context.place(node),
        op=node.op,
        quantifier=node.quantifier,
        value=coerce(value, both),
        query=query,
        common=both,
    )


def exists(node: tree.Exists, context: AnalysisContext) -> typed.Expr:
    """EXISTS (SELECT …)."""
    query = _query(node, context)
    if isinstance(query, Unchecked):
        return Unchecked(type=BOOLEAN, place=query.place)
    return typed_queries.Exists(type=BOOLEAN, place=context.place(node), query=query)
