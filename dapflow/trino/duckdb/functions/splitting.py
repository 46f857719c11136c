"""Texts taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.registry import lowering, macro
from dapflow.trino.duckdb.nodes import Sql, Variable, sql
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.values import let

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

# DuckDB's own function joins by a separator that is known beforehand only.
macro("t_join(xs, sep) AS CASE WHEN len(xs) > 0 THEN list_reduce(xs, lambda a, b: a || sep || b) END")
macro(
    "t_split(s, d, n) AS CASE WHEN s IS NULL OR d IS NULL OR n IS NULL THEN NULL "
    "WHEN d = '' THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: The delimiter may not be "
    "the empty string') AS VARCHAR[]) "
    "WHEN n <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Limit must be positive') AS VARCHAR[]) "
    "WHEN n > 2147483647 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Limit is too large') AS VARCHAR[]) "
    "WHEN len(string_split(s, d)) <= n THEN string_split(s, d) "
    "ELSE list_append(string_split(s, d)[1:n - 1], t_join(string_split(s, d)[n:], d)) END"
)
lowering(
    "split(varchar(x), varchar(y))",
    lambda call: fill("string_split($1, $2)" if call.args[1].const else "t_split($1, $2, 2147483647)", call),
)
lowering("split(varchar(x), varchar(y), bigint)", "t_split($1, $2, $3)")
macro(
    "t_split_part(s, d, i) AS CASE WHEN s IS NULL OR d IS NULL THEN NULL "
    "WHEN i <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Index must be "
    "greater than zero') AS VARCHAR) "
    "WHEN d = '' THEN CASE WHEN i > length(s) THEN NULL ELSE substring(s, i, 1) END ELSE string_split(s, d)[i] END"
)
lowering("split_part(varchar(x), varchar(y), bigint)", "t_split_part($1, $2, $3)")

# ---------------------------------------------------------------------------------------------------------- maps
lowering("split_to_map(varchar, varchar, varchar)", "t_split_to_map($1, $2, $3)")


def _split_to_map(call: LoweredCall) -> Sql:
    """Of the values that share a key, the lambda makes one."""
    state, item, k, p = Variable("s"), Variable("v"), Variable("k"), Variable("p")
    choice = call.args[3].body(k, state, item)

    def body(pairs: Sql) -> Sql:
        keys = sql("t_distinct_keep(list_transform($pairs, lambda $p: ($p).k))", pairs=pairs, p=p)
        values = sql(
            "list_transform(list_filter($pairs, lambda $p: ($p).k = $k), lambda $p: ($p).v)", pairs=pairs, p=p, k=k
        )
        return sql(
            "map($keys, list_transform($keys, lambda $k: list_reduce($values, lambda $state, $item: $choice)))",
            keys=keys,
            k=k,
            values=values,
            state=state,
            item=item,
            choice=choice,
        )

    pairs = fill(
        "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL AND $3 IS NOT NULL THEN "
        "list_transform(list_zip(t_split_keys($1, $2, $3), t_split_values($1, $2, $3)), "
        "lambda $p: {'k': $p[1], 'v': $p[2]}) END",
        call,
        p=p,
    )
    return let(pairs, body, limit=0)


lowering(
    "split_to_map(varchar, varchar, varchar, function(varchar,varchar,varchar,varchar))",
    _split_to_map,
)
lowering("split_to_multimap(varchar, varchar, varchar)", "t_split_to_multimap($1, $2, $3)")
macro(
    "t_pairs(s, d, k) AS CASE WHEN s = '' THEN [] ELSE list_filter(string_split(s, d), lambda e, i: NOT (e = "
    "'' AND i = len(string_split(s, d)))) END"
)
macro(
    "t_pair_key(e, k) AS CASE WHEN strpos(e, k) = 0 OR strpos(t_pair_value(e, k), k) > 0 THEN "
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: Key-value delimiter must appear exactly once in each entry. Bad "
    "input: ''' || e || '''') AS VARCHAR) ELSE left(e, strpos(e, k) - 1) END"
)
macro("t_pair_value(e, k) AS substring(e, strpos(e, k) + length(k))")
macro(
    "t_pair_check(s, d, k) AS CASE WHEN d IS NULL OR k IS NULL THEN NULL "
    "WHEN d = '' THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: entryDelimiter is "
    "empty') AS VARCHAR) "
    "WHEN k = '' THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: keyValueDelimiter is empty') AS VARCHAR) "
    "WHEN d = k THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: entryDelimiter and keyValueDelimiter must not be "
    "the same') AS VARCHAR) ELSE s END"
)
macro("t_split_keys(s, d, k) AS list_transform(t_pairs(t_pair_check(s, d, k), d, k), lambda e: t_pair_key(e, k))")
macro("t_split_values(s, d, k) AS list_transform(t_pairs(t_pair_check(s, d, k), d, k), lambda e: t_pair_value(e, k))")
macro("t_repeated(ks) AS ks[list_filter(range(1, len(ks) + 1), lambda i: list_position(ks, ks[i]) < i)[1]]")
macro(
    "t_split_to_map(s, d, k) AS CASE WHEN len(list_distinct(t_split_keys(s, d, k))) < len(t_split_keys(s, d, k)) THEN "
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: Duplicate keys (' || t_repeated(t_split_keys(s, d, k)) || ') are not "
    "allowed') AS MAP(VARCHAR, VARCHAR)) ELSE "
    "map(t_split_keys(s, d, k), t_split_values(s, d, k)) END"
)
macro("t_split_to_multimap(s, d, k) AS t_multimap(t_split_keys(s, d, k), t_split_values(s, d, k))")
