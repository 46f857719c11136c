"""Calculation with dates and times by a unit: date_trunc, date_add and date_diff."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dapflow.trino.date_units import CLOCK, DAYS, MONTHS, is_no_unit, unit_families
from dapflow.trino.duckdb.functions.registry import lowering, macro
from dapflow.trino.duckdb.nodes import Sql, Text, Word, joined, sql
from dapflow.trino.duckdb.resolution import CallTemplate
from dapflow.trino.duckdb.values import failure, let

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

_MOMENTS = ("date", "timestamp(p)", "timestamp(p) with time zone", "time(p)", "time(p) with time zone")
_DAY_IN_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class _Unit:
    """A unit that is known now, or any of a family, which `name` then tells for each row."""

    name: Sql
    family: dict[str, int]
    known: str | None = None

    def size(self, scale: int = 1) -> Sql:
        """How much of what the family is counted in it is, times `scale`."""
        if self.known is not None:
            return Word(str(self.family[self.known] * scale))
        arms = [sql("WHEN $unit THEN $n", unit=Text(unit), n=n * scale) for unit, n in self.family.items()]
        return sql("CASE $name $arms END", name=self.name, arms=joined(" ", arms))

    def times(self, n: Sql) -> Sql:
        """So many of it."""
        return sql("$n * $size", n=n, size=self.size())


def _by_unit(template: Callable[[LoweredCall, _Unit], Sql]) -> CallTemplate:
    """A template of a call whose first argument is a unit, and whose last tells which there may be."""

    def chosen(call: LoweredCall) -> Sql:
        unit, t = call.args[0], call.args[-1].type
        families = unit_families(t.base)
        if not isinstance(unit.const, str):
            return let(sql("lower($unit)", unit=unit.sql), lambda name: _choice(call, name, families, template))
        known = unit.const.lower()
        family = next(family for family in families if known in family)
        return template(call, _Unit(Text(known), family, known))

    return chosen


def _choice(
    call: LoweredCall, name: Sql, families: tuple[dict[str, int], ...], template: Callable[[LoweredCall, _Unit], Sql]
) -> Sql:
    arms = [_arm(call, name, family, template) for family in families]
    message = sql(
        "chr(39) || $unit || chr(39) || $problem",
        unit=call.args[0].sql,
        problem=Text(is_no_unit(call.args[-1].type.base)),
    )
    return sql(
        "CASE $arms ELSE CASE WHEN $name IS NOT NULL THEN $problem END END",
        arms=joined(" ", arms),
        name=name,
        problem=failure("INVALID_FUNCTION_ARGUMENT", message, call.type),
    )


def _arm(call: LoweredCall, name: Sql, family: dict[str, int], template: Callable[[LoweredCall, _Unit], Sql]) -> Sql:
    units = [*map(Text, family)]
    # DuckDB may evaluate an arm that is not chosen, and fails where it is given another unit.
    guarded = sql("CASE WHEN $name IN ($units) THEN $name END", name=name, units=units)
    result = template(call, _Unit(guarded, family))
    return sql("WHEN $name IN ($units) THEN $result", name=name, units=units, result=result)


# ---------------------------------------------------------------------------------------------------- date_trunc
@_by_unit
def _trunc(call: LoweredCall, unit: _Unit) -> Sql:
    t, x = call.args[1].type, call.args[1].sql
    if t.base in {"date", "timestamp", "time"}:
        return sql(_TRUNC[t.base], unit=unit.name, x=x, us=unit.size(1000))
    if t.base == "timestamp_tz" and unit.family is CLOCK:
        return let(x, lambda v: _trunc_clock(v, unit.name), limit=80)
    return let(x, lambda v: sql(_TRUNC[t.base], unit=unit.name, x=v, us=unit.size(1000)), limit=80)


_TRUNC = {
    "date": "CAST(date_trunc($unit, $x) AS DATE)",
    "timestamp": "date_trunc($unit, $x)",
    "timestamp_tz": "t_zoned(date_trunc($unit, t_local($x)), ($x).z)",
    "time": "t_trunc_time($x, $us)",
    "time_tz": "t_time_zoned(t_trunc_time(t_time_local($x), $us), ($x).o)",
}


def _trunc_clock(x: Sql, unit: Sql) -> Sql:
    """What the clock shows since the last full hour or less, taken off the instant: no clock is changed then."""
    passed = let(
        sql("t_local($x)", x=x),
        lambda local: sql("($local - date_trunc($unit, $local))", local=local, unit=unit),
    )
    return sql("t_zone_struct(t_instant($x) - $passed, ($x).z)", x=x, passed=passed)


for _t in _MOMENTS:
    lowering(f"date_trunc(varchar(u), {_t})", _trunc)


# ------------------------------------------------------------------------------------------------------ date_add
@_by_unit
def _add(call: LoweredCall, unit: _Unit) -> Sql:
    t, n, x = call.args[2].type, call.args[1].sql, call.args[2].sql
    if unit.family is MONTHS:
        return sql(_PLUS_MONTHS[t.base], x=x, months=unit.times(n))
    if unit.family is DAYS:
        template, days = _PLUS_DAYS[t.base], unit.times(n)
        if t.base != "timestamp_tz":
            return sql(template, x=x, days=days)
        return let(x, lambda v: sql(template, x=v, days=days), limit=80)
    ms = n if unit.known == "millisecond" else sql("($times)", times=unit.times(n))
    plus, rounded = _PLUS_MS[t.base]
    coarse = t.precision < 3 and unit.known in {None, "millisecond"}
    return sql(rounded if coarse else plus, x=x, ms=ms, f=10 ** (6 - t.precision))


_PLUS_MONTHS = {
    "date": "CAST($x + to_months(CAST($months AS INTEGER)) AS DATE)",
    "timestamp": "($x + to_months(CAST($months AS INTEGER)))",
    "timestamp_tz": "t_zoned_months($x, CAST($months AS INTEGER))",
}
_PLUS_DAYS = {
    "date": "($x + CAST($days AS INTEGER))",
    "timestamp": "($x + to_days(CAST($days AS INTEGER)))",
    "timestamp_tz": "t_zoned(t_local($x) + to_days(CAST($days AS INTEGER)), ($x).z)",
}
#: And the same rounded to `f` microseconds, for types without milliseconds.
_PLUS_MS = {
    "timestamp": ("($x + to_milliseconds($ms))", "t_round_timestamp(($x + to_milliseconds($ms)), $f)"),
    "timestamp_tz": ("t_zoned_plus($x, $ms)", "t_zoned_round(t_zoned_plus($x, $ms), $f)"),
    "time": ("t_time_plus($x, $ms)", "t_round_time(t_time_plus($x, $ms), $f)"),
    "time_tz": (
        "t_time_zoned_plus($x, $ms)",
        "t_time_zoned(t_round_time(t_time_plus(t_time_local($x), $ms), $f), ($x).o)",
    ),
}
for _t in _MOMENTS:
    lowering(f"date_add(varchar(u), bigint, {_t})", _add)


# ----------------------------------------------------------------------------------------------------- date_diff
@_by_unit
def _diff(call: LoweredCall, unit: _Unit) -> Sql:
    base, a, b = call.args[1].type.base, call.args[1].sql, call.args[2].sql
    if unit.family is CLOCK or (unit.family is DAYS and base == "timestamp"):
        return sql(_ELAPSED[base], a=a, b=b, us=unit.size(1000 if unit.family is CLOCK else _DAY_IN_US))
    return sql(_BY_CALENDAR[base], unit=unit.name, a=a, b=b)


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
