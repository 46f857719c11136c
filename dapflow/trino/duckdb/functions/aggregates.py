"""Aggregates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import FALSE, TRUE, Sql, Text, sql
from dapflow.trino.duckdb.operators import comparable_form, divide, nan_lowest
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.values import type_sql
from dapflow.trino.types import decimal

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

_ARGS = "$distinct$1$order)$tail"
#: What follows an aggregate that leaves out the rows without a first or second argument.
GIVEN = " FILTER (WHERE $1 IS NOT NULL$and)$over"
_KEYED = " FILTER (WHERE $2 IS NOT NULL$and)$over"


def _of_lists(macro_name: str, *lists: str) -> str:
    """A macro over lists that are made once: DuckDB takes no aggregate with a lambda in it into another lambda."""
    held = ", ".join(f"'a{i}': {items}" for i, items in enumerate(lists))
    given = ", ".join(f"g.a{i}" for i in range(len(lists)))
    return f"list_transform([{{{held}}}], lambda g: {macro_name}({given}))[1]"


def _count(call: LoweredCall) -> Sql:
    return fill("count($distinct$value)$tail", call, value=_comparable(call))


def _count_distinct(call: LoweredCall) -> Sql:
    return fill("count(DISTINCT $value)$tail", call, value=_comparable(call))


def _within_error(call: LoweredCall) -> Sql:
    return fill(
        "CASE WHEN t_error_fits(any_value($2)$tail) THEN count(DISTINCT $value)$tail END",
        call,
        value=_comparable(call),
    )


def _comparable(call: LoweredCall) -> Sql:
    """The first argument as DuckDB compares it as Trino does."""
    return comparable_form(call.args[0].sql, call.args[0].type)


def _sum_decimal(call: LoweredCall) -> Sql:
    """The sum has 38 digits whatever is summed, so what is summed may be computed in fewer."""
    value, notes = call.args[0], call.lowering.notes
    if value.short is not None and notes.short_sums:
        notes.short_summed = True
        call = replace(call, args=[replace(value, sql=value.short)])
    return fill(f"CAST(sum({_ARGS} AS $ret)", call)


lowering("count(any)", _count)
lowering("count_if(boolean)", "count($distinct CASE WHEN $1 THEN 1 END)$tail")
lowering("approx_distinct(T)", _count_distinct)
lowering("approx_distinct(T, double)", _within_error)

#: The standard errors that a sketch can have; NULL where there is no row.
macro(
    "t_error_fits(e) AS CASE WHEN e < 0.0040625 OR e > 0.26 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Max standard "
    "error must be in [0.0040625, 0.26]: ' || t_double_text(e)) AS BOOLEAN) ELSE true END"
)

lowering("sum(bigint)", f"CAST(sum({_ARGS} AS BIGINT)")
lowering("sum(real)", f"CAST(sum({_ARGS} AS FLOAT)")
lowering("sum(double)", f"sum({_ARGS}")
lowering("sum(decimal(p,s))", _sum_decimal)
lowering("sum(interval day to second)", f"CAST(sum({_ARGS} AS BIGINT)")
lowering("sum(interval year to month)", f"CAST(sum({_ARGS} AS INTEGER)")


def _average_decimal(call: LoweredCall) -> Sql:
    total = decimal(38, call.type.scale)
    sums = fill(f"CAST(sum({_ARGS} AS $total)", call, total=type_sql(total))
    counts = fill("count($distinct$1)$tail", call)
    short = decimal(min(38, 37 - total.scale), total.scale)
    average = divide(sums, short, counts, decimal(19, 0), call.type)
    return sql("CASE WHEN $counts > 0 THEN $average END", counts=counts, average=average)


lowering("avg(bigint)", f"avg({_ARGS}")
lowering("avg(double)", f"avg({_ARGS}")
lowering("avg(real)", f"CAST(avg({_ARGS} AS FLOAT)")
lowering("avg(decimal(p,s))", _average_decimal)
lowering("avg(interval day to second)", f"CAST(round(avg({_ARGS}) AS BIGINT)")
lowering("avg(interval year to month)", f"CAST(round(avg({_ARGS}) AS INTEGER)")


#: How many values are asked for: `place` is that argument's, `wanted` what it must be.
macro(
    "t_how_many(n, place, wanted) AS CASE WHEN n <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: ' || place || "
    "' must be ' || wanted) AS BIGINT) WHEN n > 10000 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: ' || place || "
    "' must be less than or equal to 10000; found ' || n) AS BIGINT) ELSE n END"
)
_SECOND = "t_how_many(any_value($2)$tail, 'second argument of max_n/min_n', 'positive')"
_THIRD = "t_how_many(any_value($3)$tail, 'third argument of max_by/min_by', 'a positive integer')"


#: The largest of floating point numbers is NaN only where there is nothing else.
_LARGEST_FLOAT = "coalesce(max($distinct CASE WHEN NOT isnan($1) THEN $1 END)$tail, max($1)$tail)"


def _largest(call: LoweredCall) -> Sql:
    return fill(_LARGEST_FLOAT if call.args[0].type.base in {"double", "real"} else f"max({_ARGS}", call)


def _of_largest(call: LoweredCall) -> Sql:
    key = call.args[1]
    return fill("arg_max_null($1, $key)$tail", call, key=nan_lowest(key.sql, key.type))


lowering("min(O)", f"min({_ARGS}")
lowering("max(O)", _largest)
lowering("min_by(V, O)", "arg_min_null($1, $2)$tail")
lowering("max_by(V, O)", _of_largest)
for _name, _ranked in (("min", "ASC"), ("max", "DESC")):
    lowering(f"{_name}(O, bigint)", f"list_slice(array_agg($1 ORDER BY $1 {_ranked}){GIVEN}, 1, {_SECOND})")
    lowering(f"{_name}_by(V, O, bigint)", f"list_slice(array_agg($1 ORDER BY $2 {_ranked}){_KEYED}, 1, {_THIRD})")
for _name in ("arbitrary", "any_value"):
    lowering(f"{_name}(T)", "any_value($1$order)$tail")
lowering("bool_and(boolean)", f"bool_and({_ARGS}")
lowering("every(boolean)", f"bool_and({_ARGS}")
lowering("bool_or(boolean)", f"bool_or({_ARGS}")

lowering("array_agg(T)", f"array_agg({_ARGS}")


def _listagg(call: LoweredCall) -> Sql:
    separator = call.args[1].sql if len(call.args) > 1 else Text("")
    if not call.extra:
        return fill("t_listed(string_agg($distinct$1, $separator$order)$tail)", call, separator=separator)
    filler, counts = call.extra
    return fill(
        f"py_listed(array_agg($distinct$1$order){GIVEN}, $separator, $filler, $counts)",
        call,
        separator=separator,
        filler=Text(filler),
        counts=TRUE if counts else FALSE,
    )


_MOST_LISTED = 1 << 20
lowering("listagg(varchar)", _listagg)
lowering("listagg(varchar, varchar)", _listagg)
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


lowering("set_agg(T)", "array_agg(DISTINCT $1)$tail")
lowering("set_union(array(T))", _of_lists("t_distinct_keep", "flatten(array_agg($1)$tail)"))
lowering(
    "map_agg(K, V)",
    _of_lists("t_map_agg", f"array_agg($1$order){GIVEN}", f"array_agg($2$order){GIVEN}"),
)
lowering(
    "multimap_agg(K, V)",
    _of_lists("t_multimap", f"array_agg($1$order){GIVEN}", f"array_agg($2$order){GIVEN}"),
)
lowering(
    "map_union(map(K,V))",
    _of_lists(
        "t_map_agg",
        f"flatten(array_agg(map_keys($1)$order){GIVEN})",
        f"flatten(array_agg(map_values($1)$order){GIVEN})",
    ),
)
lowering("histogram(T)", "CAST(histogram($1)$tail AS $ret)")
macro("t_distinct_keep(x) AS list_filter(x, lambda e, i: list_position(x, e) = i)")
macro("t_first_keys(ks) AS list_filter(range(1, len(ks) + 1), lambda i: list_position(ks, ks[i]) = i)")
macro(
    "t_map_agg(ks, vs) AS map(list_transform(t_first_keys(ks), lambda i: ks[i]), "
    "list_transform(t_first_keys(ks), lambda i: vs[i]))"
)
macro(
    "t_multimap(ks, vs) AS map(t_distinct_keep(ks), list_transform(t_distinct_keep(ks), lambda k: "
    "list_transform(list_filter(range(1, len(ks) + 1), lambda i: ks[i] = k), lambda i: vs[i])))"
)
lowering(
    "approx_most_frequent(bigint, T, bigint)",
    "CAST(t_most_frequent(map_entries(histogram($2)$tail), any_value($1)$tail) AS $ret)",
)
macro(
    "t_most_frequent(es, n) AS map_from_entries(list_transform(list_slice(list_sort(list_transform(es, "
    "lambda e: {'n': -CAST((e).value AS BIGINT), 'e': e})), 1, t_buckets(n)), lambda e: (e).e))"
)
macro(
    "t_buckets(n) AS CASE WHEN n < 2 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: approx_most_frequent bucket count must "
    "be greater than one') AS BIGINT) ELSE n END"
)
lowering("geometric_mean(double)", "exp(avg(ln($1))$tail)")

for _name in ("stddev", "stddev_samp", "variance", "var_samp", "stddev_pop", "var_pop"):
    lowering(f"{_name}(double)", f"{_name}({_ARGS}")
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
    lowering(f"{_name}(double, double)", f"{_name}($1, $2)$tail")
for _name in ("corr", "regr_slope", "regr_intercept"):
    # Without a spread there is no answer: Trino gives NULL and not NaN.
    lowering(
        f"{_name}(double, double)",
        f"CASE WHEN isfinite({_name}($1, $2)$tail) THEN {_name}($1, $2)$tail END",
    )
lowering("regr_count(double, double)", "CAST(regr_count($1, $2)$tail AS DOUBLE)")
lowering(
    "entropy(bigint)",
    "t_entropy(min($1)$tail, sum($distinct CAST($1 AS DOUBLE))$tail, "
    "sum($distinct CASE WHEN $1 > 0 THEN $1 * ln($1) END)$tail)",
)
macro(
    "t_entropy(least, total, logs) AS CASE WHEN least < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Entropy count "
    "argument must be non-negative') AS DOUBLE) WHEN total > 0 THEN greatest((ln(total) - logs / total) / "
    "ln(2.0::DOUBLE), 0.0::DOUBLE) ELSE 0.0::DOUBLE END"
)

# DuckDB's own corrects the skewness for a sample, and loses the digits of values that lie far from 0.
for _name in ("skewness", "kurtosis"):
    lowering(f"{_name}(double)", _of_lists(f"t_{_name}", f"array_agg($distinct$1){GIVEN}"))
macro("t_distances(xs) AS list_transform(xs, lambda x: x - xs[1])")
macro(
    "t_central(ds) AS list_transform([{'d': ds, 'm': list_avg(ds)}], lambda g: "
    "list_transform(g.d, lambda d: d - g.m))[1]"
)
macro("t_moment(ds, k) AS list_sum(list_transform(ds, lambda d: pow(d, k)))")
macro(
    "t_skewness(xs) AS CASE WHEN len(xs) >= 3 THEN list_transform([t_central(t_distances(xs))], lambda ds: "
    "sqrt(len(ds)) * t_moment(ds, 3) / pow(t_moment(ds, 2), 1.5))[1] END"
)
macro(
    "t_kurtosis(xs) AS CASE WHEN len(xs) >= 4 THEN list_transform([{'d': t_central(t_distances(xs)), "
    "'n': CAST(len(xs) AS DOUBLE)}], lambda g: ((g.n - 1) * g.n * (g.n + 1) * t_moment(g.d, 4) / "
    "pow(t_moment(g.d, 2), 2) - 3 * (g.n - 1) * (g.n - 1)) / ((g.n - 2) * (g.n - 3)))[1] END"
)

for _name in ("bitwise_and_agg", "bitwise_or_agg", "bitwise_xor_agg"):
    lowering(f"{_name}(bigint)", f"bit_{_name.split('_')[1]}({_ARGS}")
