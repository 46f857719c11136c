"""Mathematics."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.operators import arithmetic, holds_float, nan_lowest
from dapflow.trino.duckdb.printing import java_double
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.storage import duck_type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

_INTEGERS = ("tinyint", "smallint", "integer", "bigint")

for _t in _INTEGERS:
    lowering(f"abs({_t})", "abs($1)")
    lowering(f"sign({_t})", "CAST(sign($1) AS $ret)")
    for _name in ("ceil", "ceiling", "floor", "round", "truncate"):
        lowering(f"{_name}({_t})", "$1")
    lowering(
        f"round({_t}, integer)",
        "CASE WHEN $2 >= 0 THEN $1 WHEN $2 <= -19 THEN CAST(fail('NUMERIC_VALUE_OUT_OF_RANGE: numerical overflow: ' "
        "|| $1) AS $ret) ELSE CAST(t_divide_round(CAST($1 AS HUGEINT), "
        "t_power_ten(t_places($2))) * t_power_ten(t_places($2)) AS $ret) END",
    )
    lowering(f"mod({_t}, {_t})", "($1 % $2)")
# Constant arguments are computed even where CASE leaves them out.
macro("t_places(digits) AS CASE WHEN digits < -19 THEN 19 ELSE -CAST(digits AS BIGINT) END")
macro("t_power_ten(n) AS CAST(1 || repeat('0', CAST(n AS INTEGER)) AS HUGEINT)")
for _t in ("double", "real"):
    lowering(f"abs({_t})", "abs($1)")
    lowering(f"sign({_t})", "CASE WHEN isnan($1) THEN $1 ELSE CAST(sign($1) AS $ret) END")
    for _name, _duck in (("ceil", "ceil"), ("ceiling", "ceil"), ("floor", "floor"), ("truncate", "trunc")):
        lowering(f"{_name}({_t})", f"CAST({_duck}($1) AS $ret)")
    lowering(f"round({_t})", "CAST(round($1) AS $ret)")
    lowering(f"round({_t}, integer)", "CASE WHEN isfinite($1) THEN CAST(t_round($1, $2) AS $ret) ELSE $1 END")
    lowering(f"mod({_t}, {_t})", "($1 % $2)")
lowering("truncate(double, integer)", "t_truncate($1, $2)")
macro(
    "t_round(x, d) AS CASE WHEN d > 20 OR abs(x) > 1e15 THEN py_round(CAST(x AS DOUBLE), d) ELSE round(CAST(x "
    "AS DOUBLE), d) END"
)
macro(
    "t_truncate(x, d) AS CASE WHEN isfinite(x) THEN trunc(x * power(10.0::DOUBLE, d)) / power(10.0::DOUBLE, d) "
    "ELSE x END"
)


@udf("py_round", ["DOUBLE", "INTEGER"], "DOUBLE")
def round_half_up(number: float, digits: int) -> float:
    """Round where DuckDB's own rounding would overflow."""
    return round(number, digits)


# ------------------------------------------------------------------------------------------------------ decimals
def _whole(call: Call) -> str:
    name = {"ceiling": "ceil", "truncate": "trunc"}.get(call.function.name, call.function.name)
    sql, scale = call.args[0].sql, call.args[0].type.scale
    if scale == 0:
        return f"CAST({sql} AS {duck_type(call.type)})"
    return f"CAST({name}({sql}) AS {duck_type(call.type)})"


lowering("abs(decimal(p,s))", "CAST(abs($1) AS $ret)")
lowering("sign(decimal(p,s))", "CAST(sign($1) AS DECIMAL(1, 0))")
for _name in ("ceil", "ceiling", "floor"):
    lowering(
        f"{_name}(decimal(p,s))",
        _whole,
    )
lowering(
    "round(decimal(p,s))",
    _whole,
)
lowering("truncate(decimal(p,s))", _whole)


def _round_decimal(call: Call) -> str:
    kind = call.args[0].type
    digits = call.args[1].const
    verb = "truncate" if call.function.name == "truncate" else "round"
    if isinstance(digits, int) and digits >= kind.scale:
        return f"CAST({call.args[0].sql} AS {duck_type(call.type)})"
    if verb == "round" and isinstance(digits, int) and digits >= 0:
        return f"CAST(round({call.args[0].sql}, {digits}) AS {duck_type(call.type)})"
    return (
        f"CAST(py_decimal_{verb}(CAST({call.args[0].sql} AS VARCHAR), CAST({call.args[1].sql} AS INTEGER)) "
        f"AS {duck_type(call.type)})"
    )


lowering("round(decimal(p,s), bigint)", _round_decimal)
lowering("truncate(decimal(p,s), bigint)", _round_decimal)
lowering("round(decimal(p,s), integer)", _round_decimal)
lowering("truncate(decimal(p,s), integer)", _round_decimal)


@udf("py_decimal_round", ["VARCHAR", "INTEGER"], "VARCHAR")
def decimal_round(text: str, digits: int) -> str:
    """Round a decimal half up at any place."""
    return _at_place(text, digits, "ROUND_HALF_UP")


@udf("py_decimal_truncate", ["VARCHAR", "INTEGER"], "VARCHAR")
def decimal_truncate(text: str, digits: int) -> str:
    """Cut a decimal at any place."""
    return _at_place(text, digits, "ROUND_DOWN")


def _at_place(text: str, digits: int, rounding: str) -> str:
    from decimal import Decimal, localcontext  # noqa: PLC0415 - the name is taken by the type

    with localcontext() as context:
        context.prec = 120
        number = Decimal(text)
        if -number.as_tuple().exponent <= digits:  # type: ignore[operator]
            return text
        if digits < -context.prec:
            return "0"
        return format(number.quantize(Decimal(1).scaleb(-digits), rounding=rounding), "f")


def _mod(call: Call) -> str:
    found = arithmetic("%", call.args[0], call.args[1])
    return found.sql if found else "NULL"


lowering(
    "mod(decimal(p,s), decimal(q,t))",
    _mod,
)

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
    for _t in _INTEGERS:
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

# ---------------------------------------------------------------------------------------------------------- bits
for _name, _op in (("and", "&"), ("or", "|")):
    lowering(f"bitwise_{_name}(bigint, bigint)", f"($1 {_op} $2)")
lowering("bitwise_xor(bigint, bigint)", "xor($1, $2)")
lowering("bitwise_not(bigint)", "(~$1)")
lowering("bit_count(bigint, bigint)", "py_bit_count($1, $2)")
for _t, _bits in (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64)):
    for _name in ("left_shift", "right_shift", "right_shift_arithmetic"):
        lowering(f"bitwise_{_name}({_t}, bigint)", f"CAST(py_{_name}(CAST($1 AS BIGINT), $2, {_bits}) AS $ret)")


def _signed(number: int, bits: int) -> int:
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


@udf("py_bit_count", ["BIGINT", "BIGINT"], "BIGINT")
def bit_count(number: int, bits: int) -> int:
    """Ones in a number of so many bits."""
    if not 2 <= bits <= 64:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Bits specified in bit_count must be between 2 and 64, got {bits}")
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise Failure(
            f"INVALID_FUNCTION_ARGUMENT: Number must be representable with the bits specified. {number} can "
            f"not be represented with {bits} bits"
        )
    return (number & ((1 << bits) - 1)).bit_count()


@udf("py_left_shift", ["BIGINT", "BIGINT", "INTEGER"], "BIGINT")
def left_shift(number: int, shift: int, bits: int) -> int:
    """Shift left; bits past the width are lost."""
    return _signed(number << shift, bits) if 0 <= shift < bits else 0


@udf("py_right_shift", ["BIGINT", "BIGINT", "INTEGER"], "BIGINT")
def right_shift(number: int, shift: int, bits: int) -> int:
    """Shift right, filling with zeros."""
    return _signed((number & ((1 << bits) - 1)) >> shift, bits) if 0 <= shift < bits else 0


@udf("py_right_shift_arithmetic", ["BIGINT", "BIGINT", "INTEGER"], "BIGINT")
def right_shift_arithmetic(number: int, shift: int, bits: int) -> int:
    """Shift right, filling with the sign."""
    return number >> shift if 0 <= shift < bits else (-1 if number < 0 else 0)


# --------------------------------------------------------------------------------------------- bases and buckets
lowering("to_base(bigint, bigint)", "py_to_base($1, $2)")
lowering("from_base(varchar, bigint)", "py_from_base($1, $2)")


@udf("py_to_base", ["BIGINT", "BIGINT"], "VARCHAR")
def to_base(number: int, radix: int) -> str:
    """A number in another base."""
    _check_radix(radix)
    digits, rest = "", abs(number)
    while rest:
        rest, one = divmod(rest, radix)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[one] + digits
    return ("-" if number < 0 else "") + (digits or "0")


@udf("py_from_base", ["VARCHAR", "BIGINT"], "BIGINT")
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
    held = [one for one in bins if one is not None]
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


# ---------------------------------------------------------------------------------------------------- statistics
def _extreme(call: Call) -> str:
    name, t = call.function.name, call.type
    nulls = " OR ".join(f"{a.sql} IS NULL" for a in call.args)
    if t.base in {"double", "real"}:
        parts = ", ".join(f"CASE WHEN isnan({a.sql}) THEN NULL ELSE {a.sql} END" for a in call.args)
        return f"CASE WHEN {nulls} THEN NULL ELSE coalesce({name}({parts}), CAST('NaN' AS {duck_type(t)})) END"
    if name == "greatest" and holds_float(t):
        pairs = ", ".join(f"{{'k': {nan_lowest(a.sql, t)}, 'v': {a.sql}}}" for a in call.args)
        return f"CASE WHEN {nulls} THEN NULL ELSE (greatest({pairs})).v END"
    return fill(f"CASE WHEN {nulls} THEN NULL ELSE {name}($*) END", call)


for _name in ("greatest", "least"):
    lowering(f"{_name}(O, O...)", _extreme)

lowering(
    "normal_cdf(double, double, double)",
    "CASE WHEN isnan($1) OR isnan($3) THEN CAST('NaN' AS DOUBLE) ELSE py_normal_cdf($1, $2, $3) END",
)
lowering("inverse_normal_cdf(double, double, double)", "py_inverse_normal_cdf($1, $2, $3)")
lowering("beta_cdf(double, double, double)", "py_beta_cdf($1, $2, $3)")
lowering("inverse_beta_cdf(double, double, double)", "py_inverse_beta_cdf($1, $2, $3)")
lowering("wilson_interval_lower(bigint, bigint, double)", "py_wilson($1, $2, $3, -1)")
lowering("wilson_interval_upper(bigint, bigint, double)", "py_wilson($1, $2, $3, 1)")


@udf("py_normal_cdf", ["DOUBLE", "DOUBLE", "DOUBLE"], "DOUBLE")
def normal_cdf(mean: float, deviation: float, value: float) -> float:
    """The share of a normal distribution below a value."""
    if not deviation > 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: standardDeviation must be > 0")
    return 0.5 * math.erfc(-(value - mean) / (deviation * math.sqrt(2)))


@udf("py_inverse_normal_cdf", ["DOUBLE", "DOUBLE", "DOUBLE"], "DOUBLE")
def inverse_normal_cdf(mean: float, deviation: float, p: float) -> float:
    """The value below which a share of a normal distribution lies."""
    if not 0 < p < 1:
        raise Failure("INVALID_FUNCTION_ARGUMENT: p must be 0 > p > 1")
    if not deviation > 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: standardDeviation must be > 0")
    return NormalDist(mean, deviation).inv_cdf(p)


def _beta_check(a: float, b: float) -> None:
    if not (a > 0 and b > 0):
        raise Failure("INVALID_FUNCTION_ARGUMENT: a, b must be > 0")


@udf("py_beta_cdf", ["DOUBLE", "DOUBLE", "DOUBLE"], "DOUBLE")
def beta_cdf(a: float, b: float, value: float) -> float:
    """The share of a beta distribution below a value."""
    _beta_check(a, b)
    if not 0 <= value <= 1:
        raise Failure("INVALID_FUNCTION_ARGUMENT: value must be in the interval [0, 1]")
    return _incomplete_beta(a, b, value)


@udf("py_inverse_beta_cdf", ["DOUBLE", "DOUBLE", "DOUBLE"], "DOUBLE")
def inverse_beta_cdf(a: float, b: float, p: float) -> float:
    """The value below which a share of a beta distribution lies."""
    _beta_check(a, b)
    if not 0 <= p <= 1:
        raise Failure("INVALID_FUNCTION_ARGUMENT: p must be in the interval [0, 1]")
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if _incomplete_beta(a, b, middle) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    if x in {0, 1}:
        return x
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    tiny, c, d = 1e-300, 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    total = d
    for m in range(1, 500):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + step * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + step / c
            c = c if abs(c) > tiny else tiny
            total *= c * d
        if abs(c * d - 1) < 1e-16:
            break
    return front * total / a


@udf("py_wilson", ["BIGINT", "BIGINT", "DOUBLE", "INTEGER"], "DOUBLE")
def wilson(successes: int, trials: int, z: float, side: int) -> float:
    """A bound of Wilson's interval."""
    if successes < 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: number of successes must not be negative")
    if trials <= 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: number of trials must be positive")
    if successes > trials:
        raise Failure("INVALID_FUNCTION_ARGUMENT: number of successes must not be larger than number of trials")
    if z < 0:
        raise Failure("INVALID_FUNCTION_ARGUMENT: z-score must not be negative")
    p = successes / trials
    return (p + z * z / (2 * trials) + side * z * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials * trials))) / (
        1 + z * z / trials
    )


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
