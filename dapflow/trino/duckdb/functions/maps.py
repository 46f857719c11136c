"""Maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import FieldOf, Name, Sql, Variable, joined, sql
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import cast, let, type_sql
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall


def checked_map(keys: Sql, values: Sql, kind: Sql) -> Sql:
    """A map of keys and values, with Trino's checks of the keys."""
    return let(keys, lambda k: let(values, lambda v: sql("CAST(t_map($k, $v) AS $kind)", k=k, v=v, kind=kind)))


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


def _map(call: LoweredCall) -> Sql:
    return checked_map(call.args[0].sql, call.args[1].sql, type_sql(call.type))


lowering("map()", "CAST(map([], []) AS $ret)")
lowering("map(array(K), array(V))", _map)
lowering("map_keys(map(K,V))", "map_keys($1)")
lowering("map_values(map(K,V))", "map_values($1)")


def _entries(call: LoweredCall) -> Sql:
    k, v = map(Name, field_names(call.type.args[0]))
    return fill(
        "list_transform(map_entries($1), lambda $e: {$k: ($e).key, $v: ($e).value})", call, e=Variable("e"), k=k, v=v
    )


lowering("map_entries(map(K,V))", _entries)


def _columns(entries: Sql, row: Type) -> tuple[Sql, Sql]:
    """The keys and the values of entries, each of which is a row of two fields."""
    k, v = (_column(entries, name) for name in field_names(row))
    return k, v


def _column(entries: Sql, name: str) -> Sql:
    e = Variable("e")
    return sql("list_transform($entries, lambda $e: $part)", entries=entries, e=e, part=FieldOf(e, name))


def _from_entries(call: LoweredCall) -> Sql:
    kind = type_sql(call.type)

    def body(x: Sql) -> Sql:
        made = checked_map(*_columns(x, call.args[0].type.args[0]), kind)
        return sql(
            "CASE WHEN list_count($x) < len($x) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: map entry cannot be null') "
            "AS $kind) ELSE $made END",
            x=x,
            kind=kind,
            made=made,
        )

    return let(call.args[0].sql, body, limit=100)


def _multimap(call: LoweredCall) -> Sql:
    def body(x: Sql) -> Sql:
        keys, values = _columns(x, call.args[0].type.args[0])
        return sql(
            "CASE WHEN list_count($x) < len($x) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: map entry cannot be null') "
            "AS $kind) WHEN list_count($keys) < len($keys) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: map key cannot "
            "be null') AS $kind) ELSE CAST(t_multimap($keys, $values) AS $kind) END",
            x=x,
            kind=type_sql(call.type),
            keys=keys,
            values=values,
        )

    return let(call.args[0].sql, body, limit=100)


lowering("map_from_entries(array(row(K,V)))", _from_entries)
lowering("multimap_from_entries(array(row(K,V)))", _multimap)


def _concat(call: LoweredCall) -> Sql:
    """The last value of a key counts; the key keeps the place where it came first."""
    m = Variable("m")
    one_by_one = [sql("$m[$i]", m=m, i=i) for i, _ in enumerate(call.args, 1)]
    return fill(
        "list_transform([[$all]], lambda $m: CASE WHEN list_count($m) = len($m) THEN map_concat($parts) END)[1]",
        call,
        m=m,
        parts=joined(", ", one_by_one),
    )


lowering("map_concat(map(K,V), map(K,V)...)", _concat)


def _on_entry(call: LoweredCall, e: Variable) -> Sql:
    """The body of a lambda of a map's keys and values, for an entry."""
    body: Sql = call.args[1].body(sql("($e).key", e=e), sql("($e).value", e=e))
    return body


def _filter(call: LoweredCall) -> Sql:
    e = Variable("e")
    return sql(
        "CAST(map_from_entries(list_filter(map_entries($map), lambda $e: coalesce($test, FALSE))) AS $kind)",
        map=call.args[0].sql,
        e=e,
        test=_on_entry(call, e),
        kind=type_sql(call.type),
    )


def _transform_values(call: LoweredCall) -> Sql:
    e = Variable("e")
    return sql(
        "CAST(map_from_entries(list_transform(map_entries($map), lambda $e: {'key': ($e).key, 'value': $value})) "
        "AS $kind)",
        map=call.args[0].sql,
        e=e,
        value=cast(_on_entry(call, e), call.type.args[1]),
        kind=type_sql(call.type),
    )


def _transform_keys(call: LoweredCall) -> Sql:
    e = Variable("e")
    key = cast(_on_entry(call, e), call.type.args[0])

    def made(x: Sql) -> Sql:
        keys = sql("list_transform(map_entries($x), lambda $e: $key)", x=x, e=e, key=key)
        return checked_map(keys, sql("map_values($x)", x=x), type_sql(call.type))

    return let(call.args[0].sql, made)


def _zip_with(call: LoweredCall) -> Sql:
    a, b, k = call.args[0].sql, call.args[1].sql, Variable("k")
    value = call.args[2].body(k, sql("$a[$k]", a=a, k=k), sql("$b[$k]", b=b, k=k))
    return sql(
        "CASE WHEN $a IS NOT NULL AND $b IS NOT NULL THEN CAST(map_from_entries(list_transform("
        "t_distinct_keep(list_concat(map_keys($a), map_keys($b))), lambda $k: {'key': $k, 'value': $value})) "
        "AS $kind) END",
        a=a,
        b=b,
        k=k,
        value=cast(value, call.type.args[1]),
        kind=type_sql(call.type),
    )


lowering("map_filter(map(K,V), function(K,V,boolean))", _filter)
lowering("transform_values(map(K,V), function(K,V,W))", _transform_values)
lowering("transform_keys(map(K,V), function(K,V,L))", _transform_keys)
lowering("map_zip_with(map(K,V), map(K,W), function(K,V,W,R))", _zip_with)
