"""Aggregates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.local.athena.trino.functions.registry import aggregate, macro
from dapflow.local.athena.trino.operators import divide
from dapflow.local.athena.trino.resolution import fill
from dapflow.local.athena.trino.storage import duck_type
from dapflow.sql.trino.types import decimal

if TYPE_CHECKING:
    from dapflow.local.athena.trino.resolution import Call

_ARGS = "{distinct}$1{order}){tail}"

aggregate("count(any) -> bigint", f"count({_ARGS}")
aggregate("count_if(boolean) -> bigint", "CAST(count(CASE WHEN $1 THEN 1 END){tail} AS BIGINT)")
aggregate("approx_distinct(T) -> bigint", f"count(DISTINCT $1){{tail}}")  # noqa: F541 - the marker is filled in later
aggregate("approx_distinct(T, double) -> bigint", "count(DISTINCT $1){tail}")

aggregate("sum(bigint) -> bigint", f"CAST(sum({_ARGS} AS BIGINT)")
aggregate("sum(real) -> real", f"CAST(sum({_ARGS} AS FLOAT)")
aggregate("sum(double) -> double", f"sum({_ARGS}")
aggregate("sum(decimal(p,s)) -> decimal(p,s)", f"CAST(sum({_ARGS} AS $ret)", lambda b, _: decimal(38, b["s"]))
aggregate("sum(interval day to second) -> interval day to second", f"CAST(sum({_ARGS} AS BIGINT)")
aggregate("sum(interval year to month) -> interval year to month", f"CAST(sum({_ARGS} AS INTEGER)")


def _average_decimal(call: Call) -> str:
    total = decimal(38, call.type.scale)
    sums = fill(f"CAST(sum({_ARGS} AS {duck_type(total)})", call)
    counts = fill("count({distinct}$1){tail}", call)
    short = decimal(min(38, 37 - total.scale), total.scale)
    return f"CASE WHEN {counts} > 0 THEN {divide(sums, short, counts, decimal(19, 0), call.type)} END"


aggregate("avg(bigint) -> double", f"avg({_ARGS}")
aggregate("avg(double) -> double", f"avg({_ARGS}")
aggregate("avg(real) -> real", f"CAST(avg({_ARGS} AS FLOAT)")
aggregate("avg(decimal(p,s)) -> decimal(p,s)", _average_decimal)
aggregate("avg(interval day to second) -> interval day to second", f"CAST(round(avg({_ARGS}) AS BIGINT)")
aggregate("avg(interval year to month) -> interval year to month", f"CAST(round(avg({_ARGS}) AS INTEGER)")


def _extreme(name: str) -> None:
    number = "$2"

    def template(call: Call) -> str:
        held = call.args[0].type.base
        if held in {"double", "real"} and name == "max":
            return fill("coalesce(max({distinct}CASE WHEN NOT isnan($1) THEN $1 END){tail}, max($1){tail})", call)
        return fill(f"{name}({_ARGS}", call)

    aggregate(f"{name}(T) -> T", template)
    ranked = "ASC" if name == "min" else "DESC"
    aggregate(
        f"{name}(T, bigint) -> array(T)",
        f"list_slice(array_agg($1 ORDER BY $1 {ranked}) FILTER (WHERE $1 IS NOT NULL), 1, any_value({number}))",
    )
    arg = "arg_min" if name == "min" else "arg_max"
    aggregate(f"{name}_by(V, K) -> V", f"{arg}_null($1, $2){{tail}}")
    aggregate(
        f"{name}_by(V, K, bigint) -> array(V)",
        f"list_slice(array_agg($1 ORDER BY $2 {ranked}) FILTER (WHERE $2 IS NOT NULL), 1, any_value($3))",
    )


_extreme("min")
_extreme("max")
for _name in ("arbitrary", "any_value"):
    aggregate(f"{_name}(T) -> T", "any_value($1{order}){tail}")
aggregate("bool_and(boolean) -> boolean", f"bool_and({_ARGS}")
aggregate("every(boolean) -> boolean", f"bool_and({_ARGS}")
aggregate("bool_or(boolean) -> boolean", f"bool_or({_ARGS}")

aggregate("array_agg(T) -> array(T)", f"array_agg({_ARGS}")
aggregate("listagg(varchar) -> varchar", "string_agg({distinct}$1, ''{order}){tail}")
aggregate("listagg(varchar, varchar) -> varchar", "string_agg({distinct}$1, $2{order}){tail}")
aggregate("set_agg(T) -> array(T)", "array_agg(DISTINCT $1){tail}")
aggregate("set_union(array(T)) -> array(T)", "list_distinct_keep(flatten(array_agg($1){tail}))")
aggregate(
    "map_agg(K, V) -> map(K,V)",
    "t_map_agg(array_agg($1) FILTER (WHERE $1 IS NOT NULL), array_agg($2) FILTER (WHERE $1 IS NOT NULL))",
)
aggregate(
    "multimap_agg(K, V) -> map(K,array(V))",
    "t_multimap(array_agg($1{order}) FILTER (WHERE $1 IS NOT NULL), array_agg($2{order}) FILTER (WHERE $1 IS "
    "NOT NULL))",
)
aggregate(
    "map_union(map(K,V)) -> map(K,V)", "t_map_first(flatten(array_agg(map_entries($1)) FILTER (WHERE $1 IS NOT NULL)))"
)
aggregate("histogram(T) -> map(T,bigint)", "CAST(histogram($1){tail} AS $ret)")
macro("list_distinct_keep(x) AS list_filter(x, lambda e, i: list_position(x, e) = i)")
macro("t_first_keys(ks) AS list_filter(range(1, len(ks) + 1), lambda i: list_position(ks, ks[i]) = i)")
macro(
    "t_map_agg(ks, vs) AS map(list_transform(t_first_keys(ks), lambda i: ks[i]), "
    "list_transform(t_first_keys(ks), lambda i: vs[i]))"
)
macro(
    "t_multimap(ks, vs) AS map(list_distinct_keep(ks), list_transform(list_distinct_keep(ks), lambda k: "
    "list_transform(list_filter(range(1, len(ks) + 1), lambda i: ks[i] = k), lambda i: vs[i])))"
)
macro("t_map_first(es) AS t_map_agg(list_transform(es, lambda e: e.key), list_transform(es, lambda e: e.value))")

aggregate("approx_percentile(bigint, double) -> bigint", "quantile_disc($1, $2){tail}")
aggregate("approx_percentile(double, double) -> double", "quantile_disc($1, $2){tail}")
aggregate("approx_percentile(real, double) -> real", "quantile_disc($1, $2){tail}")
aggregate("approx_percentile(bigint, array(double)) -> array(bigint)", "quantile_disc($1, $2){tail}")
aggregate("approx_percentile(double, array(double)) -> array(double)", "quantile_disc($1, $2){tail}")
aggregate("geometric_mean(double) -> double", "exp(avg(ln($1)){tail})")

for _name in ("stddev", "stddev_samp", "variance", "var_samp", "stddev_pop", "var_pop", "skewness", "kurtosis"):
    aggregate(f"{_name}(double) -> double", f"{_name}({_ARGS}")
for _name in (
    "corr",
    "covar_pop",
    "covar_samp",
    "regr_slope",
    "regr_intercept",
    "regr_avgx",
    "regr_avgy",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "regr_r2",
):
    aggregate(f"{_name}(double, double) -> double", f"{_name}($1, $2){{tail}}")
aggregate("regr_count(double, double) -> double", "CAST(regr_count($1, $2){tail} AS DOUBLE)")
aggregate("entropy(bigint) -> double", "t_entropy(array_agg(CAST($1 AS DOUBLE)) FILTER (WHERE $1 IS NOT NULL))")
macro(
    "t_entropy(xs) AS -list_sum(list_transform(list_filter(xs, lambda x: x > 0), lambda x: CAST(x AS DOUBLE) / "
    "CAST(list_sum(xs) AS DOUBLE) * log2(CAST(x AS DOUBLE) / CAST(list_sum(xs) AS DOUBLE))))"
)

for _name in ("bitwise_and_agg", "bitwise_or_agg", "bitwise_xor_agg"):
    aggregate(f"{_name}(bigint) -> bigint", f"bit_{_name.split('_')[1]}({_ARGS}")
