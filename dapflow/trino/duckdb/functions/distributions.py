"""Distributions of statistics, and intervals."""

from __future__ import annotations

import math
from statistics import NormalDist

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, udf

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
