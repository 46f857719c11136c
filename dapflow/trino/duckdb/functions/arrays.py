"""Arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.conversions import convert
from dapflow.trino.duckdb.functions.registry import lowering, macro
from dapflow.trino.duckdb.nodes import Sql, Variable, joined, sql, struct
from dapflow.trino.duckdb.operators import comparable_form, equal, holds_float, nan_lowest
from dapflow.trino.duckdb.resolution import CallTemplate, fill
from dapflow.trino.duckdb.storage import field_names
from dapflow.trino.duckdb.values import Value, let, null
from dapflow.trino.types import VARCHAR, Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

lowering("cardinality(array(E))", "CAST(len($1) AS BIGINT)")
lowering("cardinality(map(K,V))", "CAST(cardinality($1) AS BIGINT)")


lowering("array_sort(array(E))", "list_sort($1, 'ASC', 'NULLS LAST')")


def _distinct(x: Sql, t: Type) -> Sql:
    """Each element of an array once, where it stands first."""
    e, i = Variable("e"), Variable("i")
    return let(
        comparable_form(x, t),
        lambda forms: sql(
            "list_filter($x, lambda $e, $i: t_position($forms, $forms[$i]) = $i)", x=x, e=e, i=i, forms=forms
        ),
    )


def _distinct_where(test: str, a: Sql, b: Sql, t: Type) -> Sql:
    """Those elements of array a, each once, whose `$form` is or is not among the `$forms` of array b."""
    e = Variable("e")
    return let(
        comparable_form(b, t),
        lambda forms: sql(
            "list_filter($distinct, lambda $e: $test)",
            distinct=_distinct(a, t),
            e=e,
            test=sql(test, forms=forms, form=comparable_form(e, t.args[0])),
        ),
    )


def _of_arrays(body: Callable[[Sql, Sql, Type], Sql]) -> CallTemplate:
    """A function of two arrays, which is NULL where one of them is."""

    def lowered(call: LoweredCall) -> Sql:
        a, b = (arg.sql for arg in call.args)
        whole = body(a, b, call.type)
        return sql("CASE WHEN $a IS NOT NULL AND $b IS NOT NULL THEN $whole END", a=a, b=b, whole=whole)

    return lowered


def _array_distinct(call: LoweredCall) -> Sql:
    x = call.args[0].sql
    return sql("CASE WHEN $x IS NOT NULL THEN $once END", x=x, once=_distinct(x, call.type))


def _array_union(a: Sql, b: Sql, t: Type) -> Sql:
    return let(sql("list_concat($a, $b)", a=a, b=b), lambda both: _distinct(both, t))


def _array_intersect(a: Sql, b: Sql, t: Type) -> Sql:
    """In the order of the longer array."""
    return sql(
        "CASE WHEN len($a) < len($b) THEN $of_b ELSE $of_a END",
        a=a,
        b=b,
        of_a=_distinct_where("t_has($forms, $form)", a, b, t),
        of_b=_distinct_where("t_has($forms, $form)", b, a, t),
    )


def _array_except(a: Sql, b: Sql, t: Type) -> Sql:
    return _distinct_where("NOT t_has($forms, $form)", a, b, t)


macro(
    "t_position(x, e) AS CASE WHEN e IS NULL THEN list_position(list_transform(x, lambda v: v IS NULL), TRUE) "
    "ELSE list_position(x, e) END"
)
macro("t_has(x, e) AS coalesce(t_position(x, e), 0) > 0")
lowering("array_distinct(array(E))", _array_distinct)
lowering("array_union(array(E), array(E))", _of_arrays(_array_union))
lowering("array_intersect(array(E), array(E))", _of_arrays(_array_intersect))
lowering("array_except(array(E), array(E))", _of_arrays(_array_except))
lowering("reverse(array(E))", "list_reverse($1)")
lowering(
    "shuffle(array(E))",
    "list_transform(list_sort(list_transform($1, lambda e: {'r': random(), 'e': e})), lambda e: (e).e)",
)
lowering(
    "flatten(array(array(E)))",
    "CASE WHEN $1 IS NOT NULL THEN coalesce(flatten(list_filter($1, lambda e: e IS NOT NULL)), []) END",
)
lowering(
    "trim_array(array(E), bigint)",
    "CASE WHEN $1 IS NULL THEN NULL "
    "WHEN $2 < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || $2) AS $ret) "
    "WHEN $2 > len($1) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality ' || "
    "len($1) || ': ' || $2) AS $ret) "
    "WHEN $2 = len($1) THEN CAST([] AS $ret) ELSE $1[1:len($1) - $2] END",
)
lowering(
    "slice(array(E), bigint, bigint)",
    "CASE WHEN $1 IS NULL OR $2 IS NULL OR $3 IS NULL THEN NULL "
    "WHEN $3 < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0') AS $ret) "
    "WHEN $2 = 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') AS $ret) "
    "WHEN $3 = 0 OR abs($2) > len($1) THEN CAST([] AS $ret) "
    "WHEN $2 < 0 THEN $1[len($1) + $2 + 1:least(len($1) + $2 + $3, len($1))] ELSE $1[$2:least($2 + $3 - 1, "
    "len($1))] END",
)
lowering(
    "element_at(array(E), bigint)",
    "CASE WHEN $2 = 0 AND $1 IS NOT NULL THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') "
    "AS $ret) ELSE $1[$2] END",
)
lowering("element_at(map(K,V), K)", "$1[$2]")
lowering("array_first(array(E))", "$1[1]")
lowering("array_last(array(E))", "$1[-1]")


# ------------------------------------------------------------------------------------------------------ finding
def _contains(call: LoweredCall) -> Sql:
    item = call.args[0].type.args[0]
    e, array, wanted = Variable("e"), call.args[0].sql, call.args[1].sql
    if item.base in {"array", "row", "map", "double", "real", "timestamp_tz", "time_tz"}:
        test = equal(e, wanted, item)
    else:
        test = sql("$e = $wanted", e=e, wanted=wanted)
    return sql(
        "CASE WHEN $wanted IS NOT NULL THEN t_any(list_transform($array, lambda $e: $test)) END",
        wanted=wanted,
        array=array,
        e=e,
        test=test,
    )


lowering("contains(array(T), T)", _contains)


def _equal_item(call: LoweredCall, e: Variable) -> Sql:
    """Whether an item is what is looked for; FALSE where that is not known."""
    test = equal(e, call.args[1].sql, call.args[0].type.args[0])
    return sql("coalesce($test, FALSE)", test=test)


def _matches(call: LoweredCall) -> Sql:
    e = Variable("e")
    return sql("list_transform($array, lambda $e: $test)", array=call.args[0].sql, e=e, test=_equal_item(call, e))


def _position(call: LoweredCall) -> Sql:
    return sql(
        "CASE WHEN $wanted IS NOT NULL THEN CAST(coalesce(list_position($matches, TRUE), 0) * CASE WHEN $array IS NULL "
        "THEN NULL ELSE 1 END AS BIGINT) END",
        wanted=call.args[1].sql,
        matches=_matches(call),
        array=call.args[0].sql,
    )


def _position_nth(call: LoweredCall) -> Sql:
    array, wanted, n = (arg.sql for arg in call.args)
    return sql(
        "CASE WHEN $wanted IS NULL OR $array IS NULL OR $n IS NULL THEN NULL WHEN $n = 0 THEN "
        "CAST(fail('INVALID_FUNCTION_ARGUMENT: array_position cannot take a 0-valued instance argument.') AS BIGINT) "
        "ELSE CAST(coalesce(list_filter(range(1, len($array) + 1), lambda $i: $matches[$i])[$n], 0) AS BIGINT) END",
        wanted=wanted,
        array=array,
        n=n,
        i=Variable("i"),
        matches=_matches(call),
    )


lowering("array_position(array(T), T)", _position)
lowering("array_position(array(T), T, bigint)", _position_nth)


def _remove(call: LoweredCall) -> Sql:
    e = Variable("e")
    return sql(
        "CASE WHEN $wanted IS NOT NULL THEN list_filter($array, lambda $e: NOT $test) END",
        wanted=call.args[1].sql,
        array=call.args[0].sql,
        e=e,
        test=_equal_item(call, e),
    )


lowering("array_remove(array(E), E)", _remove)


def _extreme(call: LoweredCall) -> Sql:
    item = call.args[0].type.args[0]
    if item.base == "unknown":
        return null(call.type)
    largest = call.name == "array_max"
    return let(call.args[0].sql, lambda held: _extreme_of(held, item, largest=largest))


def _extreme_of(held: Sql, item: Type, *, largest: bool) -> Sql:
    """NULL if one is NULL. NaN is the answer only where there is nothing else."""
    if largest and holds_float(item):
        e = Variable("e")
        return sql(
            "CASE WHEN len($held) = 0 OR list_count($held) < len($held) THEN NULL ELSE "
            "(list_max(list_transform($held, lambda $e: {'k': $key, 'v': $e}))).v END",
            held=held,
            e=e,
            key=nan_lowest(e, item),
        )
    function = "list_max" if largest else "list_min"
    if item.base not in {"double", "real"}:
        plain = f"CASE WHEN len($held) = 0 OR list_count($held) < len($held) THEN NULL ELSE {function}($held) END"
        return sql(plain, held=held)
    return sql(
        "CASE WHEN len($held) = 0 OR list_count($held) < len($held) THEN NULL "
        "WHEN len(list_filter($held, lambda e: isnan(e))) = len($held) THEN $held[1] "
        f"ELSE {function}(list_filter($held, lambda e: NOT isnan(e))) END",
        held=held,
    )


for _name in ("array_max", "array_min"):
    lowering(f"{_name}(array(O))", _extreme)
lowering("array_average(array(double))", "list_avg($1)")


def _by_forms(template: str) -> CallTemplate:
    """A function of arrays that compares their elements, and gives none of them."""

    def lowered(call: LoweredCall) -> Sql:
        forms = [Value(comparable_form(arg.sql, arg.type), arg.type) for arg in call.args]
        return fill(template, replace(call, args=forms))

    return lowered


lowering(
    "arrays_overlap(array(E), array(E))",
    _by_forms(
        "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL WHEN len(list_filter($1, lambda e: e IS NOT NULL AND "
        "list_contains($2, e))) > 0 THEN TRUE "
        "WHEN (list_count($1) < len($1) AND len($2) > 0) OR (list_count($2) < len($2) AND len($1) > 0) THEN NULL "
        "ELSE FALSE END"
    ),
)
lowering("contains_sequence(array(T), array(T))", _by_forms("t_contains_sequence($1, $2)"))
macro(
    "t_contains_sequence(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(b) = 0 THEN TRUE WHEN "
    "len(b) > len(a) THEN FALSE "
    "ELSE list_contains(list_transform(range(0, len(a) - len(b) + 1), lambda i: a[i + 1:i + len(b)] = b), TRUE) END"
)


# ------------------------------------------------------------------------------------------------------ joining
def _join(call: LoweredCall) -> Sql:
    item = call.args[0].type.args[0]
    e = Variable("e")
    text: Sql = e if item.base == "varchar" else convert(e, item, VARCHAR)
    if len(call.args) > 2:
        text = sql("coalesce($text, $other)", text=text, other=call.args[2].sql)
    parts = sql(
        "list_filter(list_transform($array, lambda $e: $text), lambda $kept: $kept IS NOT NULL)",
        array=call.args[0].sql,
        e=e,
        text=text,
        kept=Variable("e"),
    )
    # DuckDB's aggregate wants to know the separator beforehand.
    joining = "t_joined" if isinstance(call.args[1].const, str) else "t_join"
    return sql(
        f"CASE WHEN $given THEN coalesce({joining}($parts, $separator), '') END",
        given=joined(" AND ", [sql("$value IS NOT NULL", value=arg.sql) for arg in call.args]),
        separator=call.args[1].sql,
        parts=parts,
    )


lowering("array_join(array(T), varchar)", _join)
lowering("array_join(array(T), varchar, varchar)", _join)


# ------------------------------------------------------------------------------------------------------ zipping
def _zip(call: LoweredCall) -> Sql:
    z = Variable("z")
    return fill(
        "CASE WHEN $given THEN list_transform(list_zip($all), lambda $z: $row) END",
        call,
        given=joined(" AND ", [sql("$value IS NOT NULL", value=arg.sql) for arg in call.args]),
        z=z,
        row=struct((name, sql("$z[$i]", z=z, i=i)) for i, name in enumerate(field_names(call.type.args[0]), 1)),
    )


for _count in range(2, 6):
    lowering(f"zip({', '.join(f'array({c})' for c in 'ABCDE'[:_count])})", _zip)
