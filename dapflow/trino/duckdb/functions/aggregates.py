"""Aggregates."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import aggregate, macro, udf
from dapflow.trino.duckdb.operators import comparable_form, divide, nan_lowest
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.storage import duck_type, literal
from dapflow.trino.types import decimal

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

_ARGS = "{distinct}$1{order}){tail}"
#: What follows an aggregate that leaves out the rows without a first or second argument.
_GIVEN = " FILTER (WHERE $1 IS NOT NULL{and}){over}"
_KEYED = " FILTER (WHERE $2 IS NOT NULL{and}){over}"


def _of_lists(macro_name: str, *lists: str) -> str:
    """A macro over lists that are made once: DuckDB takes no aggregate with a lambda in it into another lambda."""
    held = ", ".join(f"'a{i}': {one}" for i, one in enumerate(lists))
    given = ", ".join(f"g.a{i}" for i in range(len(lists)))
    return f"list_transform([{{{held}}}], lambda g: {macro_name}({given}))[1]"


def _count(call: Call) -> str:
    return fill("count({distinct}$1){tail}", _comparable(call))


def _count_distinct(call: Call) -> str:
    return fill("count(DISTINCT $1){tail}", _comparable(call))


def _comparable(call: Call) -> Call:
    """The call with a first argument that DuckDB compares as Trino does. (In a template, its text could be a slot.)"""
    value = call.args[0]
    return replace(call, args=[replace(value, sql=comparable_form(value.sql, value.type)), *call.args[1:]])


def _sum_decimal(call: Call) -> str:
    """The sum has 38 digits whatever is summed, so what is summed may be computed in fewer."""
    value, sums = call.args[0], call.unit.short_sums
    if value.short is not None and sums is not None:
        sums.append(value.short)
        call = replace(call, args=[replace(value, sql=value.short)])
    return fill(f"CAST(sum({_ARGS} AS $ret)", call)


aggregate("count(any) -> bigint", _count)
aggregate("count_if(boolean) -> bigint", "count({distinct}CASE WHEN $1 THEN 1 END){tail}")
aggregate("approx_distinct(T) -> bigint", _count_distinct)
aggregate("approx_distinct(T, double) -> bigint", _count_distinct)

aggregate("sum(bigint) -> bigint", f"CAST(sum({_ARGS} AS BIGINT)")
aggregate("sum(real) -> real", f"CAST(sum({_ARGS} AS FLOAT)")
aggregate("sum(double) -> double", f"sum({_ARGS}")
aggregate("sum(decimal(p,s)) -> decimal(p,s)", _sum_decimal, lambda b, _: decimal(38, b["s"]))
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

    aggregate(f"{name}(O) -> O", template)
    ranked = "ASC" if name == "min" else "DESC"
    aggregate(
        f"{name}(O, bigint) -> array(O)",
        f"list_slice(array_agg($1 ORDER BY $1 {ranked}){_GIVEN}, 1, any_value({number}){{tail}})",
    )
    arg = "arg_min" if name == "min" else "arg_max"

    def by(call: Call) -> str:
        key = call.args[1]
        ordering = nan_lowest(key.sql, key.type) if name == "max" else key.sql
        return fill(f"{arg}_null($1, {ordering}){{tail}}", call)

    aggregate(f"{name}_by(V, O) -> V", by)
    aggregate(
        f"{name}_by(V, O, bigint) -> array(V)",
        f"list_slice(array_agg($1 ORDER BY $2 {ranked}){_KEYED}, 1, any_value($3){{tail}})",
    )


_extreme("min")
_extreme("max")
for _name in ("arbitrary", "any_value"):
    aggregate(f"{_name}(T) -> T", "any_value($1{order}){tail}")
aggregate("bool_and(boolean) -> boolean", f"bool_and({_ARGS}")
aggregate("every(boolean) -> boolean", f"bool_and({_ARGS}")
aggregate("bool_or(boolean) -> boolean", f"bool_or({_ARGS}")

aggregate("array_agg(T) -> array(T)", f"array_agg({_ARGS}")


def _listagg(call: Call) -> str:
    separator = call.args[1].sql if len(call.args) > 1 else "''"
    if not call.node.extra:
        return fill(f"t_listed(string_agg({{distinct}}$1, {separator}{{order}}){{tail}})", call)
    filler, counts = call.node.extra
    return fill(
        f"py_listed(array_agg({{distinct}}$1{{order}}){_GIVEN}, {separator}, {literal(filler)}, {counts})", call
    )


_MOST_LISTED = 1 << 20
aggregate("listagg(varchar) -> varchar", _listagg)
aggregate("listagg(varchar, varchar) -> varchar", _listagg)
macro(
    f"t_listed(x) AS CASE WHEN strlen(x) > {_MOST_LISTED} THEN CAST(fail('EXCEEDED_FUNCTION_MEMORY_LIMIT: Concatenated "
    f"string has the length in bytes larger than the maximum output length {_MOST_LISTED}') AS VARCHAR) ELSE x END"
)


@udf("py_listed", ["VARCHAR[]", "VARCHAR", "VARCHAR", "BOOLEAN"], "VARCHAR")
def listed(texts: list[str], separator: str, filler: str, counts: bool) -> str:
    """The texts joined; of more than a megabyte what fits, a filler, and how many are left out."""
    between = len(separator.encode())
    size = -between
    for place, text in enumerate(texts):
        size += between + len(text.encode())
        if size > _MOST_LISTED:
            left_out = f"({len(texts) - place})" if counts else ""
            return separator.join([*texts[:place], filler + left_out])
    return separator.join(texts)


aggregate("set_agg(T) -> array(T)", "array_agg(DISTINCT $1){tail}")
aggregate("set_union(array(T)) -> array(T)", _of_lists("list_distinct_keep", "flatten(array_agg($1){tail})"))
aggregate(
    "map_agg(K, V) -> map(K,V)",
    _of_lists("t_map_agg", f"array_agg($1{{order}}){_GIVEN}", f"array_agg($2{{order}}){_GIVEN}"),
)
aggregate(
    "multimap_agg(K, V) -> map(K,array(V))",
    _of_lists("t_multimap", f"array_agg($1{{order}}){_GIVEN}", f"array_agg($2{{order}}){_GIVEN}"),
)
aggregate(
    "map_union(map(K,V)) -> map(K,V)",
    _of_lists("t_map_first", f"flatten(array_agg(map_entries($1){{order}}){_GIVEN})"),
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
macro("t_map_first(es) AS t_map_agg(list_transform(es, lambda e: (e).key), list_transform(es, lambda e: (e).value))")


def _check_share(call: Call) -> None:
    share = call.args[-1].const
    if share is not None and not 0 <= float(share) <= 1:
        call.unit.fail("INVALID_FUNCTION_ARGUMENT", call.node.pos, "Percentile must be between 0 and 1")


def _percentile(call: Call) -> str:
    _check_share(call)
    return fill("quantile_disc($1, $2){tail}", call)


#: The values in their order, and their weights in the same order.
_WEIGHTED = (
    "array_agg($1 ORDER BY $1) FILTER (WHERE $1 IS NOT NULL AND $2 IS NOT NULL{and}){over}, "
    "array_agg($2 ORDER BY $1) FILTER (WHERE $1 IS NOT NULL AND $2 IS NOT NULL{and}){over}"
)


def _weighted_percentile(call: Call) -> str:
    _check_share(call)
    return fill(f"t_weighted({_WEIGHTED}, [any_value($3){{tail}}])[1]", call)


@udf("py_weighted_places", ["DOUBLE[]", "DOUBLE[]"], "BIGINT[]")
def weighted_places(weights: list[float], shares: list[float]) -> list[int]:
    """The place, from 1, of the first value at which the weights so far make up each share of all."""
    if any(weight <= 0 for weight in weights):
        raise Failure("INVALID_FUNCTION_ARGUMENT: percentile weight must be > 0")
    if any(not 0 <= share <= 1 for share in shares):
        raise Failure("INVALID_FUNCTION_ARGUMENT: Percentile must be between 0 and 1")
    sums = list(accumulate(weights))
    return [min(bisect_left(sums, share * sums[-1]), len(sums) - 1) + 1 for share in shares]


aggregate("approx_percentile(bigint, double) -> bigint", _percentile)
aggregate("approx_percentile(double, double) -> double", _percentile)
aggregate("approx_percentile(real, double) -> real", _percentile)
aggregate("approx_percentile(bigint, array(double)) -> array(bigint)", "quantile_disc($1, $2){tail}")
aggregate("approx_percentile(double, array(double)) -> array(double)", "quantile_disc($1, $2){tail}")
for _kind in ("bigint", "double", "real"):
    aggregate(f"approx_percentile({_kind}, double, double) -> {_kind}", _weighted_percentile)
    aggregate(
        f"approx_percentile({_kind}, double, array(double)) -> array({_kind})",
        f"t_weighted({_WEIGHTED}, any_value($3){{tail}})",
    )
macro("t_weighted(xs, ws, ps) AS list_transform(py_weighted_places(ws, ps), lambda i: xs[i])")
aggregate(
    "approx_most_frequent(bigint, T, bigint) -> map(T,bigint)",
    "CAST(t_most_frequent(map_entries(histogram($2){tail}), any_value($1){tail}) AS $ret)",
)
macro(
    "t_most_frequent(es, n) AS map_from_entries(list_transform(list_slice(list_sort(list_transform(es, "
    "lambda e: {'n': -CAST((e).value AS BIGINT), 'e': e})), 1, n), lambda e: (e).e))"
)
aggregate("geometric_mean(double) -> double", "exp(avg(ln($1)){tail})")

for _name in ("stddev", "stddev_samp", "variance", "var_samp", "stddev_pop", "var_pop", "skewness", "kurtosis"):
    aggregate(f"{_name}(double) -> double", f"{_name}({_ARGS}")
for _name in (
    "covar_pop",
    "covar_samp",
    "regr_avgx",
    "regr_avgy",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "regr_r2",
):
    aggregate(f"{_name}(double, double) -> double", f"{_name}($1, $2){{tail}}")
for _name in ("corr", "regr_slope", "regr_intercept"):
    # Without a spread there is no answer: Trino gives NULL and not NaN.
    aggregate(
        f"{_name}(double, double) -> double",
        f"CASE WHEN isfinite({_name}($1, $2){{tail}}) THEN {_name}($1, $2){{tail}} END",
    )
aggregate("regr_count(double, double) -> double", "CAST(regr_count($1, $2){tail} AS DOUBLE)")
aggregate("entropy(bigint) -> double", _of_lists("t_entropy", f"array_agg(CAST($1 AS DOUBLE)){_GIVEN}"))
macro(
    "t_entropy(xs) AS -list_sum(list_transform(list_filter(xs, lambda x: x > 0), lambda x: CAST(x AS DOUBLE) / "
    "CAST(list_sum(xs) AS DOUBLE) * log2(CAST(x AS DOUBLE) / CAST(list_sum(xs) AS DOUBLE))))"
)

for _name in ("bitwise_and_agg", "bitwise_or_agg", "bitwise_xor_agg"):
    aggregate(f"{_name}(bigint) -> bigint", f"bit_{_name.split('_')[1]}({_ARGS}")
