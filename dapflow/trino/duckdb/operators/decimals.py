"""Arithmetic of decimals. Source: Trino's DecimalOperators."""

from __future__ import annotations

from dapflow.trino.coercion import as_decimal
from dapflow.trino.duckdb.conversions import coerce
from dapflow.trino.duckdb.nodes import Sql, Text, Word, sql
from dapflow.trino.duckdb.values import Value, cast, type_sql
from dapflow.trino.types import Type, decimal


def decimals(op: str, a: Value, b: Value, t: Type) -> Value:
    """`+ - * / %` of two decimals."""
    x, y = a.type, b.type
    if op in {"+", "-"}:
        result = _sum(op, a.sql, x, b.sql, y, t)
    elif op == "*":
        result = _product(a.sql, x, b.sql, y, t)
    elif op == "/":
        result = divide(a.sql, x, b.sql, y, t)
    else:
        result = _remainder(a.sql, x, b.sql, y, t)
    return Value(result, t, short=_short(op, a, b, t))


def _whole(x: Type, y: Type) -> int:
    """Digits before the point that hold values of both."""
    return int(max(x.precision - x.scale, y.precision - y.scale))


def _sum(op: str, a: Sql, x: Type, b: Sql, y: Type, t: Type) -> Sql:
    if _whole(x, y) + t.scale > 38:
        # An operand may be too large for the scale of the result while the result is not.
        return sql(
            "coalesce(TRY(CAST($a AS $t) $op CAST($b AS $t)), "
            "CAST(py_decimal_add(CAST($a AS VARCHAR), CAST($other AS VARCHAR), $scale) AS $t))",
            a=a,
            op=Word(op),
            b=b,
            other=sql("-$b", b=b) if op == "-" else b,
            scale=t.scale,
            t=type_sql(t),
        )
    if t.precision > 18:
        return sql("CAST(CAST($a AS $t) $op $b AS $t)", a=a, op=Word(op), b=b, t=type_sql(t))
    return sql("($a $op $b)", a=a, op=Word(op), b=b)


def _product(a: Sql, x: Type, b: Sql, y: Type, t: Type) -> Sql:
    if x.precision <= 18 and y.precision <= 18 and t.precision > 18:
        a = cast(a, decimal(19, x.scale))
    return sql("CAST($a * $b AS $t)", a=a, b=b, t=type_sql(t))


def _remainder(a: Sql, x: Type, b: Sql, y: Type, t: Type) -> Sql:
    digits, scale = _whole(x, y), max(x.scale, y.scale)
    if digits + scale > 38:
        return sql("CAST(py_decimal_mod(CAST($a AS VARCHAR), CAST($b AS VARCHAR)) AS $t)", a=a, b=b, t=type_sql(t))
    both = type_sql(decimal(digits + scale, scale))
    return sql("CAST(CAST($a AS $both) % CAST($b AS $both) AS $t)", a=a, b=b, both=both, t=type_sql(t))


def _short(op: str, a: Value, b: Value, t: Type) -> Sql | None:
    """`+ - *` in short. Source: DuckDB, which multiplies up to 18 digits in 64 bits and checks for overflow."""
    if op not in {"+", "-", "*"} or t.precision <= 18 or t.scale > 18:
        return None
    x, y = _in_64_bits(a), _in_64_bits(b)
    return None if x is None or y is None else sql("($x $op $y)", x=x, op=Word(op), y=y)


def _in_64_bits(value: Value) -> Sql | None:
    if value.short is not None:
        return value.short
    kind = as_decimal(value.type)
    return coerce(value, kind).sql if kind is not None and kind.precision <= 18 else None


# ---------------------------------------------------------------------------------------------------- division
def divide(a: Sql, x: Type, b: Sql, y: Type, t: Type) -> Sql:
    """a / b rounded half up to the scale of t."""
    shift = t.scale - x.scale + y.scale
    if x.precision + shift > 37 or y.precision > 37:
        return sql(
            "CAST(py_decimal_divide(CAST($a AS VARCHAR), CAST($b AS VARCHAR), $scale) AS $t)",
            a=a,
            b=b,
            scale=t.scale,
            t=type_sql(t),
        )
    upper = unscaled(a, x)
    if shift:
        upper = sql("($upper * CAST($factor AS HUGEINT))", upper=upper, factor=10**shift)
    return rescaled(sql("t_divide_round($upper, $lower)", upper=upper, lower=unscaled(b, y)), t)


def unscaled(value: Sql, t: Type) -> Sql:
    """A decimal without its point, as an integer of 128 bits."""
    if t.scale == 0:
        return sql("CAST($x AS HUGEINT)", x=value)
    if t.precision + t.scale <= 38:
        return sql(
            "CAST(CAST($x AS DECIMAL($precision, $scale)) * CAST($factor AS DECIMAL($digits, 0)) AS HUGEINT)",
            x=value,
            precision=max(19, t.precision),
            scale=t.scale,
            factor=10**t.scale,
            digits=t.scale + 1,
        )
    return sql("CAST(replace(CAST($x AS VARCHAR), '.', '') AS HUGEINT)", x=value)


def rescaled(value: Sql, t: Type) -> Sql:
    """The decimal that an integer without a point stands for."""
    if t.scale == 0:
        return cast(value, t)
    if t.scale == 38:
        return sql("CAST(py_decimal_shift(CAST($x AS VARCHAR), $scale) AS $t)", x=value, scale=t.scale, t=type_sql(t))
    return sql(
        "CAST(CAST($x AS DECIMAL(38, 0)) * CAST($unit AS DECIMAL($digits, $scale)) AS $t)",
        x=value,
        unit=Text(f"0.{'0' * (t.scale - 1)}1"),
        digits=t.scale + 1,
        scale=t.scale,
        t=type_sql(t),
    )
