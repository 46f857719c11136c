"""Dates and times: their parts, zones, unix times, ISO 8601 and durations."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.conversions import convert, convert_or_null, text_sql
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.moments import ZONED, Zoned, zoned
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import Sql, Text, sql
from dapflow.trino.duckdb.resolution import CallTemplate, fill
from dapflow.trino.duckdb.values import let
from dapflow.trino.moments import zone_name
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

_P = "timestamp(p)"
_Z = "timestamp(p) with time zone"

# --------------------------------------------------------------------------------------------------------- parts
_PARTS = {
    "year": "year({0})",
    "month": "month({0})",
    "quarter": "quarter({0})",
    "day": "day({0})",
    "day_of_month": "day({0})",
    "week": "week({0})",
    "week_of_year": "week({0})",
    "day_of_week": "isodow({0})",
    "dow": "isodow({0})",
    "day_of_year": "dayofyear({0})",
    "doy": "dayofyear({0})",
    "year_of_week": "isoyear({0})",
    "yow": "isoyear({0})",
}
_CLOCK = {
    "hour": "hour({0})",
    "minute": "minute({0})",
    "second": "(epoch_us({0}) % 60000000 + 60000000) % 60000000 // 1000000",
    "millisecond": "(epoch_us({0}) % 1000000 + 1000000) % 1000000 // 1000",
}
for _name, _part in {**_PARTS, **_CLOCK}.items():
    if _name in _PARTS:
        lowering(f"{_name}(date)", f"CAST({_part.format('$1')} AS BIGINT)")
    lowering(f"{_name}({_P})", f"CAST({_part.format('$1')} AS BIGINT)")
    lowering(f"{_name}({_Z})", f"CAST({_part.format('t_local($1)')} AS BIGINT)")
    if _name in _CLOCK:
        lowering(f"{_name}(time(p))", f"CAST({_part.format('$1')} AS BIGINT)")
        lowering(f"{_name}(time(p) with time zone)", f"CAST({_part.format('t_time_local($1)')} AS BIGINT)")
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
lowering(
    "date(varchar)",
    lambda call: convert(call.args[0].sql, call.args[0].type, Type("date")),
    attempt=lambda call: convert_or_null(call.args[0].sql, call.args[0].type, Type("date")),
)
lowering(f"date({_P})", "CAST($1 AS DATE)")
lowering(f"date({_Z})", "CAST(t_local($1) AS DATE)")


# --------------------------------------------------------------------------------------------------------- zones
def _zone(call: LoweredCall, place: int) -> Sql:
    """The zone that an argument names; a literal is looked up now."""
    value = call.args[place]
    if not isinstance(value.const, str):
        return sql("py_zone($zone)", zone=value.sql)
    return Text(zone_name(value.const))


def _at_zone(call: LoweredCall) -> Sql:
    zone = _zone(call, 1)
    return let(call.args[0].sql, lambda x: sql("t_zone_struct(($x).u, $zone)", x=x, zone=zone), limit=80)


def _with_zone(template: str) -> CallTemplate:
    """A template whose second argument names a zone."""
    return lambda call: fill(template, call, zone=_zone(call, 1))


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
lowering(f"with_timezone({_P}, varchar(z))", _with_zone("t_zoned($1, $zone)"))
macro("t_zone_of(ms) AS CASE WHEN ms = 0 THEN 'UTC' ELSE t_offset_text(CAST(ms // 60000 AS INTEGER)) END")
macro(
    "t_zone_minutes(z) AS list_transform([z], lambda zone: CASE WHEN zone = 'UTC' THEN 0 "
    "WHEN zone[1] IN ('+', '-') THEN t_offset_minutes(zone) "
    "ELSE CAST((epoch_us(t_to_local(t_now(), zone)) - epoch_us(t_now())) // 60000000 AS INTEGER) END)[1]"
)
macro(
    "t_time_at(x, o) AS list_transform([o], lambda minutes: "
    "t_time_zoned(t_us_time(t_time_instant(x) + CAST(minutes AS BIGINT) * 60000000), minutes))[1]"
)

# ---------------------------------------------------------------------------------------------------- unix times
macro(
    "t_unix(x, z) AS CASE WHEN isfinite(x) THEN t_zone_struct(make_timestamp(CAST(round(x * 1000) AS BIGINT) * "
    "1000), z) "
    "ELSE CASE WHEN x IS NOT NULL THEN CAST(fail('INVALID_FUNCTION_ARGUMENT: Not a finite number of seconds') "
    "AS STRUCT(u TIMESTAMP, z VARCHAR)) END END"
)
lowering("from_unixtime(double)", "t_unix($1, 'UTC')")
lowering("from_unixtime(double, varchar(z))", _with_zone("t_unix($1, $zone)"))
lowering(
    "from_unixtime(double, bigint, bigint)",
    "t_unix($1, t_zone_of(($2 * 60 + $3) * 60000))",
)
lowering(
    "from_unixtime_nanos(bigint)",
    lambda call: call.unsupported("Function from_unixtime_nanos (the finest precision is 6)"),
)
lowering(f"to_unixtime({_P})", "(epoch_us($1) / 1000000.0::DOUBLE)")
lowering(f"to_unixtime({_Z})", "(epoch_us(t_instant($1)) / 1000000.0::DOUBLE)")


# ------------------------------------------------------------------------------------------------------ ISO 8601
def _iso(call: LoweredCall) -> Sql:
    x, t = call.args[0].sql, call.args[0].type
    if t.base == "date":
        return text_sql(x, t)
    if t.base == "timestamp":
        return sql("replace($text, ' ', 'T')", text=text_sql(x, t))
    return let(x, lambda v: let(sql("t_local($v)", v=v), lambda local: _iso_zoned(v, local, t.precision)))


def _iso_zoned(x: Sql, local: Sql, precision: int) -> Sql:
    offset = let(
        sql("t_offset_at($x, $local)", x=x, local=local),
        lambda o: sql("CASE WHEN $o = 0 THEN 'Z' ELSE t_offset_text($o) END", o=o),
    )
    text = text_sql(local, Type("timestamp", precision=precision))
    return sql("(replace($text, ' ', 'T') || $offset)", text=text, offset=offset)


lowering("to_iso8601(date)", _iso)
lowering(f"to_iso8601({_P})", _iso)
lowering(f"to_iso8601({_Z})", _iso)
lowering(
    "from_iso8601_date(varchar)",
    "CAST(py_iso_date($1) AS DATE)",
    attempt="CAST(py_iso_date_or_null($1) AS DATE)",
)
lowering("from_iso8601_timestamp(varchar)", "t_from_iso($1)", attempt="t_from_iso_or_null($1)")
# Written out where it is called, so the fewer parts it has the sooner a query with many of them is planned.
_DAY_AND_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?"
for _end in ("", "_or_null"):
    macro(
        f"t_from_iso{_end}(x) AS CASE WHEN regexp_full_match(x, '{_DAY_AND_TIME}Z') "
        "AND TRY_CAST(x[:-2] AS TIMESTAMP) IS NOT NULL "
        "THEN {'u': CAST(x[:-2] AS TIMESTAMP), 'z': 'UTC'} "
        f"WHEN regexp_full_match(x, '{_DAY_AND_TIME}[+-](0[1-9]|1[0-3]):[0-5]\\d') "
        "AND TRY_CAST(x AS TIMESTAMPTZ) IS NOT NULL "
        "THEN {'u': timezone('UTC', CAST(x AS TIMESTAMPTZ)), 'z': x[-6:]} "
        f"ELSE py_iso_timestamp{_end}(x) END"
    )
_ISO = re.compile(
    r"([+-]?\d{4,})(?:-(?:W(\d{1,2})(?:-(\d))?|(\d{3})|(\d{1,2})(?:-(\d{1,2}))?))?(?:T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:[.,](\d+))?)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?"
)


@udf("py_iso_date", ["VARCHAR"], "VARCHAR", or_null="py_iso_date_or_null")
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


@udf("py_iso_timestamp", ["VARCHAR"], ZONED, or_null="py_iso_timestamp_or_null")
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
lowering("parse_duration(varchar)", "py_parse_duration($1)", attempt="py_parse_duration_or_null($1)")


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


@udf("py_parse_duration", ["VARCHAR"], "BIGINT", or_null="py_parse_duration_or_null")
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
