"""numeric_histogram: about how values are spread, in so many buckets."""

from __future__ import annotations

import math

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, udf

for _t in ("double", "real"):
    for _more, _weight, _given in (("", "1.0::DOUBLE", ""), (", double", "$3", " AND $3 IS NOT NULL")):
        lowering(
            f"numeric_histogram(bigint, {_t}{_more})",
            "CAST(map_from_entries(py_numeric_histogram(any_value($1)$tail, "
            f"list($distinct{{'v': CAST($2 AS DOUBLE), 'w': {_weight}}}$order) "
            f"FILTER (WHERE $1 IS NOT NULL AND $2 IS NOT NULL{_given}$and)$over)) AS $ret)",
        )

#: So many values more than there are buckets are gathered before some become one.
_GATHERED = 100


@udf("py_numeric_histogram", ["BIGINT", "STRUCT(v DOUBLE, w DOUBLE)[]"], "STRUCT(k DOUBLE, v DOUBLE)[]")
def numeric_histogram(count: int, given: list[dict[str, float]]) -> list[dict[str, float]]:
    """The means of buckets, and the weights of what is in them.

    Source: Ben-Haim and Tom-Tov, "A Streaming Parallel Decision Tree Algorithm", as Trino's NumericHistogram has it.
    """
    if count < 2:
        raise Failure("INVALID_FUNCTION_ARGUMENT: numeric_histogram bucket count must be greater than one")
    buckets: list[tuple[float, float]] = []
    for pair in given:
        if math.isnan(pair["v"]):
            # It could not be given back: DuckDB takes it for NULL.
            raise Failure("NOT_SUPPORTED: numeric_histogram of NaN is not supported")
        if len(buckets) == count + _GATHERED:
            buckets = _reduced(buckets, count)
        buckets.append((pair["v"], pair["w"]))
    return [{"k": value, "v": weight} for value, weight in _reduced(buckets, count)]


def _reduced(buckets: list[tuple[float, float]], count: int) -> list[tuple[float, float]]:
    """So many buckets at most, in their order: two neighbours become one where that spreads their values least."""
    held: dict[float, float] = {}
    for value, weight in buckets:
        held[value] = held.get(value, 0.0) + weight
    values = sorted(held)
    weights = [held[value] for value in values]
    costs = [_spread(values, weights, at) for at in range(len(values) - 1)]
    while len(values) > count:
        at = costs.index(min(costs))
        weight, other, more = weights[at], values.pop(at + 1), weights.pop(at + 1)
        weights[at] = total = weight + more
        values[at] = (values[at] * weight + other * more) / total if total else other
        del costs[at]
        for changed in range(max(at - 1, 0), min(at + 1, len(costs))):
            costs[changed] = _spread(values, weights, changed)
    return list(zip(values, weights, strict=True))


def _spread(values: list[float], weights: list[float], at: int) -> float:
    """How far the values of two neighbours would lie from their mean."""
    apart = values[at] - values[at + 1]
    a, b = weights[at], weights[at + 1]
    total = a + b
    return total * (apart * apart) * ((a * b) / (total * total)) if total else math.inf
