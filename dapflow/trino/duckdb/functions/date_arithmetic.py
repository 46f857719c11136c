"""Calculation with dates and times by a unit: date_trunc, date_add and date_diff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.registry import lowering, macro
from dapflow.trino.duckdb.nodes import Sql, Text, joined, sql
from dapflow.trino.duckdb.values import Value, failure, let
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

_DATE_UNITS = ("day", "week", "month", "quarter", "year")
_TIME_UNITS = ("millisecond", "second", "minute", "hour")
_MS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_KINDS = {"date": "DATE", "timestamp": "Timestamp", "timestamp_tz": "Timestamp", "time": "Time", "time_tz": "Time"}


def _units(t: Type) -> tuple[str, ...]:
    return {"date": _DATE_UNITS, "time": _TIME_UNITS, "time_tz": _TIME_UNITS}.get(t.base, (*_TIME_UNITS, *_DATE_UNITS))


def _unit(call: Call, t: Type) -> str:
    unit = str(call.args[0].const).lower()
    if unit not in _units(t):
        call.fail("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid {_KINDS[t.base]} field")
    return unit


def _by_unit(template: Callable[[Call], Sql]) -> Callable[[Call], Sql]:
    """The template for a unit that is a literal, or a choice among all units when it is not."""

    def chosen(call: Call) -> Sql:
        unit, t = call.args[0], call.args[-1].type
        if isinstance(unit.const, str):
            return template(call)
        arms = []
        for one in _units(t):
            found = template(replace(call, args=[Value(Text(one), unit.type, one), *call.args[1:]]))
            arms.append(sql("WHEN $one THEN $found", one=Text(one), found=found))
        message = sql(
            "chr(39) || $unit || chr(39) || $problem",
            unit=unit.sql,
            problem=Text(f" is not a valid {_KINDS[t.base]} field"),
        )
        return sql(
            "CASE lower($unit) $arms ELSE CASE WHEN $unit IS NOT NULL THEN $problem END END",
            unit=unit.sql,
            arms=joined(" ", arms),
            problem=failure("INVALID_FUNCTION_ARGUMENT", message, call.type),
        )

    return chosen


# ---------------------------------------------------------------------------------------------------- date_trunc
@_by_unit
def _trunc(call: Call) -> Sql:
    t = call.args[1].type
    unit, x = _unit(call, t), call.args[1].sql
    if t.base == "date":
        return sql("CAST(date_trunc($unit, $x) AS DATE)", unit=Text(unit), x=x)
    if t.base == "timestamp":
        return sql("date_trunc($unit, $x)", unit=Text(unit), x=x)
    if t.base == "time":
        return sql("t_trunc_time($x, $us)", x=x, us=_MS[unit] * 1000)
    if t.base == "time_tz":
        return let(
            x, lambda v: sql("t_time_zoned(t_trunc_time(($v).t, $us), ($v).o)", v=v, us=_MS[unit] * 1000), limit=80
        )
    if unit in _TIME_UNITS:
        return let(x, lambda v: _trunc_clock(v, unit), limit=80)
    return let(x, lambda v: sql("t_zoned(date_trunc($unit, t_local($v)), ($v).z)", unit=Text(unit), v=v), limit=80)


def _trunc_clock(x: Sql, unit: str) -> Sql:
    """Cut off less than an hour: whatever the clock did then, the same has passed since in UTC."""
    passed = let(
        sql("t_local($x)", x=x),
        lambda local: sql("($local - date_trunc($unit, $local))", local=local, unit=Text(unit)),
    )
    return sql("t_zone_struct(($x).u - $passed, ($x).z)", x=x, passed=passed)


_MOMENTS = ("date", "timestamp(p)", "timestamp(p) with time zone", "time(p)", "time(p) with time zone")
for _t in _MOMENTS:
    lowering(f"date_trunc(varchar(u), {_t})", _trunc)


# ------------------------------------------------------------------------------------------------------ date_add
@_by_unit
def _add(call: Call) -> Sql:
    t = call.args[2].type
    unit, n, x = _unit(call, t), call.args[1].sql, call.args[2].sql
    if unit in _MONTHS:
        months = sql("CAST($n * $size AS INTEGER)", n=n, size=_MONTHS[unit])
        return sql(_PLUS_MONTHS[t.base], x=x, months=months)
    if t.base in _PLUS_DAYS and unit in _DAYS:
        days = sql("CAST($n * $size AS INTEGER)", n=n, size=_DAYS[unit])
        template = _PLUS_DAYS[t.base]
        if t.base != "timestamp_tz":
            return sql(template, x=x, days=days)
        return let(x, lambda v: sql(template, x=v, days=days), limit=80)
    ms = n if _MS[unit] == 1 else sql("($n * $size)", n=n, size=_MS[unit])
    plus, rounded = _PLUS_MS[t.base]
    coarse = unit == "millisecond" and t.precision < 3
    return sql(rounded if coarse else plus, x=x, ms=ms, f=10 ** (6 - t.precision))


_PLUS_MONTHS = {
    "date": "CAST($x + to_months($months) AS DATE)",
    "timestamp": "($x + to_months($months))",
    "timestamp_tz": "t_zoned_months($x, $months)",
}
_PLUS_DAYS = {
    "date": "($x + $days)",
    "timestamp": "($x + to_days($days))",
    "timestamp_tz": "t_zoned(t_local($x) + to_days($days), ($x).z)",
}
#: And the same rounded to `f` microseconds, where the type has no milliseconds.
_PLUS_MS = {
    "timestamp": ("($x + to_milliseconds($ms))", "t_round_timestamp(($x + to_milliseconds($ms)), $f)"),
    "timestamp_tz": ("t_zoned_plus($x, $ms)", "t_zoned_round(t_zoned_plus($x, $ms), $f)"),
    "time": ("t_time_plus($x, $ms)", "t_round_time(t_time_plus($x, $ms), $f)"),
    "time_tz": (
        "t_time_zoned(t_time_plus(($x).t, $ms), ($x).o)",
        "t_time_zoned(t_round_time(t_time_plus(($x).t, $ms), $f), ($x).o)",
    ),
}
for _t in _MOMENTS:
    lowering(f"date_add(varchar(u), bigint, {_t})", _add)


# ----------------------------------------------------------------------------------------------------- date_diff
@_by_unit
def _diff(call: Call) -> Sql:
    t = call.args[1].type
    unit, a, b = _unit(call, t), call.args[1].sql, call.args[2].sql
    if unit in _TIME_UNITS or (t.base == "timestamp" and unit in _MS):
        return sql(_ELAPSED[t.base], a=a, b=b, us=_MS[unit] * 1000)
    return sql(_BY_CALENDAR[t.base], unit=Text(unit), a=a, b=b)


_ELAPSED = {
    "timestamp": "((epoch_us($b) - epoch_us($a)) // $us)",
    "timestamp_tz": "((epoch_us(t_instant($b)) - epoch_us(t_instant($a))) // $us)",
    "time": "((epoch_us($b) - epoch_us($a)) // $us)",
    "time_tz": "((t_time_instant($b) - t_time_instant($a)) // $us)",
}
_BY_CALENDAR = {
    "date": "t_months_or_days($unit, $a, $b)",
    "timestamp": "t_months_or_days($unit, $a, $b)",
    "timestamp_tz": "t_months_or_days($unit, t_local($a), t_to_local(($b).u, ($a).z))",
}
macro("t_months_or_days(unit, a, b) AS datesub(unit, a, b)")
for _t in _MOMENTS:
    lowering(f"date_diff(varchar(u), {_t}, {_t})", _diff)
