"""Arrays that are made: repeated values, sequences, n-grams and combinations."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import NOTHING, Sql, Variable, sql
from dapflow.trino.duckdb.values import cast, let, type_sql

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall


# --------------------------------------------------------------------------------------------------- repetition
#: What is refused of an item that is large, by its type.
_HEAVY = {"varchar": "$n * length($item) > 1000000", "array": "$n * len($item) > 100000"}


def _repeat(call: LoweredCall) -> Sql:
    source, t = call.args[0].type, type_sql(call.type)

    def body(item: Sql, n: Sql) -> Sql:
        heavy: Sql = NOTHING
        if source.base in _HEAVY:
            heavy = sql(
                f"WHEN {_HEAVY[source.base]} THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: result of repeat function is "
                "too large') AS $t)",
                n=n,
                item=item,
                t=t,
            )
        return sql(
            "CASE WHEN $n > 10000 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be "
            "less than or equal to 10000') AS $t) WHEN $n < 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: count "
            "argument of repeat function must be greater than or equal to 0') AS $t) $heavy "
            "WHEN $n IS NOT NULL THEN CAST(list_transform(range(0, $n), lambda i: $item) AS $t) END",
            n=n,
            item=item,
            heavy=heavy,
            t=t,
        )

    given = sql("CAST(NULL AS INTEGER)") if source.base == "unknown" else call.args[0].sql
    return let(given, lambda item: let(call.args[1].sql, lambda n: body(item, n)))


lowering("repeat(T, integer)", _repeat)

# ----------------------------------------------------------------------------------------------------- sequences
_TOO_MANY = (
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries') AS $t)"
)
_WRONG_WAY = (
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value "
    "if step is greater than zero otherwise stop should be less than or equal to start') AS $t)"
)
_NO_STEP = "CAST(fail('INVALID_FUNCTION_ARGUMENT: step must not be zero') AS $t)"
_PART_OF_A_DAY = (
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: sequence step must be a day interval if start and end values are dates') "
    "AS $t)"
)


def _numbers(call: LoweredCall) -> Sql:
    a, b = call.args[0].sql, call.args[1].sql
    step = call.args[2].sql if len(call.args) > 2 else _step_sign(a, b)
    return _steps(call, a, b, step, "$a + i * ($step)")


def _days(call: LoweredCall) -> Sql:
    a, b = call.args[0].sql, call.args[1].sql
    if len(call.args) == 2:
        return _steps(call, a, b, _step_sign(a, b), _LATER_DAY)
    given = call.args[2].sql
    check = sql(f"WHEN $given % 86400000 <> 0 THEN {_PART_OF_A_DAY}", given=given, t=type_sql(call.type))
    return _steps(call, a, b, sql("($given // 86400000)", given=given), _LATER_DAY, check)


_LATER_DAY = "$a + CAST(i * ($step) AS INTEGER)"


def _step_sign(a: Sql, b: Sql) -> Sql:
    return sql("CASE WHEN $a <= $b THEN 1 ELSE -1 END", a=a, b=b)


def _moments(call: LoweredCall) -> Sql:
    a, b = (sql("epoch_us($x)", x=arg.sql) for arg in call.args[:2])
    return _steps(call, a, b, sql("($x * 1000)", x=call.args[2].sql), "make_timestamp($a + i * ($step))")


def _steps(call: LoweredCall, a: Sql, b: Sql, step: Sql, item: str, check: Sql = NOTHING) -> Sql:
    """Items from a to b; `item` is the template of the one at the place `i`, from 0."""
    return sql(
        f"CASE WHEN $a IS NULL OR $b IS NULL THEN NULL $check "
        f"WHEN ($step) = 0 THEN {_NO_STEP} WHEN ($a < $b AND ($step) < 0) OR ($a > $b AND ($step) > 0) "
        f"THEN {_WRONG_WAY} WHEN abs(($b - $a) // ($step)) >= 10000 THEN {_TOO_MANY} "
        f"ELSE list_transform(range(0, abs(($b - $a) // ($step)) + 1), lambda i: {item}) END",
        check=check,
        step=step,
        a=a,
        b=b,
        t=type_sql(call.type),
    )


def _months(call: LoweredCall) -> Sql:
    a, b, step = (arg.sql for arg in call.args)
    made = sql(
        "list_filter(list_transform(range(0, least(t_months_or_days('month', $a, $b) // $step + 1, 10002)), lambda i: "
        "CAST($a + to_months(CAST(i * $step AS INTEGER)) AS $item)), "
        "lambda e: ($step > 0 AND e <= $b) OR ($step < 0 AND e >= $b))",
        a=a,
        b=b,
        step=step,
        item=type_sql(call.type.args[0]),
    )
    checked = (
        f"CASE WHEN ($a < $b AND $step < 0) OR ($a > $b AND $step > 0) THEN {_WRONG_WAY} "
        f"WHEN len($made) > 10000 THEN {_TOO_MANY} "
        "WHEN $a IS NOT NULL AND $b IS NOT NULL AND $step IS NOT NULL THEN $made END"
    )
    return let(made, lambda x: sql(checked, a=a, b=b, step=step, made=x, t=type_sql(call.type)))


lowering("sequence(bigint, bigint)", _numbers)
lowering("sequence(bigint, bigint, bigint)", _numbers)
lowering("sequence(date, date)", _days)
lowering("sequence(date, date, interval day to second)", _days)
lowering("sequence(timestamp(p), timestamp(p), interval day to second)", _moments)
for _moment in ("date", "timestamp(p)"):
    lowering(f"sequence({_moment}, {_moment}, interval year to month)", _months)

# ------------------------------------------------------------------------------------- n-grams and combinations
macro(
    "t_ngrams(x, n) AS CASE WHEN len(x) <= n THEN [x] ELSE list_transform(range(1, len(x) - n + 2), lambda i: "
    "x[i:i + n - 1]) END"
)
lowering(
    "ngrams(array(T), bigint)",
    "CASE WHEN $1 IS NULL OR $2 IS NULL THEN NULL "
    "WHEN $2 <= 0 THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: N must be positive') AS $ret) "
    "ELSE t_ngrams($1, $2) END",
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
    return [list(combination) for combination in sorted(chosen, key=lambda places: places[::-1])]


_LARGEST_COMBINATION = 5
_MOST_COMBINATIONS = 100_000


def _combinations(call: LoweredCall) -> Sql:
    def chosen(x: Sql) -> Sql:
        return sql(
            "list_transform(py_combinations(len($x), $size), lambda $c: list_transform($c, lambda $i: $x[$i]))",
            x=x,
            size=call.args[1].sql,
            c=Variable("c"),
            i=Variable("i"),
        )

    return cast(let(call.args[0].sql, chosen), call.type)


lowering("combinations(array(T), bigint)", _combinations)
