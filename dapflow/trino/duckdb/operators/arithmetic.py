"""`+ - * / %` and the sign."""

from __future__ import annotations

from dapflow.trino.coercion import INTEGERS, NUMERIC
from dapflow.trino.duckdb.nodes import Word, sql
from dapflow.trino.duckdb.operators.decimals import decimals
from dapflow.trino.duckdb.operators.moments import moments
from dapflow.trino.duckdb.values import Value, type_sql
from dapflow.trino.types import Type


def arithmetic(op: str, a: Value, b: Value, t: Type) -> Value:
    """An operation on operands of the types that `analysis.operators.arithmetic` wants; `t` is what it gives."""
    if a.type.base not in NUMERIC or b.type.base not in NUMERIC:
        return moments(op, a, b, t)
    if t.base == "decimal":
        return decimals(op, a, b, t)
    operator = "//" if op == "/" and t.base in INTEGERS else op
    return Value(sql("($a $op $b)", a=a.sql, op=Word(operator), b=b.sql), t)


def negate(a: Value) -> Value:
    """-a of a number or an interval."""
    if a.type.base in INTEGERS:
        return Value(sql("CAST(-($x) AS $t)", x=a.sql, t=type_sql(a.type)), a.type)
    return Value(sql("(-$x)", x=a.sql), a.type)
