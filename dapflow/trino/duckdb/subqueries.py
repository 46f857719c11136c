"""Subqueries in expressions."""

from __future__ import annotations

from dapflow.trino.analysis.typed_queries import Exists, Quantified, Query, ScalarQuery
from dapflow.trino.duckdb.conversions import coerce
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import FALSE, TRUE, Member, Sql, SubquerySql, Variable, Word, sql, struct
from dapflow.trino.duckdb.operators import comparable_form, compare
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import Value, null
from dapflow.trino.types import BOOLEAN, Type, row


def scalar_query(node: ScalarQuery, lowering: Lowering) -> Value:
    """A subquery where a value is wanted; of several columns a row."""
    query = lowering.query(node.query)
    if len(node.query.columns) == 1:
        return Value(SubquerySql(sql("($query)", query=query)), node.type)
    inner = Variable("q")
    packed = _columns_as_row(node.type, inner)
    whole = SubquerySql(sql("(SELECT $packed FROM ($query) AS $inner)", packed=packed, query=query, inner=inner))
    nothing = struct((name, null(t)) for name, t in zip(field_names(node.type), node.type.args, strict=True))
    return Value(sql("coalesce($whole, $nothing)", whole=whole, nothing=nothing), node.type)


def exists(node: Exists, lowering: Lowering) -> Value:
    """EXISTS (SELECT …)."""
    return Value(SubquerySql(sql("EXISTS ($query)", query=lowering.query(node.query))), BOOLEAN)


def quantified(node: Quantified, lowering: Lowering) -> Value:
    """x = ALL (SELECT …) and its like.

    IN takes rows and arrays that have NULL in the same places for the same, and for others than those with a value
    there. That is no comparison by =, and Athena's answer: https://github.com/trinodb/trino/issues/17213
    """
    value, query, inner = lowering.value(node.value), lowering.query(node.query), Variable("q")
    both = node.common
    item = coerce(_item(node.query, both, inner), both)
    if both.base == "row" and (node.op, node.quantifier) not in {("=", "ANY"), ("<>", "ALL")}:
        return Value(_row_by_row(node, value, item, query, inner), BOOLEAN)
    left, right = comparable_form(value.sql, both), comparable_form(item.sql, both)
    source = _compared_rows(node, item, right, query, inner)
    if node.op == "=" and node.quantifier == "ANY":
        return Value(SubquerySql(sql("($left IN ($source))", left=left, source=source)), BOOLEAN)
    if node.op == "<>" and node.quantifier == "ALL":
        return Value(SubquerySql(sql("($left NOT IN ($source))", left=left, source=source)), BOOLEAN)
    compared = sql(
        "($left $op $quantifier ($source))",
        left=left,
        op=Word(node.op),
        quantifier=Word(node.quantifier),
        source=source,
    )
    return Value(SubquerySql(compared), BOOLEAN)


def _compared_rows(node: Quantified, item: Value, form: Sql, query: Sql, inner: Variable) -> Sql:
    """The query whose rows are compared, in the form in which they are.

    Of one that refers to the query around it Trino makes a join by =, for which what has a NULL in it is nobody's like:
    https://github.com/trinodb/trino/issues/17209
    """
    if node.query.outer and node.common.args:
        return sql(
            "SELECT $form FROM ($query) AS $inner WHERE $item IS NULL OR $same IS NOT NULL",
            form=form,
            query=query,
            inner=inner,
            item=item.sql,
            same=compare("=", item, item, node.common),
        )
    if isinstance(form, Member) and form.relation is inner:
        return query
    return sql("SELECT $form FROM ($query) AS $inner", form=form, query=query, inner=inner)


def _item(query: Query, both: Type, inner: Variable) -> Value:
    """A row of a query as one value."""
    columns = query.columns
    single_row = both.base == "row" and len(both.args) == 1
    if len(columns) == 1 and not (single_row and columns[0].type.base != "row"):
        return Value(Member(inner, Word("c0")), columns[0].type)
    t = row(
        *(column.type for column in columns),
        names=tuple(column.written and column.written.lower() for column in columns),
    )
    return Value(_columns_as_row(t, inner), t)


def _columns_as_row(t: Type, inner: Variable) -> Sql:
    """The columns of a subquery as one row."""
    return struct((name, Member(inner, Word(f"c{i}"))) for i, name in enumerate(field_names(t)))


def _row_by_row(node: Quantified, left: Value, item: Value, query: Sql, inner: Variable) -> Sql:
    """A comparison with each row of a subquery, where parts of rows may be NULL and the answer unknown."""
    every = node.quantifier == "ALL"
    compared = sql(
        "(SELECT CASE WHEN bool_or($decisive) THEN $some WHEN count(*) > count(t) THEN NULL ELSE $otherwise END "
        "FROM (SELECT $test AS t FROM ($query) AS $inner) AS $outer)",
        decisive=Word("NOT t" if every else "t"),
        some=FALSE if every else TRUE,
        otherwise=TRUE if every else FALSE,
        test=compare(node.op, left, item, node.common),
        query=query,
        inner=inner,
        outer=Variable("q"),
    )
    return SubquerySql(compared)
