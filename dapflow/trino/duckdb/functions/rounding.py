"""Rounding numbers to whole ones or to so many digits."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import Sql, Word
from dapflow.trino.duckdb.resolution import CallTemplate, fill

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

# ------------------------------------------------------------------------------------------------- whole numbers
for _t in INTEGERS:
    for _name in ("ceil", "ceiling", "floor", "round", "truncate"):
        lowering(f"{_name}({_t})", "$1")
    lowering(
        f"round({_t}, integer)",
        "CASE WHEN $2 >= 0 THEN $1 WHEN $2 <= -19 THEN CAST(fail('NUMERIC_VALUE_OUT_OF_RANGE: numerical overflow: ' "
        "|| $1) AS $ret) ELSE CAST(t_divide_round(CAST($1 AS HUGEINT), "
        "t_power_ten(t_places($2))) * t_power_ten(t_places($2)) AS $ret) END",
    )
# Constant arguments are computed even where CASE leaves them out.
macro("t_places(digits) AS CASE WHEN digits < -19 THEN 19 ELSE -CAST(digits AS BIGINT) END")
macro("t_power_ten(n) AS CAST(1 || repeat('0', CAST(n AS INTEGER)) AS HUGEINT)")

# --------------------------------------------------------------------------------------- floating point numbers
for _t in ("double", "real"):
    for _name, _duck in (("ceil", "ceil"), ("ceiling", "ceil"), ("floor", "floor"), ("truncate", "trunc")):
        lowering(f"{_name}({_t})", f"CAST({_duck}($1) AS $ret)")
    lowering(f"round({_t})", "CAST(round($1) AS $ret)")
    lowering(
        f"round({_t}, integer)",
        "CASE WHEN isfinite($1) THEN CAST(t_round($1, $2) AS $ret) WHEN $2 IS NOT NULL THEN $1 END",
    )
lowering("truncate(double, integer)", "t_truncate($1, $2)")
macro(
    "t_round(x, d) AS CASE WHEN d > 20 OR abs(x) > 1e15 THEN py_round(CAST(x AS DOUBLE), d) ELSE round(CAST(x "
    "AS DOUBLE), d) END"
)
macro(
    "t_truncate(x, d) AS CASE WHEN isfinite(x) THEN trunc(x * power(10.0::DOUBLE, d)) / power(10.0::DOUBLE, d) "
    "WHEN d IS NOT NULL THEN x END"
)


@udf("py_round", ["DOUBLE", "INTEGER"], "DOUBLE")
def round_half_up(number: float, digits: int) -> float:
    """Round where DuckDB's own rounding would overflow."""
    return round(number, digits)


# ------------------------------------------------------------------------------------------------------ decimals
def _whole(duck_name: str) -> CallTemplate:
    def template(call: LoweredCall) -> Sql:
        number = call.args[0]
        return fill("CAST($1 AS $ret)" if number.type.scale == 0 else f"CAST({duck_name}($1) AS $ret)", call)

    return template


def _rounded(call: LoweredCall) -> Sql:
    number, digits = call.args[0], call.args[1].const
    if isinstance(digits, int) and digits >= number.type.scale:
        return fill("CAST($1 AS $ret)", call)
    if isinstance(digits, int) and digits >= 0:
        return fill("CAST(round($1, $digits) AS $ret)", call, digits=Word(str(digits)))
    return fill("CAST(py_decimal_round(CAST($1 AS VARCHAR), CAST($2 AS INTEGER)) AS $ret)", call)


def _cut(call: LoweredCall) -> Sql:
    number, digits = call.args[0], call.args[1].const
    if isinstance(digits, int) and digits >= number.type.scale:
        return fill("CAST($1 AS $ret)", call)
    return fill("CAST(py_decimal_truncate(CAST($1 AS VARCHAR), CAST($2 AS INTEGER)) AS $ret)", call)


for _name, _duck in (
    ("ceil", "ceil"),
    ("ceiling", "ceil"),
    ("floor", "floor"),
    ("round", "round"),
    ("truncate", "trunc"),
):
    lowering(f"{_name}(decimal(p,s))", _whole(_duck))
for _t in ("integer", "bigint"):
    lowering(f"round(decimal(p,s), {_t})", _rounded)
    lowering(f"truncate(decimal(p,s), {_t})", _cut)


@udf("py_decimal_round", ["VARCHAR", "INTEGER"], "VARCHAR")
def decimal_round(text: str, digits: int) -> str:
    """Round a decimal half up at any place."""
    return _at_place(text, digits, ROUND_HALF_UP)


@udf("py_decimal_truncate", ["VARCHAR", "INTEGER"], "VARCHAR")
def decimal_truncate(text: str, digits: int) -> str:
    """Cut a decimal at any place."""
    return _at_place(text, digits, ROUND_DOWN)


def _at_place(text: str, digits: int, rounding: str) -> str:
    with localcontext() as context:
        context.prec = 120
        number = Decimal(text)
        if -number.as_tuple().exponent <= digits:  # type: ignore[operator]
            return text
        if digits < -context.prec:
            return "0"
        return format(number.quantize(Decimal(1).scaleb(-digits), rounding=rounding), "f")
