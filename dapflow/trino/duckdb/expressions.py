"""Expressions of the typed tree, node by node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dapflow.trino.analysis import typed, typed_calls, typed_queries
from dapflow.trino.duckdb import calls, literals, operators, structures, subqueries
from dapflow.trino.duckdb.conversions import coerce, convert, convert_or_null
from dapflow.trino.duckdb.depth import check_depth
from dapflow.trino.duckdb.json_calls import json_call
from dapflow.trino.duckdb.lifting import out_of_lambdas
from dapflow.trino.duckdb.like import like_sql
from dapflow.trino.duckdb.logic import choosing, logical
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import NOTHING, Sql, Text, joined, sql, struct
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.trying import attempt
from dapflow.trino.duckdb.unwrapping import unwrapped
from dapflow.trino.duckdb.values import Value, cast, failure_text, let, null, row_field
from dapflow.trino.types import BOOLEAN, Type


def expression(node: typed.Expr, lowering: Lowering) -> Value:
    """An expression."""
    value = _LOWERED[type(node)](node, lowering)
    if value.sql.has_subquery:
        value.sql = out_of_lambdas(value.sql)
    check_depth(value.sql, value.type, node.place, lowering)
    return value


# --------------------------------------------------------------------------------------------- names
def _column(node: typed.ColumnRef, lowering: Lowering) -> Value:
    return Value(lowering.notes.columns[node.relation][node.position], node.type)


def _output(node: typed.OutputRef, lowering: Lowering) -> Value:
    return Value(lowering.frame.outputs[node.position], node.type)


def _key(node: typed.KeyRef, lowering: Lowering) -> Value:
    return Value(lowering.frame.keys[node.position], node.type)


def _aggregate(node: typed.AggregateRef, lowering: Lowering) -> Value:
    return Value(lowering.frame.aggregates[node.position], node.type)


def _window(node: typed.WindowRef, lowering: Lowering) -> Value:
    return Value(lowering.frame.windows[node.position], node.type)


def _parameter(node: typed.LambdaParameter, lowering: Lowering) -> Value:
    return Value(lowering.notes.parameters[node.number], node.type)


def _grouping(node: typed.Grouping, lowering: Lowering) -> Value:
    keys = [lowering.frame.key_forms[key] for key in node.keys]
    return Value(cast(sql("grouping($keys)", keys=keys), node.type), node.type)


def _session(node: typed.SessionValue, lowering: Lowering) -> Value:
    return Value(_of_session(node, lowering), node.type)


def _of_session(node: typed.SessionValue, lowering: Lowering) -> Sql:
    precision, name = node.type.precision, node.name
    if name == "CURRENT_DATE":
        return sql("CAST(t_now() AS DATE)")
    if name in {"CURRENT_TIMESTAMP", "LOCALTIMESTAMP"}:
        now = sql("t_now()")
        if precision < 6:
            now = sql("t_trunc_timestamp(t_now(), $unit)", unit=10 ** (6 - precision))
        return now if name == "LOCALTIMESTAMP" else sql("t_zone_struct($now, 'UTC')", now=now)
    if name in {"CURRENT_TIME", "LOCALTIME"}:
        now = sql("CAST(t_trunc_timestamp(t_now(), $unit) AS TIME)", unit=10 ** (6 - precision))
        return now if name == "LOCALTIME" else sql("t_time_zoned($now, 0)", now=now)
    texts = {
        "CURRENT_USER": "dapflow",
        "CURRENT_CATALOG": "awsdatacatalog",
        "CURRENT_SCHEMA": lowering.database or "default",
    }
    return Text(texts[name])


# ---------------------------------------------------------------------------------------- conversions
def _literal(node: typed.Literal, lowering: Lowering) -> Value:
    return literals.literal(node)


def _coerce(node: typed.Coerce, lowering: Lowering) -> Value:
    return coerce(lowering.value(node.expr), node.type)


def _cast(node: typed.Cast, lowering: Lowering) -> Value:
    value, t = lowering.value(node.expr), node.type
    converted = convert(value.sql, value.type, t)
    if converted is value.sql and value.type.base == t.base:
        return Value(converted, t, value.const)
    return Value(convert_or_null(value.sql, value.type, t) if node.safe else converted, t)


# ------------------------------------------------------------------------------------------ operators
def _arithmetic(node: typed.Arithmetic, lowering: Lowering) -> Value:
    return operators.arithmetic(node.op, lowering.value(node.left), lowering.value(node.right), node.type)


def _negate(node: typed.Negate, lowering: Lowering) -> Value:
    return operators.negate(lowering.value(node.expr))


def _concat(node: typed.Concat, lowering: Lowering) -> Value:
    return operators.concat(lowering.value(node.left), lowering.value(node.right))


def _uncoerced(node: typed.Expr, lowering: Lowering) -> Value:
    """A side of a comparison before it became the type of both."""
    return lowering.value(node.expr if isinstance(node, typed.Coerce) else node)


def _comparison(node: typed.Comparison, lowering: Lowering) -> Value:
    left, right = _uncoerced(node.left, lowering), _uncoerced(node.right, lowering)
    return Value(_compared(node.op, left, right, node.left.type), BOOLEAN)


def _compared(op: str, left: Value, right: Value, both: Type) -> Sql:
    exact = unwrapped(op, left, right)
    if exact is not None:
        return exact.sql
    a, b = coerce(left, both), coerce(right, both)
    if op == "IS DISTINCT FROM":
        return operators.distinct_from(a.sql, b.sql, both)
    return operators.compare(op, a, b, both)


def _not(node: typed.Not, lowering: Lowering) -> Value:
    return Value(sql("(NOT $inner)", inner=lowering.sql(node.expr)), BOOLEAN)


def _is_null(node: typed.IsNull, lowering: Lowering) -> Value:
    return Value(sql("($inner IS NULL)", inner=lowering.sql(node.expr)), BOOLEAN)


def _between(node: typed.Between, lowering: Lowering) -> Value:
    both = node.expr.type
    if operators.plain(both):
        value, low, high = lowering.sql(node.expr), lowering.sql(node.low), lowering.sql(node.high)
        return Value(sql("($value BETWEEN $low AND $high)", value=value, low=low, high=high), BOOLEAN)
    uncoerced = _uncoerced(node.expr, lowering)
    low_value, high_value = lowering.value(node.low), lowering.value(node.high)

    def between(x: Sql) -> Sql:
        above = _compared(">=", Value(x, uncoerced.type), low_value, both)
        below = _compared("<=", Value(x, uncoerced.type), high_value, both)
        return sql("($above AND $below)", above=above, below=below)

    return Value(let(uncoerced.sql, between), BOOLEAN)


def _in_list(node: typed.InList, lowering: Lowering) -> Value:
    both = node.expr.type
    if both.base == "unknown":
        return Value(null(BOOLEAN), BOOLEAN)
    value, items = lowering.value(node.expr), [lowering.value(item) for item in node.items]
    if operators.plain(both):
        return Value(sql("($value IN ($items))", value=value.sql, items=[item.sql for item in items]), BOOLEAN)

    def tests(x: Sql) -> Sql:
        comparisons = [operators.compare("=", Value(x, both), item, both) for item in items]
        return sql("($tests)", tests=joined(" OR ", comparisons))

    return Value(let(value.sql, tests), BOOLEAN)


def _like(node: typed.Like, lowering: Lowering) -> Value:
    escape = None if node.escape is None else lowering.value(node.escape)
    return Value(like_sql(lowering.value(node.expr), lowering.value(node.pattern), escape), BOOLEAN)


# ----------------------------------------------------------------------------------------- conditions
def _case(node: typed.Case, lowering: Lowering) -> Value:
    if node.operand is None:
        return Value(_arms(node, None, lowering), node.type)
    operand = lowering.value(node.operand)
    return Value(let(operand.sql, lambda x: _arms(node, replace(operand, sql=x), lowering)), node.type)


def _arms(node: typed.Case, operand: Value | None, lowering: Lowering) -> Sql:
    arms = [
        sql(
            "WHEN $condition THEN $result",
            condition=_condition(when, operand, lowering),
            result=lowering.sql(result),
        )
        for when, result in node.whens
    ]
    default = NOTHING if node.default is None else sql(" ELSE $default", default=lowering.sql(node.default))
    return sql("CASE $arms$default END", arms=joined(" ", arms), default=default)


def _counted(node: typed.CountedResult, lowering: Lowering) -> Value:
    """`reached` is a function of whoever wants to know, and true; DuckDB asks it of the rows of the branch alone."""
    value = lowering.value(node.expr)
    counted = sql("CASE WHEN reached($number) THEN $value END", number=node.number, value=value.sql)
    return Value(counted, node.type)


def _condition(when: typed.Expr, operand: Value | None, lowering: Lowering) -> Sql:
    if operand is None or not isinstance(when, typed.Comparison):
        return choosing(when, lowering)
    return _compared("=", operand, _uncoerced(when.right, lowering), when.right.type)


def _coalesce(node: typed.Coalesce, lowering: Lowering) -> Value:
    return Value(sql("coalesce($args)", args=[lowering.sql(arg) for arg in node.args]), node.type)


def _nullif(node: typed.NullIf, lowering: Lowering) -> Value:
    first, second, both = lowering.value(node.first), lowering.value(node.second), node.common
    if both.base == "unknown" or second.type.base == "unknown":
        return first
    other = coerce(second, both).sql

    def unless_equal(x: Sql) -> Sql:
        same = operators.equal(coerce(Value(x, first.type), both).sql, other, both)
        return sql("CASE WHEN $same THEN NULL ELSE $x END", same=same, x=x)

    return Value(let(first.sql, unless_equal), first.type)


# ----------------------------------------------------------------------------------------- structures
def _array(node: typed.ArrayOf, lowering: Lowering) -> Value:
    items = [lowering.sql(item) for item in node.items]
    return Value(cast(sql("[$items]", items=items), node.type), node.type)


def _row(node: typed.RowOf, lowering: Lowering) -> Value:
    items = [structures.row_part(lowering.value(item)) for item in node.items]
    return Value(struct(zip(field_names(node.type), items, strict=True)), node.type)


def _row_field(node: typed.RowField, lowering: Lowering) -> Value:
    name = field_names(node.base.type)[node.position]
    return Value(row_field(lowering.sql(node.base), name, node.type), node.type)


def _element(node: typed.Element, lowering: Lowering) -> Value:
    base, index = lowering.value(node.base), lowering.value(node.index)
    if base.type.base == "map":
        return Value(structures.map_value(base.sql, index.sql, base.type), node.type)
    if isinstance(index.const, int) and index.const <= 0:
        negative = f"Array subscript is negative: {index.const}"
        problem = negative if index.const else "SQL array indices start at 1"
        return Value(failure_text("INVALID_FUNCTION_ARGUMENT", problem, node.type), node.type)
    return Value(structures.element(base.sql, index.sql, node.type), node.type)


_LOWERED: dict[type, Callable[[Any, Lowering], Value]] = {
    typed.ColumnRef: _column,
    typed.OutputRef: _output,
    typed.KeyRef: _key,
    typed.AggregateRef: _aggregate,
    typed.WindowRef: _window,
    typed.LambdaParameter: _parameter,
    typed.Grouping: _grouping,
    typed.SessionValue: _session,
    typed.Literal: _literal,
    typed.Coerce: _coerce,
    typed.Cast: _cast,
    typed.Try: attempt,
    typed.Arithmetic: _arithmetic,
    typed.Negate: _negate,
    typed.Concat: _concat,
    typed.Comparison: _comparison,
    typed.Logical: logical,
    typed.Not: _not,
    typed.IsNull: _is_null,
    typed.Between: _between,
    typed.InList: _in_list,
    typed.Like: _like,
    typed.Case: _case,
    typed.CountedResult: _counted,
    typed.Coalesce: _coalesce,
    typed.NullIf: _nullif,
    typed.ArrayOf: _array,
    typed.RowOf: _row,
    typed.RowField: _row_field,
    typed.Element: _element,
    typed_queries.ScalarQuery: subqueries.scalar_query,
    typed_queries.Quantified: subqueries.quantified,
    typed_queries.Exists: subqueries.exists,
    typed_calls.Call: calls.call,
    typed_calls.JsonCall: json_call,
}
