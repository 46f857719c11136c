"""Percentiles, which are exact here."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.aggregates import GIVEN
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import Sql
from dapflow.trino.duckdb.resolution import fill

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall


def _percentile(call: LoweredCall) -> Sql:
    if call.args[1].const is None:  # quantile_disc wants to know the share beforehand
        return fill(f"t_percentile(array_agg($1 ORDER BY $1){GIVEN}, any_value($2)$tail)", call)
    return fill("quantile_disc($1, $2)$tail", call)


#: The values in their order, and their weights in the same order.
_WEIGHTED = (
    "array_agg($1 ORDER BY $1) FILTER (WHERE $1 IS NOT NULL AND $2 IS NOT NULL$and)$over, "
    "array_agg($2 ORDER BY $1) FILTER (WHERE $1 IS NOT NULL AND $2 IS NOT NULL$and)$over"
)


@udf("py_weighted_places", ["DOUBLE[]", "DOUBLE[]"], "BIGINT[]")
def weighted_places(weights: list[float], shares: list[float]) -> list[int]:
    """The place, from 1, of the first value at which the weights so far make up each share of all."""
    if any(weight <= 0 for weight in weights):
        raise Failure("INVALID_FUNCTION_ARGUMENT: percentile weight must be > 0")
    if any(not 0 <= share <= 1 for share in shares):
        raise Failure("INVALID_FUNCTION_ARGUMENT: Percentile must be between 0 and 1")
    sums = list(accumulate(weights))
    return [min(bisect_left(sums, share * sums[-1]), len(sums) - 1) + 1 for share in shares]


lowering("approx_percentile(bigint, double)", _percentile)
lowering("approx_percentile(double, double)", _percentile)
lowering("approx_percentile(real, double)", _percentile)
lowering("approx_percentile(bigint, array(double))", "quantile_disc($1, $2)$tail")
lowering("approx_percentile(double, array(double))", "quantile_disc($1, $2)$tail")
for _kind in ("bigint", "double", "real"):
    lowering(f"approx_percentile({_kind}, double, double)", f"t_weighted({_WEIGHTED}, [any_value($3)$tail])[1]")
    lowering(
        f"approx_percentile({_kind}, double, array(double))",
        f"t_weighted({_WEIGHTED}, any_value($3)$tail)",
    )
macro(
    "t_percentile(xs, p) AS CASE WHEN p < 0 OR p > 1 THEN xs[CAST(fail('INVALID_FUNCTION_ARGUMENT: Percentile must be "
    "between 0 and 1') AS BIGINT)] ELSE xs[greatest(CAST(ceil(p * len(xs)) AS BIGINT), 1)] END"
)
macro("t_weighted(xs, ws, ps) AS list_transform(py_weighted_places(ws, ps), lambda i: xs[i])")
