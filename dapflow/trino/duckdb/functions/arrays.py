"""Arrays."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from dapflow.trino.coercion import castable, orderable
from dapflow.trino.duckdb.conversion import convert
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import Template, lowering, macro, udf
from dapflow.trino.duckdb.operators import comparable_form, equal, holds_float, nan_lowest
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.storage import duck_type, field_names, quote
from dapflow.trino.duckdb.values import fresh, let
from dapflow.trino.types import VARCHAR, Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

lowering("cardinality(array(E))", "CAST(len($1) AS BIGINT)")
lowering("cardinality(map(K,V))", "CAST(cardinality($1) AS BIGINT)")


def _sorted(call: Call) -> str:
    if not orderable(call.args[0].type.args[0]):
        call.unit.fail("TYPE_MISMATCH", call.node.pos, f"Type {call.args[0].type.args[0]} is not orderable")
    return f"list_sort({call.args[0].sql}, 'ASC', 'NULLS LAST')"


lowering("array_sort(array(E))", _sorted)


def _by_looks(template: str) -> Template:
    """A function that finds equal elements by their looks, which moments of different zones do not have in common."""

    def checked(call: Call) -> str:
        if comparable_form("e", call.args[0].type.args[0]) != "e":
            call.unit.unsupported(f"Function {call.function.name} of values with time zones", call.node.pos)
        return fill(template, call)

    return checked


lowering("array_distinct(array(E))", _by_looks("t_distinct($1)"))
macro("t_distinct(x) AS CASE WHEN x IS NOT NULL THEN list_filter(x, lambda e, i: t_position(x, e) = i) END")
macro(
    "t_position(x, e) AS CASE WHEN e IS NULL THEN list_position(list_transform(x, lambda v: v IS NULL), TRUE) "
    "ELSE list_position(x, e) END"
)
macro("t_has(x, e) AS coalesce(t_position(x, e), 0) > 0")
lowering(
    "array_union(array(E), array(E))",
    _by_looks("CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN t_distinct(list_concat($1, $2)) END"),
)
lowering(
    "array_intersect(array(E), array(E))",
    _by_looks(
        "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN CASE WHEN len($1) < len($2) THEN "
        "list_filter(t_distinct($2), lambda e: t_has($1, e)) ELSE list_filter(t_distinct($1), lambda e: "
        "t_has($2, e)) END END"
    ),
)
lowering(
    "array_except(array(E), array(E))",
    _by_looks(
        "CASE WHEN $1 IS NOT NULL AND $2 IS NOT NULL THEN list_filter(t_distinct($1), lambda e: NOT t_has($2, e)) END"
    ),
)
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
    "CASE WHEN $2 < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || $2) AS $ret) "
    "WHEN $2 > len($1) THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality ' || "
    "len($1) || ': ' || $2) AS $ret) "
    "WHEN $2 = len($1) THEN CAST([] AS $ret) ELSE $1[1:len($1) - $2] END",
)
lowering(
    "slice(array(E), bigint, bigint)",
    "CASE WHEN $3 < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0') AS $ret) "
    "WHEN $2 = 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') AS $ret) "
    "WHEN $3 = 0 OR abs($2) > len($1) THEN CASE WHEN $1 IS NOT NULL THEN CAST([] AS $ret) END "
    "WHEN $2 < 0 THEN $1[len($1) + $2 + 1:least(len($1) + $2 + $3, len($1))] ELSE $1[$2:least($2 + $3 - 1, "
    "len($1))] END",
)
lowering(
    "element_at(array(E), bigint)",
    "CASE WHEN $2 = 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') AS $ret) ELSE "
    "$1[$2] END",
)
lowering("element_at(map(K,V), K)", "$1[$2]")
lowering("array_first(array(E))", "$1[1]")
lowering("array_last(array(E))", "$1[-1]")


def _contains(call: Call) -> str:
    item = call.args[0].type.args[0]
    name = fresh("e")
    if item.base in {"array", "row", "map", "double", "real", "timestamp_tz", "time_tz"}:
        test = equal(name, call.args[1].sql, item)
    else:
        test = f"{name} = {call.args[1].sql}"
    return f"t_any(list_transform({call.args[0].sql}, lambda {name}: {test}))"


def _contains_sql(call: Call) -> str:
    return f"CASE WHEN {call.args[1].sql} IS NOT NULL THEN {_contains(call)} END"


lowering("contains(array(T), T)", _contains_sql)


def _matches(call: Call) -> str:
    name = fresh("e")
    test = equal(name, call.args[1].sql, call.args[0].type.args[0])
    return f"list_transform({call.args[0].sql}, lambda {name}: coalesce({test}, FALSE))"


def _position(call: Call) -> str:
    return (
        f"CASE WHEN {call.args[1].sql} IS NOT NULL THEN CAST(coalesce(list_position({_matches(call)}, "
        f"TRUE), 0) * CASE WHEN {call.args[0].sql} IS NULL THEN NULL ELSE 1 END AS BIGINT) END"
    )


def _position_nth(call: Call) -> str:
    n = call.args[2].sql
    bad = "CAST(fail('INVALID_FUNCTION_ARGUMENT: array_position cannot take a 0-valued instance argument.') AS BIGINT)"
    name = fresh("i")
    places = f"list_filter(range(1, len({call.args[0].sql}) + 1), lambda {name}: {_matches(call)}[{name}])"
    return (
        f"CASE WHEN {call.args[1].sql} IS NULL OR {call.args[0].sql} IS NULL OR {n} IS NULL THEN NULL WHEN "
        f"{n} = 0 THEN {bad} ELSE CAST(coalesce({places}[{n}], 0) AS BIGINT) END"
    )


def _remove(call: Call) -> str:
    name = fresh("e")
    item = call.args[0].type.args[0]
    wanted = call.args[1].sql
    test = equal(name, wanted, item)
    return (
        f"CASE WHEN {wanted} IS NOT NULL THEN list_filter({call.args[0].sql}, lambda {name}: NOT "
        f"coalesce({test}, FALSE)) END"
    )


lowering("array_remove(array(E), E)", _remove)


def _extreme(call: Call) -> str:
    name = "list_max" if call.function.name == "array_max" else "list_min"
    item = call.args[0].type.args[0]
    if item.base == "unknown":
        return f"CAST(NULL AS {duck_type(call.type)})"
    return let(call.args[0].sql, lambda held: _extreme_of(held, item, name))


def _extreme_of(held: str, item: Type, name: str) -> str:
    nan = (
        f"WHEN len(list_filter({held}, lambda e: isnan(e))) = len({held}) THEN {held}[1] "
        if item.base in {"double", "real"}
        else ""
    )
    if holds_float(item) and name == "list_max":
        e = fresh("e")
        pairs = f"list_transform({held}, lambda {e}: {{'k': {nan_lowest(e, item)}, 'v': {e}}})"
        return f"CASE WHEN len({held}) = 0 OR list_count({held}) < len({held}) THEN NULL ELSE (list_max({pairs})).v END"
    source = f"list_filter({held}, lambda e: NOT isnan(e))" if nan else held
    return f"CASE WHEN len({held}) = 0 OR list_count({held}) < len({held}) THEN NULL {nan}ELSE {name}({source}) END"


for _name in ("array_max", "array_min"):
    lowering(f"{_name}(array(O))", _extreme)
lowering("array_average(array(double))", "list_avg($1)")
lowering(
    "arrays_overlap(array(E), array(E))",
    _by_looks(
        "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL WHEN len(list_filter($1, lambda e: e IS NOT NULL AND "
        "list_contains($2, e))) > 0 THEN TRUE "
        "WHEN (list_count($1) < len($1) AND len($2) > 0) OR (list_count($2) < len($2) AND len($1) > 0) THEN NULL "
        "ELSE FALSE END"
    ),
)
lowering("contains_sequence(array(T), array(T))", "t_contains_sequence($1, $2)")
macro(
    "t_contains_sequence(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(b) = 0 THEN TRUE WHEN "
    "len(b) > len(a) THEN FALSE "
    "ELSE list_contains(list_transform(range(0, len(a) - len(b) + 1), lambda i: a[i + 1:i + len(b)] = b), TRUE) END"
)


# --------------------------------------------------------------------------------------------------- joining
def _join(call: Call) -> str:
    item = call.args[0].type.args[0]
    if item.base != "unknown" and not (castable(item, VARCHAR) and not item.args):
        call.unit.fail("INVALID_FUNCTION_ARGUMENT", call.node.pos, f"Input type {item} not supported")
    name = fresh("e")
    text = convert(name, item, VARCHAR) if item.base != "varchar" else name
    if len(call.args) > 2:
        other = call.args[2].sql
        text = f"coalesce({text}, {other})"
    parts = f"list_transform({call.args[0].sql}, lambda {name}: {text})"
    kept = fresh("e")
    some = f"list_filter({parts}, lambda {kept}: {kept} IS NOT NULL)"
    joined = f"array_to_string({some}, {call.args[1].sql})"
    if not isinstance(call.args[1].const, str):
        joined = f"t_join({some}, {call.args[1].sql})"
    return (
        f"CASE WHEN {call.args[0].sql} IS NOT NULL AND {call.args[1].sql} IS NOT NULL THEN coalesce({joined}, '') END"
    )


lowering("array_join(array(T), varchar)", _join)
lowering("array_join(array(T), varchar, varchar)", _join)


# ------------------------------------------------------------------------------------------- making new arrays
def _repeat(call: Call) -> str:
    source, t = call.args[0].type, duck_type(call.type)
    given = "CAST(NULL AS INTEGER)" if source.base == "unknown" else call.args[0].sql

    def fail(message: str) -> str:
        return f"CAST(fail('INVALID_FUNCTION_ARGUMENT: {message}') AS {t})"

    large = fail("count argument of repeat function must be less than or equal to 10000")
    small = fail("count argument of repeat function must be greater than or equal to 0")
    heavy = fail("result of repeat function is too large")

    def body(item: str, n: str) -> str:
        size = {"varchar": f"length({item}) > 1000000", "array": f"len({item}) > 100000"}.get(source.base)
        return (
            f"CASE WHEN {n} > 10000 THEN {large} WHEN {n} < 0 THEN {small} "
            f"{f'WHEN {n} * {size} THEN {heavy} ' if size else ''}WHEN {n} IS NOT NULL THEN "
            f"CAST(list_transform(range(0, {n}), lambda i: {item}) AS {t}) END"
        )

    return let(given, lambda item: let(call.args[1].sql, lambda n: body(item, n)))


lowering("repeat(T, integer)", _repeat)

_TOO_MANY = (
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries') AS {t})"
)
_WRONG_WAY = (
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value "
    "if step is greater than zero "
    "otherwise stop should be less than or equal to start') AS {t})"
)


def _sequence(call: Call) -> str:
    t = duck_type(call.type)
    a, b = call.args[0].sql, call.args[1].sql
    item = call.args[0].type.base
    step = call.args[2] if len(call.args) > 2 else None
    many, wrong = _TOO_MANY.format(t=t), _WRONG_WAY.format(t=t)
    if item == "bigint":
        s = step.sql if step else f"CASE WHEN {a} <= {b} THEN 1 ELSE -1 END"
        return _steps(
            a,
            b,
            s,
            many,
            wrong,
            f"list_transform(range(0, abs(({b} - {a}) // ({s})) + 1), lambda i: {a} + i * ({s}))",
            t,
        )
    if step is not None and step.type.base == "interval_ym":
        s = step.sql
        made = (
            f"list_filter(list_transform(range(0, least(t_months_or_days('month', {a}, {b}) // {s} + 1, "
            f"10002)), lambda i: CAST({a} + to_months(CAST(i * {s} AS INTEGER)) AS "
            f"{duck_type(call.type.args[0])})), lambda e: ({s} > 0 AND e <= {b}) OR ({s} < 0 AND e >= {b}))"
        )
        return (
            f"CASE WHEN ({a} < {b} AND {s} < 0) OR ({a} > {b} AND {s} > 0) THEN {wrong} WHEN len({made}) > "
            f"10000 THEN {many} ELSE {made} END"
        )
    if item == "date":
        s = f"({step.sql} // 86400000)" if step else f"CASE WHEN {a} <= {b} THEN 1 ELSE -1 END"
        check = (
            f"WHEN {step.sql} % 86400000 <> 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: sequence step must be "
            f"a day interval if start and end values are dates') AS {t}) "
            if step
            else ""
        )
        made = f"list_transform(range(0, abs(({b} - {a}) // ({s})) + 1), lambda i: {a} + CAST(i * ({s}) AS INTEGER))"
        return _steps(a, b, s, many, wrong, made, t, check)
    assert step is not None  # noqa: S101 - timestamps have a step by their signature
    x, y, s = f"epoch_us({a})", f"epoch_us({b})", f"({step.sql} * 1000)"
    made = f"list_transform(range(0, abs(({y} - {x}) // ({s})) + 1), lambda i: make_timestamp({x} + i * ({s})))"
    return _steps(x, y, s, many, wrong, made, t)


def _steps(a: str, b: str, s: str, many: str, wrong: str, made: str, t: str, check: str = "") -> str:
    zero = f"CAST(fail('INVALID_FUNCTION_ARGUMENT: step must not be zero') AS {t})"
    return (
        f"CASE {check}WHEN ({s}) = 0 THEN {zero} WHEN ({a} < {b} AND ({s}) < 0) OR ({a} > {b} AND ({s}) > 0) "
        f"THEN {wrong} "
        f"WHEN abs(({b} - {a}) // ({s})) >= 10000 THEN {many} ELSE {made} END"
    )


lowering("sequence(bigint, bigint)", _sequence)
lowering("sequence(bigint, bigint, bigint)", _sequence)
lowering("sequence(date, date)", _sequence)
for _unit in ("interval day to second", "interval year to month"):
    lowering(f"sequence(date, date, {_unit})", _sequence)
    lowering(f"sequence(timestamp(p), timestamp(p), {_unit})", _sequence)

macro(
    "t_ngrams(x, n) AS CASE WHEN len(x) <= n THEN [x] ELSE list_transform(range(1, len(x) - n + 2), lambda i: "
    "x[i:i + n - 1]) END"
)
lowering(
    "ngrams(array(T), bigint)",
    "CASE WHEN $2 <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: N must be positive') AS $ret) WHEN $1 IS NOT "
    "NULL AND $2 IS NOT NULL THEN t_ngrams($1, $2) END",
)


@udf("py_combinations", ["BIGINT", "BIGINT"], "BIGINT[][]")
def combinations(count: int, size: int) -> list[list[int]]:
    """The places, from 1, of each choice of so many of `count` elements; the last varies slowest, as in Trino."""
    if size < 0:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: combination size must not be negative: {size}")
    if size > _LARGEST_COMBINATION:
        problem = f"combination size must not exceed {_LARGEST_COMBINATION}: {size}"
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: {problem}")
    if math.comb(count, size) > _MOST_COMBINATIONS:
        raise Failure("INVALID_FUNCTION_ARGUMENT: combinations exceed max size")
    chosen = itertools.combinations(range(1, count + 1), size)
    return [list(one) for one in sorted(chosen, key=lambda places: places[::-1])]


_LARGEST_COMBINATION = 5
_MOST_COMBINATIONS = 100_000


def _combinations(call: Call) -> str:
    c, i = fresh("c"), fresh("i")

    def chosen(x: str) -> str:
        places = f"py_combinations(len({x}), {call.args[1].sql})"
        return f"list_transform({places}, lambda {c}: list_transform({c}, lambda {i}: {x}[{i}]))"

    return f"CAST({let(call.args[0].sql, chosen)} AS {duck_type(call.type)})"


lowering("combinations(array(T), bigint)", _combinations)


# ------------------------------------------------------------------------------------------------------ lambdas
def _transform(call: Call) -> str:
    name = fresh("x")
    body = call.args[1].body(name)
    return f"list_transform({call.args[0].sql}, lambda {name}: CAST({body} AS {duck_type(call.type.args[0])}))"


def _filter(call: Call) -> str:
    name = fresh("x")
    return f"list_filter({call.args[0].sql}, lambda {name}: coalesce({call.args[1].body(name)}, FALSE))"


def _matched(call: Call) -> str:
    name = fresh("x")
    tests = f"list_transform({call.args[0].sql}, lambda {name}: {call.args[1].body(name)})"
    kind = call.function.name
    if kind == "all_match":
        return f"t_all({tests})"
    return f"t_any({tests})" if kind == "any_match" else f"(NOT t_any({tests}))"


lowering("transform(array(T), function(T,U))", _transform)
lowering("filter(array(T), function(T,boolean))", _filter)
for _name in ("any_match", "all_match", "none_match"):
    lowering(f"{_name}(array(T), function(T,boolean))", _matched)


def _reduce(call: Call) -> str:
    state, item = fresh("s"), fresh("x")
    held = duck_type(call.args[1].type)
    # The state travels in a row, so that it may be NULL and of another type than the items.
    step = call.args[2].body(f"({state}).s", f"({item}).x")
    x = fresh("x")
    kind = duck_type(call.args[0].type.args[0])
    items = f"list_transform({call.args[0].sql}, lambda {x}: {{'s': CAST(NULL AS {held}), 'x': {x}}})"
    first = f"{{'s': CAST({call.args[1].sql} AS {held}), 'x': CAST(NULL AS {kind})}}"
    folded = f"list_reduce({items}, lambda {state}, {item}: {{'s': CAST({step} AS {held}), 'x': ({item}).x}}, {first})"
    final = fresh("s")
    result = call.args[3].body(final)
    return (
        f"CASE WHEN {call.args[0].sql} IS NOT NULL THEN list_transform([({folded}).s], lambda {final}: {result})[1] END"
    )


lowering("reduce(array(T), S, function(S,T,S), function(S,R))", _reduce)


def _reduce_agg(call: Call) -> str:
    """The rows as an array, reduced; the last lambda only joins what was reduced in parts."""
    state, item, x = fresh("s"), fresh("x"), fresh("x")
    held = duck_type(call.type)
    step = call.args[2].body(f"({state}).s", f"({item}).x")
    items = fill("array_agg($1) FILTER (WHERE $1 IS NOT NULL{and}){over}", call)
    rows = f"list_transform({items}, lambda {x}: {{'s': CAST(NULL AS {held}), 'x': {x}}})"
    first = f"{{'s': CAST({call.args[1].sql} AS {held}), 'x': CAST(NULL AS {duck_type(call.args[0].type)})}}"
    return f"(list_reduce({rows}, lambda {state}, {item}: {{'s': CAST({step} AS {held}), 'x': ({item}).x}}, {first})).s"


lowering("reduce_agg(T, S, function(S,T,S), function(S,S,S))", _reduce_agg)


def _zip_with(call: Call) -> str:
    z = fresh("z")
    body = call.args[2].body(f"{z}[1]", f"{z}[2]")
    return (
        f"CASE WHEN {call.args[0].sql} IS NOT NULL AND {call.args[1].sql} IS NOT NULL THEN "
        f"list_transform(list_zip({call.args[0].sql}, {call.args[1].sql}), lambda {z}: CAST({body} AS "
        f"{duck_type(call.type.args[0])})) END"
    )


lowering("zip_with(array(T), array(U), function(T,U,R))", _zip_with)


def _zip(call: Call) -> str:
    t = call.type.args[0]
    z = fresh("z")
    parts = ", ".join(f"{quote(n)}: {z}[{i + 1}]" for i, n in enumerate(field_names(t)))
    given = " AND ".join(f"{a.sql} IS NOT NULL" for a in call.args)
    return (
        f"CASE WHEN {given} THEN list_transform(list_zip({', '.join(a.sql for a in call.args)}), lambda "
        f"{z}: {{{parts}}}) END"
    )


for _count in range(2, 6):
    _letters = "ABCDE"[:_count]
    lowering(
        f"zip({', '.join(f'array({c})' for c in _letters)})",
        _zip,
    )


macro(
    "t_comparison(c) AS CASE WHEN c IN (-1, 0, 1) THEN c ELSE "
    "fail('INVALID_FUNCTION_ARGUMENT: Lambda comparator must return either -1, 0, or 1') END"
)


def _sort_by(call: Call) -> str:
    """Sorting by a comparison: each item's place is the number of items that come before it."""
    i, j = fresh("i"), fresh("j")

    def body(x: str) -> str:
        # Each pair is compared once, the later item first, as Java's sort of short lists does.
        earlier = f"t_comparison({call.args[1].body(f'{x}[{i}]', f'{x}[{j}]')}) >= 0"
        later = f"t_comparison({call.args[1].body(f'{x}[{j}]', f'{x}[{i}]')}) < 0"
        count = (
            f"len(list_filter(range(1, len({x}) + 1), lambda {j}: CASE WHEN {j} < {i} THEN {earlier} WHEN "
            f"{j} > {i} THEN {later} ELSE FALSE END))"
        )
        ranked = f"list_sort(list_transform(range(1, len({x}) + 1), lambda {i}: {{'n': {count}, 'i': {i}}}))"
        k = fresh("k")
        return f"CASE WHEN {x} IS NOT NULL THEN list_transform({ranked}, lambda {k}: {x}[({k}).i]) END"

    return let(call.args[0].sql, body, limit=80)


lowering("array_sort(array(T), function(T,T,integer))", _sort_by)
lowering("array_position(array(T), T)", _position)


lowering("array_position(array(T), T, bigint)", _position_nth)
