"""Mathematics of single numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import Sql
from dapflow.trino.duckdb.operators import arithmetic
from dapflow.trino.duckdb.value_text import java_double

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

for _t in INTEGERS:
    lowering(f"abs({_t})", "abs($1)")
    lowering(f"sign({_t})", "CAST(sign($1) AS $ret)")
    lowering(f"mod({_t}, {_t})", "($1 % $2)")
for _t in ("double", "real"):
    lowering(f"abs({_t})", "abs($1)")
    lowering(f"sign({_t})", "CASE WHEN isnan($1) THEN $1 ELSE CAST(sign($1) AS $ret) END")
    lowering(f"mod({_t}, {_t})", "($1 % $2)")
lowering("abs(decimal(p,s))", "CAST(abs($1) AS $ret)")
lowering("sign(decimal(p,s))", "CAST(sign($1) AS DECIMAL(1, 0))")


def _mod(call: LoweredCall) -> Sql:
    return arithmetic("%", call.args[0], call.args[1], call.type).sql


lowering("mod(decimal(p,s), decimal(q,t))", _mod)

# ------------------------------------------------------------------------------------------------------- doubles
for _name in ("sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "exp", "degrees", "radians"):
    lowering(f"{_name}(double)", f"{_name}($1)")
lowering("cbrt(double)", "t_cbrt($1)")
# DuckDB's root may be off in its last digit; one step of Newton's puts it right.
macro(
    "t_cbrt(x) AS CASE WHEN x = 0 OR NOT isfinite(x) THEN x ELSE cbrt(x) - (cbrt(x) * cbrt(x) * cbrt(x) - x) / "
    "(3 * cbrt(x) * cbrt(x)) END"
)
for _name in ("asin", "acos"):
    lowering(
        f"{_name}(double)",
        f"CASE WHEN abs($1) > 1 OR isnan($1) THEN CAST('NaN' AS DOUBLE) ELSE {_name}($1) END",
    )
lowering("sqrt(double)", "CASE WHEN $1 < 0 OR isnan($1) THEN CAST('NaN' AS DOUBLE) ELSE sqrt($1) END")
for _name in ("ln", "log2", "log10"):
    lowering(
        f"{_name}(double)",
        f"CASE WHEN $1 < 0 OR isnan($1) THEN CAST('NaN' AS DOUBLE) WHEN $1 = 0 THEN CAST('-Infinity' AS "
        f"DOUBLE) ELSE {_name}($1) END",
    )
lowering("log(double, double)", "(ln($2) / ln($1))")
lowering("atan2(double, double)", "atan2($1, $2)")
for _name in ("power", "pow"):
    lowering(
        f"{_name}(double, double)",
        "CASE WHEN isnan($1) AND $2 <> 0 OR isnan($2) OR (abs($1) = 1 AND isinf($2)) THEN CAST('NaN' AS "
        "DOUBLE) ELSE power($1, $2) END",
    )
lowering("pi()", "pi()")
lowering("e()", "exp(1.0::DOUBLE)")
lowering("nan()", "CAST('NaN' AS DOUBLE)")
lowering("infinity()", "CAST('Infinity' AS DOUBLE)")
for _t in ("double", "real"):
    lowering(f"is_nan({_t})", "isnan($1)")
    lowering(f"is_finite({_t})", "isfinite($1)")
    lowering(f"is_infinite({_t})", "isinf($1)")
for _name in ("random", "rand"):
    lowering(f"{_name}()", "random()")
    for _t in INTEGERS:
        lowering(
            f"{_name}({_t})",
            "CASE WHEN $1 <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: bound must be positive') AS $ret) "
            "ELSE CAST(floor(random() * $1) AS $ret) END",
        )
        lowering(
            f"{_name}({_t}, {_t})",
            "CASE WHEN $1 >= $2 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: start value must be less than stop value') "
            "AS $ret) ELSE CAST($1 + floor(random() * ($2 - $1)) AS $ret) END",
        )

# --------------------------------------------------------------------------------------------- bases and buckets
lowering("to_base(bigint, bigint)", "py_to_base($1, $2)")
lowering("from_base(varchar, bigint)", "py_from_base($1, $2)", attempt="py_from_base_or_null($1, $2)")


@udf("py_to_base", ["BIGINT", "BIGINT"], "VARCHAR")
def to_base(number: int, radix: int) -> str:
    """A number in another base."""
    _check_radix(radix)
    digits, rest = "", abs(number)
    while rest:
        rest, digit = divmod(rest, radix)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return ("-" if number < 0 else "") + (digits or "0")


@udf("py_from_base", ["VARCHAR", "BIGINT"], "BIGINT", or_null="py_from_base_or_null")
def from_base(text: str, radix: int) -> int:
    """A number from another base."""
    _check_radix(radix)
    try:
        number = int("" if "_" in text or text != text.strip() else text, radix)
    except ValueError:
        message = f"INVALID_FUNCTION_ARGUMENT: Not a valid base-{radix} number: {text}"
        raise Failure(message) from None
    if not -(2**63) <= number < 2**63:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Not a valid base-{radix} number: {text}")
    return number


def _check_radix(radix: int) -> None:
    if not 2 <= radix <= 36:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36")


lowering("width_bucket(double, double, double, bigint)", "py_width_bucket($1, $2, $3, $4)")
lowering("width_bucket(double, array(double))", "py_width_bins($1, $2)")


@udf("py_width_bucket", ["DOUBLE", "DOUBLE", "DOUBLE", "BIGINT"], "BIGINT")
def width_bucket(number: float, low: float, high: float, count: int) -> int:
    """The bucket of equal width that a number falls into."""
    if count <= 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0")
    if math.isnan(number):
        raise Failure("INVALID_FUNCTION_ARGUMENT: operand must not be NaN")
    if not math.isfinite(low):
        raise Failure("INVALID_FUNCTION_ARGUMENT: first bound must be finite")
    if not math.isfinite(high):
        raise Failure("INVALID_FUNCTION_ARGUMENT: second bound must be finite")
    if low == high:
        raise Failure("INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other")
    least, greatest = min(low, high), max(low, high)
    if number < least:
        bucket = 0
    elif number < greatest:
        bucket = int(count * ((number - least) / (greatest - least)) + 1)
    elif count == 2**63 - 1:
        raise Failure(f"NUMERIC_VALUE_OUT_OF_RANGE: Bucket for value {java_double(number)} is out of range")
    else:
        bucket = count + 1
    # Buckets of a falling range are those of the rising one, counted from the other end.
    return bucket if low < high else count - bucket + 1


@udf("py_width_bins", ["DOUBLE", "DOUBLE[]"], "BIGINT")
def width_bins(number: float, bins: list[float | None]) -> int:
    """The bucket between given bounds that a number falls into."""
    if not bins:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Bins cannot be an empty array")
    if math.isnan(number):
        raise Failure("INVALID_FUNCTION_ARGUMENT: Operand cannot be NaN")
    if None in bins:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Bin values cannot be null")
    held = [edge for edge in bins if edge is not None]
    low, high = 0, len(held)
    while low < high:
        # Only the bounds that the search meets are looked at, as in Trino.
        if held[low] > held[high - 1]:
            raise Failure("INVALID_FUNCTION_ARGUMENT: Bin values are not sorted in ascending order")
        middle = (low + high) // 2
        if not math.isfinite(held[middle]):
            raise Failure(f"INVALID_FUNCTION_ARGUMENT: Bin value must be finite, got {held[middle]}")
        if number < held[middle]:
            high = middle
        else:
            low = middle + 1
    return low


# ------------------------------------------------------------------------------------------------------- vectors
lowering("cosine_similarity(map(varchar,double), map(varchar,double))", "t_cosine_map($1, $2)")
lowering("cosine_similarity(array(double), array(double))", "t_cosine($1, $2)")
macro(
    "t_cosine(a, b) AS CASE WHEN len(a) <> len(b) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: The arguments must have "
    "the same length') AS DOUBLE) ELSE list_cosine_similarity(a, b) END"
)
macro("t_norm(m) AS sqrt(CAST(list_sum(list_transform(map_values(m), lambda v: v * v)) AS DOUBLE))")
macro(
    "t_cosine_map(a, b) AS coalesce(CAST(list_sum(list_transform(map_keys(a), lambda k: a[k] * coalesce(b[k], "
    "0))) AS DOUBLE), 0) / (t_norm(a) * t_norm(b))"
)
