"""Functions of arrays that take lambdas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.registry import lowering, macro
from dapflow.trino.duckdb.nodes import Sql, Variable, sql
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.values import cast, let, type_sql
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall


def _transform(call: LoweredCall) -> Sql:
    x = Variable("x")
    body = cast(call.args[1].body(x), call.type.args[0])
    return sql("list_transform($array, lambda $x: $body)", array=call.args[0].sql, x=x, body=body)


def _filter(call: LoweredCall) -> Sql:
    x = Variable("x")
    return sql(
        "list_filter($array, lambda $x: coalesce($test, FALSE))",
        array=call.args[0].sql,
        x=x,
        test=call.args[1].body(x),
    )


def _matched(call: LoweredCall) -> Sql:
    x = Variable("x")
    test = call.args[1].body(x)
    return sql(_MATCHES[call.name], array=call.args[0].sql, x=x, test=test)


_MATCHES = {
    "any_match": "t_any(list_transform($array, lambda $x: $test))",
    "all_match": "t_all(list_transform($array, lambda $x: $test))",
    "none_match": "(NOT t_any(list_transform($array, lambda $x: $test)))",
}
lowering("transform(array(T), function(T,U))", _transform)
lowering("filter(array(T), function(T,boolean))", _filter)
for _name in _MATCHES:
    lowering(f"{_name}(array(T), function(T,boolean))", _matched)


# ----------------------------------------------------------------------------------------------------- reduction
def _folded(call: LoweredCall, items: Sql, item: Type, held: Type) -> Sql:
    """The state after all items. It travels in a row, so that it may be NULL and of another type than the items."""
    s, x = Variable("s"), Variable("x")
    return sql(
        "(list_reduce(list_transform($items, lambda $y: {'s': CAST(NULL AS $held), 'x': $y}), "
        "lambda $s, $x: {'s': CAST($step AS $held), 'x': ($x).x}, "
        "{'s': CAST($first AS $held), 'x': CAST(NULL AS $item)})).s",
        items=items,
        y=Variable("x"),
        s=s,
        x=x,
        step=call.args[2].body(sql("($s).s", s=s), sql("($x).x", x=x)),
        first=call.args[1].sql,
        held=type_sql(held),
        item=type_sql(item),
    )


def _reduce(call: LoweredCall) -> Sql:
    array, last = call.args[0], Variable("s")
    return sql(
        "CASE WHEN $array IS NOT NULL THEN list_transform([$folded], lambda $last: $result)[1] END",
        array=array.sql,
        folded=_folded(call, array.sql, array.type.args[0], call.args[1].type),
        last=last,
        result=call.args[3].body(last),
    )


def _reduce_agg(call: LoweredCall) -> Sql:
    """The rows as an array, reduced; the last lambda only joins what was reduced in parts."""
    items = fill("array_agg($1) FILTER (WHERE $1 IS NOT NULL$and)$over", call)
    return _folded(call, items, call.args[0].type, call.type)


lowering("reduce(array(T), S, function(S,T,S), function(S,R))", _reduce)
lowering("reduce_agg(T, S, function(S,T,S), function(S,S,S))", _reduce_agg)


def _zip_with(call: LoweredCall) -> Sql:
    z = Variable("z")
    body = call.args[2].body(sql("$z[1]", z=z), sql("$z[2]", z=z))
    return sql(
        "CASE WHEN $a IS NOT NULL AND $b IS NOT NULL THEN list_transform(list_zip($a, $b), lambda $z: $body) END",
        a=call.args[0].sql,
        b=call.args[1].sql,
        z=z,
        body=cast(body, call.type.args[0]),
    )


lowering("zip_with(array(T), array(U), function(T,U,R))", _zip_with)

# ------------------------------------------------------------------------------------------------------- sorting
macro(
    "t_comparison(c) AS CASE WHEN c IN (-1, 0, 1) THEN c ELSE "
    "fail('INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1') END"
)


def _sort_by(call: LoweredCall) -> Sql:
    """Sorting by a comparison: each item's place is the number of items that come before it."""
    i, j = Variable("i"), Variable("j")

    def body(x: Sql) -> Sql:
        here, there = sql("$x[$i]", x=x, i=i), sql("$x[$j]", x=x, j=j)
        # Each pair is compared once, the later item first, as Java's sort of short lists does.
        return sql(
            "CASE WHEN $x IS NOT NULL THEN list_transform(list_sort(list_transform(range(1, len($x) + 1), lambda $i: "
            "{'n': len(list_filter(range(1, len($x) + 1), lambda $j: "
            "CASE WHEN $j < $i THEN t_comparison($earlier) >= 0 WHEN $j > $i THEN t_comparison($later) < 0 "
            "ELSE FALSE END)), 'i': $i})), lambda $k: $x[($k).i]) END",
            x=x,
            i=i,
            j=j,
            k=Variable("k"),
            earlier=call.args[1].body(here, there),
            later=call.args[1].body(there, here),
        )

    return let(call.args[0].sql, body, limit=80)


lowering("array_sort(array(T), function(T,T,integer))", _sort_by)
