"""Dates and times."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.conversion import convert
from dapflow.trino.duckdb.conversion_text import text_sql
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.moments import ZONED, Zoned, zoned
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.storage import literal
from dapflow.trino.duckdb.values import Value, failure, let
from dapflow.trino.moments import zone_name
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

_P = "timestamp(p)"
_Z = "timestamp(p) with time zone"
_DATE_UNITS = ("day", "week", "month", "quarter", "year")
_TIME_UNITS = ("millisecond", "second", "minute", "hour")
_MS = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_KINDS = {"date": "DATE", "timestamp": "Timestamp", "timestamp_tz": "Timestamp", "time": "Time", "time_tz": "Time"}


def _units(t: Type) -> tuple[str, ...]:
    return {"date": _DATE_UNITS, "time": _TIME_UNITS, "time_tz": _TIME_UNITS}.get(t.base, (*_TIME_UNITS, *_DATE_UNITS))


def _kind(t: Type) -> str:
    return _KINDS[t.base].upper() if t.base == "date" else _KINDS[t.base]


def _unit(call: Call, t: Type) -> str:
    unit = str(call.args[0].const).lower()
    if unit not in _units(t):
        problem = f"'{unit}' is not a valid {_kind(t)} field"
        call.unit.fail("INVALID_FUNCTION_ARGUMENT", call.node.pos, problem)
    return unit


def _by_unit(template: Callable[[Call], str]) -> Callable[[Call], str]:
    """The template for a unit that is a literal, or a choice among all units when it is not."""

    def chosen(call: Call) -> str:
        unit, t = call.args[0], call.args[-1].type
        if isinstance(unit.const, str):
            return template(call)
        arms = " ".join(
            f"WHEN '{one}' THEN {template(replace(call, args=[Value('', unit.type, one), *call.args[1:]]))}"
            for one in _units(t)
        )
        message = f"chr(39) || {unit.sql} || chr(39) || ' is not a valid {_kind(t)} field'"
        problem = failure("INVALID_FUNCTION_ARGUMENT", message, call.type)
        return f"CASE lower({unit.sql}) {arms} ELSE CASE WHEN {unit.sql} IS NOT NULL THEN {problem} END END"

    return chosen


# ---------------------------------------------------------------------------------------------------- date_trunc
@_by_unit
def _trunc(call: Call) -> str:
    t = call.args[1].type
    unit, x = _unit(call, t), call.args[1].sql
    if t.base == "date":
        return f"CAST(date_trunc('{unit}', {x}) AS DATE)"
    if t.base == "timestamp":
        return f"date_trunc('{unit}', {x})"
    if t.base == "time":
        return f"t_trunc_time({x}, {_MS[unit] * 1000})"
    if t.base == "time_tz":
        return let(x, lambda v: f"t_time_zoned(t_trunc_time(({v}).t, {_MS[unit] * 1000}), ({v}).o)", limit=80)
    if unit in _TIME_UNITS:

        def truncated(v: str) -> str:
            passed = let(f"t_local({v})", lambda local: f"({local} - date_trunc('{unit}', {local}))")
            return f"t_zone_struct(({v}).u - {passed}, ({v}).z)"

        return let(x, truncated, limit=80)
    return let(x, lambda v: f"t_zoned(date_trunc('{unit}', t_local({v})), ({v}).z)", limit=80)


lowering("date_trunc(varchar(u), date)", _trunc)
for _t in (_P, _Z, "time(p)", "time(p) with time zone"):
    lowering(f"date_trunc(varchar(u), {_t})", _trunc)


# ------------------------------------------------------------------------------------------------------ date_add
@_by_unit
def _add(call: Call) -> str:
    t = call.args[2].type
    unit, n, x = _unit(call, t), call.args[1].sql, call.args[2].sql
    if unit in _MONTHS:
        months = f"CAST({n} * {_MONTHS[unit]} AS INTEGER)"
        if t.base == "date":
            return f"CAST({x} + to_months({months}) AS DATE)"
        return f"({x} + to_months({months}))" if t.base == "timestamp" else f"t_zoned_months({x}, {months})"
    if t.base == "date":
        return f"({x} + CAST({n} * {7 if unit == 'week' else 1} AS INTEGER))"
    ms = f"({n} * {_MS[unit]})" if _MS[unit] > 1 else n
    if t.base == "timestamp":
        days = unit in {"day", "week"}
        sql = (
            f"({x} + to_days(CAST({n} * {7 if unit == 'week' else 1} AS INTEGER)))"
            if days
            else f"({x} + to_milliseconds({ms}))"
        )
        return _rounded_to(sql, t.precision, unit)
    if t.base == "time":
        sql = f"t_time_plus({x}, {ms})"
        return f"t_round_time({sql}, {10 ** (6 - t.precision)})" if unit == "millisecond" and t.precision < 3 else sql
    if t.base == "time_tz":
        sql = f"t_time_plus(({x}).t, {ms})"
        sql = f"t_round_time({sql}, {10 ** (6 - t.precision)})" if unit == "millisecond" and t.precision < 3 else sql
        return f"t_time_zoned({sql}, ({x}).o)"
    if unit in {"day", "week"}:
        return let(
            x,
            lambda v: f"t_zoned(t_local({v}) + to_days(CAST({n} * {7 if unit == 'week' else 1} AS INTEGER)), ({v}).z)",
            limit=80,
        )
    sql = f"t_zoned_plus({x}, {ms})"
    return f"t_zoned_round({sql}, {10 ** (6 - t.precision)})" if unit == "millisecond" and t.precision < 3 else sql


def _rounded_to(sql: str, precision: int, unit: str) -> str:
    return f"t_round_timestamp({sql}, {10 ** (6 - precision)})" if unit == "millisecond" and precision < 3 else sql


lowering("date_add(varchar(u), bigint, date)", _add)
for _t in (_P, _Z, "time(p)", "time(p) with time zone"):
    lowering(f"date_add(varchar(u), bigint, {_t})", _add)


# ----------------------------------------------------------------------------------------------------- date_diff
@_by_unit
def _diff(call: Call) -> str:
    t = call.args[1].type
    unit, a, b = _unit(call, t), call.args[1].sql, call.args[2].sql
    if t.base in {"time", "time_tz"}:
        x, y = (f"epoch_us({s})" if t.base == "time" else f"t_time_instant({s})" for s in (a, b))
        return f"(({y} - {x}) // {_MS[unit] * 1000})"
    if t.base == "timestamp_tz":
        if unit in _TIME_UNITS:
            return f"((epoch_us(t_instant({b})) - epoch_us(t_instant({a}))) // {_MS[unit] * 1000})"
        return f"t_months_or_days('{unit}', t_local({a}), t_to_local(({b}).u, ({a}).z))"
    if t.base == "date":
        return f"t_months_or_days('{unit}', {a}, {b})"
    if unit in _MS:
        return f"((epoch_us({b}) - epoch_us({a})) // {_MS[unit] * 1000})"
    return f"t_months_or_days('{unit}', {a}, {b})"


macro("t_months_or_days(unit, a, b) AS datesub(unit, a, b)")
lowering("date_diff(varchar(u), date, date)", _diff)
for _t in (_P, _Z, "time(p)", "time(p) with time zone"):
    lowering(f"date_diff(varchar(u), {_t}, {_t})", _diff)

# --------------------------------------------------------------------------------------------------------- parts
_PARTS = {
    "year": "year(#)",
    "month": "month(#)",
    "quarter": "quarter(#)",
    "day": "day(#)",
    "day_of_month": "day(#)",
    "week": "week(#)",
    "week_of_year": "week(#)",
    "day_of_week": "isodow(#)",
    "dow": "isodow(#)",
    "day_of_year": "dayofyear(#)",
    "doy": "dayofyear(#)",
    "year_of_week": "isoyear(#)",
    "yow": "isoyear(#)",
}
_CLOCK = {
    "hour": "hour(#)",
    "minute": "minute(#)",
    "second": "(epoch_us(#) % 60000000 + 60000000) % 60000000 // 1000000",
    "millisecond": "(epoch_us(#) % 1000000 + 1000000) % 1000000 // 1000",
}
for _name, _sql in {**_PARTS, **_CLOCK}.items():
    if _name in _PARTS:
        lowering(f"{_name}(date)", f"CAST({_sql.replace('#', '$1')} AS BIGINT)")
    lowering(f"{_name}({_P})", f"CAST({_sql.replace('#', '$1')} AS BIGINT)")
    lowering(f"{_name}({_Z})", f"CAST({_sql.replace('#', 't_local($1)')} AS BIGINT)")
    if _name in _CLOCK:
        lowering(f"{_name}(time(p))", f"CAST({_sql.replace('#', '$1')} AS BIGINT)")
        lowering(f"{_name}(time(p) with time zone)", f"CAST({_sql.replace('#', '($1).t')} AS BIGINT)")
for _name, _divisor in (
    ("day", 86_400_000),
    ("hour", 3_600_000),
    ("minute", 60_000),
    ("second", 1000),
    ("millisecond", 1),
):
    _modulus = {"day": "", "hour": " % 24", "minute": " % 60", "second": " % 60", "millisecond": " % 1000"}[_name]
    lowering(f"{_name}(interval day to second)", f"($1 // {_divisor}{_modulus})")
lowering("year(interval year to month)", "CAST($1 // 12 AS BIGINT)")
lowering("month(interval year to month)", "CAST($1 % 12 AS BIGINT)")
lowering(f"timezone_hour({_Z})", "CAST(t_offset($1) // 60 AS BIGINT)")
lowering(f"timezone_minute({_Z})", "CAST(t_offset($1) % 60 AS BIGINT)")
lowering("timezone_hour(time(p) with time zone)", "CAST(($1).o // 60 AS BIGINT)")
lowering("timezone_minute(time(p) with time zone)", "CAST(($1).o % 60 AS BIGINT)")
lowering("last_day_of_month(date)", "last_day($1)")
lowering(f"last_day_of_month({_P})", "last_day($1)")
lowering(f"last_day_of_month({_Z})", "last_day(t_local($1))")
lowering("to_milliseconds(interval day to second)", "$1")
lowering("now()", "t_zone_struct(t_trunc_timestamp(t_now(), 1000), 'UTC')")
lowering("current_timezone()", "'UTC'")
lowering("date(varchar)", lambda call: coerce_cast(call, Type("date")))
lowering(f"date({_P})", "CAST($1 AS DATE)")
lowering(f"date({_Z})", "CAST(t_local($1) AS DATE)")


def coerce_cast(call: Call, target: Type) -> str:
    """An argument as CAST gives it."""
    return convert(call.args[0].sql, call.args[0].type, target)


# --------------------------------------------------------------------------------------------------------- zones


def _zone(call: Call, place: int) -> str:
    """The zone that an argument names; a literal is looked up now."""
    value = call.args[place]
    if not isinstance(value.const, str):
        return f"py_zone({value.sql})"
    try:
        return literal(zone_name(value.const))
    except ValueError:
        call.unit.fail("INVALID_FUNCTION_ARGUMENT", call.node.pos, f"'{value.const}' is not a valid time zone")


def _at_zone(call: Call) -> str:
    return let(call.args[0].sql, lambda x: f"t_zone_struct(({x}).u, {_zone(call, 1)})", limit=80)


lowering(f"at_timezone({_Z}, varchar(z))", _at_zone)
lowering(f"at_timezone({_Z}, interval day to second)", "t_zone_struct(($1).u, t_zone_of($2))")
lowering(
    "at_timezone(time(p) with time zone, varchar)",
    "t_time_at($1, t_zone_minutes(py_zone($2)))",
)
lowering(
    "at_timezone(time(p) with time zone, interval day to second)",
    "t_time_at($1, CAST($2 // 60000 AS INTEGER))",
)
lowering(f"with_timezone({_P}, varchar(z))", lambda call: f"t_zoned({call.args[0].sql}, {_zone(call, 1)})")
macro("t_zone_of(ms) AS CASE WHEN ms = 0 THEN 'UTC' ELSE t_offset_text(CAST(ms // 60000 AS INTEGER)) END")
macro(
    "t_zone_minutes(z) AS CASE WHEN z = 'UTC' THEN 0 WHEN z[1] IN ('+', '-') THEN t_offset_minutes(z) ELSE "
    "CAST((epoch_us(t_to_local(t_now(), z)) - epoch_us(t_now())) // 60000000 AS INTEGER) END"
)
macro("t_time_at(x, o) AS t_time_zoned(t_us_time(t_time_instant(x) + CAST(o AS BIGINT) * 60000000), o)")

# ---------------------------------------------------------------------------------------------------- unix times
macro(
    "t_unix(x, z) AS CASE WHEN isfinite(x) THEN t_zone_struct(make_timestamp(CAST(round(x * 1000) AS BIGINT) * "
    "1000), z) "
    "ELSE CASE WHEN x IS NOT NULL THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Not a finite number of seconds') "
    "AS STRUCT(u TIMESTAMP, z VARCHAR)) END END"
)
lowering("from_unixtime(double)", "t_unix($1, 'UTC')")
lowering(
    "from_unixtime(double, varchar(z))",
    lambda call: f"t_unix({call.args[0].sql}, {_zone(call, 1)})",
)
lowering(
    "from_unixtime(double, bigint, bigint)",
    "t_unix($1, t_zone_of(($2 * 60 + $3) * 60000))",
)
lowering(
    "from_unixtime_nanos(bigint)",
    lambda call: call.unit.unsupported("Function from_unixtime_nanos (the finest precision is 6)", call.node.pos),
)
lowering(f"to_unixtime({_P})", "(epoch_us($1) / 1000000.0::DOUBLE)")
lowering(f"to_unixtime({_Z})", "(epoch_us(t_instant($1)) / 1000000.0::DOUBLE)")


# ------------------------------------------------------------------------------------------------------ ISO 8601
def _iso(call: Call) -> str:
    x, t = call.args[0].sql, call.args[0].type
    if t.base == "date":
        return text_sql(x, t)
    if t.base == "timestamp":
        return f"replace({text_sql(x, t)}, ' ', 'T')"
    return let(x, lambda v: let(f"t_local({v})", lambda local: _iso_zoned(v, local, t.precision)))


def _iso_zoned(x: str, local: str, precision: int) -> str:
    stamp = text_sql(local, Type("timestamp", precision=precision))
    offset = let(f"t_offset_at({x}, {local})", lambda o: f"CASE WHEN {o} = 0 THEN 'Z' ELSE t_offset_text({o}) END")
    return f"(replace({stamp}, ' ', 'T') || {offset})"


lowering("to_iso8601(date)", _iso)
lowering(f"to_iso8601({_P})", _iso)
lowering(f"to_iso8601({_Z})", _iso)
lowering("from_iso8601_date(varchar)", "CAST(py_iso_date($1) AS DATE)")
lowering("from_iso8601_timestamp(varchar)", "t_from_iso($1)")
# Written out where it is called, so the fewer parts it has the sooner a query with many of them is planned.
_DAY_AND_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?"
macro(
    f"t_from_iso(x) AS CASE WHEN regexp_full_match(x, '{_DAY_AND_TIME}Z') "
    "AND TRY_CAST(x[:-2] AS TIMESTAMP) IS NOT NULL "
    "THEN {'u': CAST(x[:-2] AS TIMESTAMP), 'z': 'UTC'} "
    f"WHEN regexp_full_match(x, '{_DAY_AND_TIME}[+-](0[1-9]|1[0-3]):[0-5]\\d') "
    "AND TRY_CAST(x AS TIMESTAMPTZ) IS NOT NULL "
    "THEN {'u': timezone('UTC', CAST(x AS TIMESTAMPTZ)), 'z': x[-6:]} "
    "ELSE py_iso_timestamp(x) END"
)
_ISO = re.compile(
    r"([+-]?\d{4,})(?:-(?:W(\d{1,2})(?:-(\d))?|(\d{3})|(\d{1,2})(?:-(\d{1,2}))?))?(?:T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?"
)


@udf("py_iso_date", ["VARCHAR"], "VARCHAR")
def iso_date(text: str) -> str:
    """A date in ISO 8601."""
    m = _ISO.fullmatch(text)
    if not m or "T" in text:
        raise Failure(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}"')
    return _iso_day(m, text).isoformat()


def _iso_day(m: re.Match[str], text: str) -> dt.date:
    try:
        year = int(m[1])
        if m[2]:
            return dt.date.fromisocalendar(year, int(m[2]), int(m[3] or 1))
        if m[4]:
            return dt.date(year, 1, 1) + dt.timedelta(days=int(m[4]) - 1)
        return dt.date(year, int(m[5] or 1), int(m[6] or 1))
    except ValueError:
        message = f'INVALID_FUNCTION_ARGUMENT: Cannot parse "{text}"'
        raise Failure(message) from None


@udf("py_iso_timestamp", ["VARCHAR"], ZONED)
def iso_timestamp(text: str) -> Zoned:
    """A timestamp in ISO 8601."""
    m = _ISO.fullmatch(text)
    if not m:
        raise Failure(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}"')
    day = _iso_day(m, text)
    hour, minute, second = (int(m[i] or 0) for i in (7, 8, 9))
    if hour > 23 or minute > 59 or second > 59:
        raise Failure(f'INVALID_FUNCTION_ARGUMENT: Cannot parse "{text}": Value out of range')
    zone = m[11] or "UTC"
    if zone not in {"UTC", "Z"} and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:] or '00'}"
    zone = "UTC" if zone in {"Z", "+00:00", "-00:00"} else zone
    moment = dt.datetime(day.year, day.month, day.day, hour, minute, second, int(f"{(m[10] or '0')[:3]:0<6}"))
    return zoned(moment, zone)


# ------------------------------------------------------------------------------------------------------- periods
lowering("human_readable_seconds(double)", "py_human_seconds($1)")
lowering("parse_duration(varchar)", "py_parse_duration($1)")


@udf("py_human_seconds", ["DOUBLE"], "VARCHAR")
def human_seconds(seconds: float) -> str:
    """Seconds in weeks, days, hours, minutes and seconds."""
    if not math.isfinite(seconds):
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Invalid argument found: {seconds}")
    parts: list[str] = []
    rest = abs(round(seconds))
    for name, size in (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, rest = divmod(rest, size)
        if count or (name == "second" and not parts):
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return ", ".join(parts)


_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*")
_UNIT_MS = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7}


@udf("py_parse_duration", ["VARCHAR"], "BIGINT")
def parse_duration(text: str) -> int:
    """A duration such as `42.8ms`, in milliseconds."""
    m = _DURATION.fullmatch(text)
    if not text:
        raise Failure("INVALID_FUNCTION_ARGUMENT: duration is empty")
    if not m:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: duration is not a valid data duration string: {text}")
    if m[2] not in _UNIT_MS:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Unknown time unit: {m[2]}")
    return int(float(m[1]) * _UNIT_MS[m[2]] + 0.5)
