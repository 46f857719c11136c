"""Maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.storage import duck_type, field_names, quote
from dapflow.trino.duckdb.values import fresh, let
from dapflow.trino.types import map_of

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call


def checked_map(keys: str, values: str, kind: str) -> str:
    """A map of keys and values, with Trino's checks of the keys."""
    return let(keys, lambda k: let(values, lambda v: f"CAST(t_map({k}, {v}) AS {kind})"))


macro(
    "t_map(k, v) AS CASE WHEN k IS NULL OR v IS NULL THEN NULL "
    "WHEN len(k) = len(v) AND list_count(k) = len(k) AND len(list_distinct(k)) = len(k) THEN map(k, v) "
    "WHEN py_refuse_keys(CAST(k AS VARCHAR[]), len(v)) = 0 THEN NULL END"
)


@udf("py_refuse_keys", ["VARCHAR[]", "BIGINT"], "INTEGER")
def refuse_keys(keys: list[str | None], values: int) -> int:
    """Fail the query with what is wrong with a map's keys."""
    if len(keys) != values:
        raise Failure("INVALID_FUNCTION_ARGUMENT: Key and value arrays must be the same length")
    if None in keys:
        raise Failure("INVALID_FUNCTION_ARGUMENT: map key cannot be null")
    twin = next((key for place, key in enumerate(keys) if key in keys[:place]), keys[-1])
    raise Failure(f"INVALID_FUNCTION_ARGUMENT: Duplicate map keys ({twin}) are not allowed")


def _map(call: Call) -> str:
    return checked_map(call.args[0].sql, call.args[1].sql, duck_type(call.type))


lowering("map()", "CAST(map([], []) AS $ret)")
lowering("map(array(K), array(V))", _map)
lowering("map_keys(map(K,V))", "map_keys($1)")
lowering("map_values(map(K,V))", "map_values($1)")


def _entries(call: Call) -> str:
    name = fresh("e")
    k, v = field_names(call.type.args[0])
    return (
        f"list_transform(map_entries({call.args[0].sql}), lambda {name}: {{{quote(k)}: ({name}).key, "
        f"{quote(v)}: ({name}).value}})"
    )


lowering("map_entries(map(K,V))", _entries)


def _from_entries(call: Call) -> str:
    entry = call.args[0].type.args[0]
    k, v = (quote(n) for n in field_names(entry))
    kind = duck_type(call.type)
    e, f = fresh("e"), fresh("e")

    def body(x: str) -> str:
        keys, values = f"list_transform({x}, lambda {e}: ({e}).{k})", f"list_transform({x}, lambda {f}: ({f}).{v})"
        made = checked_map(keys, values, kind)
        return (
            f"CASE WHEN list_count({x}) < len({x}) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: map entry "
            f"cannot be null') AS {kind}) ELSE {made} END"
        )

    return let(call.args[0].sql, body, limit=100)


def _multimap(call: Call) -> str:
    k, v = (quote(n) for n in field_names(call.args[0].type.args[0]))
    kind = duck_type(call.type)
    e, f = fresh("e"), fresh("e")

    def body(x: str) -> str:
        keys, values = f"list_transform({x}, lambda {e}: ({e}).{k})", f"list_transform({x}, lambda {f}: ({f}).{v})"
        return (
            f"CASE WHEN list_count({x}) < len({x}) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: map entry cannot "
            f"be null') AS {kind}) "
            f"WHEN list_count({keys}) < len({keys}) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: map key cannot "
            f"be null') AS {kind}) "
            f"ELSE CAST(t_multimap({keys}, {values}) AS {kind}) END"
        )

    return let(call.args[0].sql, body, limit=100)


lowering("map_from_entries(array(row(K,V)))", _from_entries)
lowering("multimap_from_entries(array(row(K,V)))", _multimap)


def _concat(call: Call) -> str:
    """The last value of a key counts; the key keeps the place where it came first."""
    m = fresh("m")
    given = ", ".join(a.sql for a in call.args)
    one_by_one = ", ".join(f"{m}[{i}]" for i, _ in enumerate(call.args, 1))
    return (
        f"list_transform([[{given}]], lambda {m}: "
        f"CASE WHEN list_count({m}) = len({m}) THEN map_concat({one_by_one}) END)[1]"
    )


lowering("map_concat(map(K,V), map(K,V)...)", _concat)


def _filter(call: Call) -> str:
    e = fresh("e")
    test = call.args[1].body(f"({e}).key", f"({e}).value")
    kind = duck_type(call.type)
    return (
        f"CAST(map_from_entries(list_filter(map_entries({call.args[0].sql}), lambda {e}: coalesce({test}, "
        f"FALSE))) AS {kind})"
    )


def _transform_values(call: Call) -> str:
    e = fresh("e")
    body = call.args[1].body(f"({e}).key", f"({e}).value")
    entry = f"{{'key': ({e}).key, 'value': CAST({body} AS {duck_type(call.type.args[1])})}}"
    entries = f"list_transform(map_entries({call.args[0].sql}), lambda {e}: {entry})"
    return f"CAST(map_from_entries({entries}) AS {duck_type(call.type)})"


def _transform_keys(call: Call) -> str:
    e = fresh("e")
    body = call.args[1].body(f"({e}).key", f"({e}).value")
    key = duck_type(call.type.args[0])

    def made(x: str) -> str:
        keys = f"list_transform(map_entries({x}), lambda {e}: CAST({body} AS {key}))"
        return checked_map(keys, f"map_values({x})", duck_type(call.type))

    return let(call.args[0].sql, made)


def _zip_with(call: Call) -> str:
    k = fresh("k")
    kind = map_of(call.type.args[0], call.type.args[1])

    def made(a: str, b: str) -> str:
        body = call.args[2].body(k, f"{a}[{k}]", f"{b}[{k}]")
        keys = f"list_distinct_keep(list_concat(map_keys({a}), map_keys({b})))"
        entry = f"{{'key': {k}, 'value': CAST({body} AS {duck_type(kind.args[1])})}}"
        return (
            f"CASE WHEN {a} IS NOT NULL AND {b} IS NOT NULL THEN "
            f"CAST(map_from_entries(list_transform({keys}, lambda {k}: {entry})) AS {duck_type(kind)}) END"
        )

    return let(call.args[0].sql, lambda a: let(call.args[1].sql, lambda b: made(a, b)))


lowering("map_filter(map(K,V), function(K,V,boolean))", _filter)
lowering("transform_values(map(K,V), function(K,V,W))", _transform_values)
lowering("transform_keys(map(K,V), function(K,V,L))", _transform_keys)
lowering("map_zip_with(map(K,V), map(K,W), function(K,V,W,R))", _zip_with)
