"""Macros and functions for dates, times and zones that casts, operators and functions share.

A timestamp with time zone is held as {u: the instant in UTC, z: the zone}; a time with time zone as {t: the time as it
shows, o: the offset in minutes}.
"""

from __future__ import annotations

import datetime as dt

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import macro, udf
from dapflow.trino.moments import parse_date, parse_time, parse_timestamp, zone_info, zone_name

macro("t_now() AS timezone('UTC', now())")
macro("t_today() AS CAST(t_now() AS DATE)")

# ---------------------------------------------------------------------------------------------------- rounding
# To `f` microseconds, which a day is a multiple of.
macro("t_trunc_timestamp(x, f) AS time_bucket(to_microseconds(f), x)")
macro("t_round_timestamp(x, f) AS t_trunc_timestamp(x + to_microseconds(f // 2), f)")
macro("t_us_time(us) AS CAST(make_timestamp(us) AS TIME)")
macro("t_round_time(x, f) AS t_us_time((epoch_us(x) + f // 2) // f * f)")
macro("t_trunc_time(x, f) AS t_us_time(epoch_us(x) // f * f)")

# ------------------------------------------------------------------------------------------------------- zones
macro(
    "t_offset_minutes(z) AS CASE WHEN z[1] = '-' THEN -1 ELSE 1 END * (CAST(z[2:3] AS INTEGER) * 60 + "
    "CAST(z[5:6] AS INTEGER))"
)
# Arguments that are used more than once are bound by a lambda: macros are written out where they are called, and
# zones within zones would grow the query without measure.
# A NULL that is known beforehand has no type in DuckDB, whatever it was cast to, once it is taken out of a struct.
macro("t_typed(u, z) AS {'u': CAST(u AS TIMESTAMP), 'z': CAST(z AS VARCHAR)}")
macro("t_instant(x) AS CAST((x).u AS TIMESTAMP)")
# ICU knows an offset by another name. Of the time before 1900 it does not know the rules, nor Python that around the
# ends of its years.
macro("t_icu_zone(z) AS regexp_replace(z, '^[+-]', 'GMT\\0')")
macro(
    "t_to_local(u, z) AS list_transform([t_typed(u, z)], lambda va: CASE WHEN (va).z = 'UTC' THEN (va).u "
    "WHEN (va).u < TIMESTAMP '1900-01-01' AND (va).u > TIMESTAMP '0001-01-03' THEN py_to_local((va).u, (va).z) "
    "ELSE timezone(t_icu_zone((va).z), timezone('UTC', (va).u)) END)[1]"
)
macro(
    "t_to_utc(u, z) AS list_transform([t_typed(u, z)], lambda vb: CASE WHEN (vb).z = 'UTC' THEN (vb).u "
    "WHEN (vb).z[1] IN ('+', '-') OR (vb).u < TIMESTAMP '0001-01-03' OR (vb).u > TIMESTAMP '9999-12-29' "
    "THEN timezone('UTC', timezone(t_icu_zone((vb).z), (vb).u)) "
    "ELSE py_to_utc((vb).u, (vb).z) END)[1]"
)
macro(
    "t_zone_struct(u, z) AS list_transform([t_typed(u, z)], lambda vc: "
    "CASE WHEN (vc).u IS NULL OR (vc).z IS NULL THEN NULL ELSE vc END)[1]"
)
macro("t_zoned(u, z) AS list_transform([t_typed(u, z)], lambda vd: t_zone_struct(t_to_utc((vd).u, (vd).z), (vd).z))[1]")
macro("t_local(x) AS t_to_local((x).u, (x).z)")
macro("t_zoned_round(x, f) AS list_transform([x], lambda vg: t_zone_struct(t_round_timestamp((vg).u, f), (vg).z))[1]")
macro("t_zoned_plus(x, ms) AS list_transform([x], lambda vh: t_zone_struct((vh).u + to_milliseconds(ms), (vh).z))[1]")
macro("t_zoned_months(x, m) AS list_transform([x], lambda ve: t_zoned(t_local(ve) + to_months(m), (ve).z))[1]")
macro("t_offset(x) AS list_transform([x], lambda vf: t_offset_at(vf, t_local(vf)))[1]")
macro("t_offset_at(x, local) AS CAST((epoch_us(local) - epoch_us(t_instant(x))) // 60000000 AS INTEGER)")
macro(
    "t_offset_text(o) AS CASE WHEN o < 0 THEN '-' ELSE '+' END || "
    "strftime(make_timestamp(CAST(abs(o) AS BIGINT) * 60000000), '%H:%M')"
)
macro(
    "t_time_zoned(t, o) AS list_transform([{'t': CAST(t AS TIME), 'o': CAST(o AS INTEGER)}], lambda vj: "
    "CASE WHEN (vj).t IS NULL OR (vj).o IS NULL THEN NULL ELSE vj END)[1]"
)
macro("t_time_local(x) AS CAST((x).t AS TIME)")
macro(
    "t_time_instant(x) AS ((epoch_us(t_time_local(x)) - CAST((x).o AS BIGINT) * 60000000) % 86400000000 + 86400000000) "
    "% 86400000000"
)
macro("t_time_plus(x, ms) AS t_us_time(epoch_us(x) + (ms % 86400000) * 1000)")
macro("t_time_zoned_plus(x, ms) AS t_time_zoned(t_time_plus(t_time_local(x), ms), (x).o)")
macro(
    "t_date_plus(x, ms) AS CASE WHEN ms % 86400000 <> 0 THEN "
    "CAST(fail('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date') AS DATE) ELSE x + "
    "CAST(ms // 86400000 AS INTEGER) END"
)

# -------------------------------------------------------------------------------------------------------- text
macro(
    "t_date_text(x) AS CASE WHEN x >= DATE '0001-01-01' THEN CAST(x AS VARCHAR) "
    "ELSE py_early_text(strftime(x, '%Y-%m-%d')) END"
)
# With six digits of the second, of which the compiler cuts off what the type does not show.
macro("t_moment_text(x) AS strftime(x, '%Y-%m-%d %H:%M:%S.%f')")
macro(
    "t_timestamp_text(x) AS CASE WHEN x >= TIMESTAMP '0001-01-01' THEN t_moment_text(x) "
    "ELSE py_early_text(t_moment_text(x)) END"
)
macro("t_time_text(x) AS strftime(make_timestamp(epoch_us(x)), '%H:%M:%S.%f')")


@udf("py_early_text", ["VARCHAR"], "VARCHAR")
def early_text(text: str) -> str:
    """A date before the year 1 with four digits of its year, which strftime does not fill up."""
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    year, _, rest = text.partition("-")
    return f"{sign}{year:0>4}-{rest}"


macro(
    "t_parse_date(x) AS CASE WHEN regexp_full_match(x, '\\d{4}-\\d{2}-\\d{2}') THEN TRY_CAST(x AS DATE) ELSE "
    "TRY_CAST(py_date(x) AS DATE) END"
)
macro(
    "t_parse_timestamp(x, p) AS CASE WHEN p >= 3 AND regexp_full_match(x, '\\d{4}-\\d{2}-\\d{2} "
    "\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?') "
    "THEN TRY_CAST(x AS TIMESTAMP) ELSE TRY_CAST(py_timestamp(x, p) AS TIMESTAMP) END"
)
macro("t_parse_time(x, p) AS TRY_CAST(py_time(x, p) AS TIME)")


@udf("py_date", ["VARCHAR"], "VARCHAR")
def date(text: str) -> str | None:
    """A date that is not written in the usual ten characters."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def _rounded(text: str, precision: int) -> tuple[str, str | None]:
    stamp, zone, digits = parse_timestamp(text)
    if digits > precision:
        day, _, clock = stamp.rpartition(" ")
        clock, midnight = _rounded_clock(clock, text, precision)
        stamp = f"{_day_after(day) if midnight else day} {clock}"
    return stamp, zone


def _rounded_clock(clock: str, text: str, precision: int) -> tuple[str, bool]:
    """The time of day of a text, to fewer digits of its second; whether that is the midnight after."""
    fraction = text.partition(".")[2]
    kept = int(fraction[:precision] or "0") + (fraction[precision] >= "5")
    hour, minute, second = (int(part) for part in clock[:8].split(":"))
    more, kept = divmod(kept, 10**precision)
    days, total = divmod(hour * 3600 + minute * 60 + second + more, 86400)
    shown = f"{kept:0{precision}d}" if precision else ""
    return f"{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}.{shown:0<6}", days > 0


def _day_after(text: str) -> str:
    """The next day, as DuckDB reads it, of any year: the calendar is the same again after 400."""
    date, _, before = text.partition(" ")
    year, month, day = (int(part) for part in date.split("-"))
    cycles, rest = divmod(1 - year if before else year, 400)
    after = dt.date(rest + 400, month, day) + dt.timedelta(days=1)
    return parse_date(f"{after.year + (cycles - 1) * 400}-{after.month}-{after.day}")


@udf("py_timestamp", ["VARCHAR", "INTEGER"], "VARCHAR")
def timestamp(text: str, precision: int) -> str | None:
    """A timestamp as DuckDB reads it; a zone is left out."""
    try:
        return _rounded(text, precision)[0]
    except ValueError:
        return None


@udf("py_time", ["VARCHAR", "INTEGER"], "VARCHAR")
def time(text: str, precision: int) -> str | None:
    """A time as DuckDB reads it; an offset is left out."""
    try:
        return _rounded_time(text, precision)[0]
    except ValueError:
        return None


def _rounded_time(text: str, precision: int) -> tuple[str, int | None]:
    stamp, offset, digits = parse_time(text)
    return (_rounded_clock(stamp, text, precision)[0] if digits > precision else stamp), offset


@udf("py_zoned_text", ["VARCHAR", "INTEGER"], "VARCHAR")
def zoned_text(text: str, precision: int) -> str | None:
    """Timestamp and zone of a text, with a bar between."""
    try:
        stamp, zone = _rounded(text, precision)
    except ValueError:
        return None
    return f"{stamp}|{zone or 'UTC'}"


#: What a Python function gives for a timestamp with time zone.
ZONED = "STRUCT(u TIMESTAMP, z VARCHAR)"
Zoned = dict[str, dt.datetime | str]
# The calendar is the same again after so many days, which are 400 years.
_CYCLE = dt.timedelta(days=146_097)


def zoned(local: dt.datetime, zone: str) -> Zoned:
    """A local time with its zone as it is held: the instant in UTC, and the zone."""
    if zone == "UTC":
        return {"u": local, "z": zone}
    try:
        return {"u": to_utc(local, zone), "z": zone}
    except OverflowError:
        later = local.year == dt.MINYEAR
        instant = to_utc(local + _CYCLE if later else local - _CYCLE, zone)
        year = instant.year + (-400 if later else 400)
        day = f"{year:04d}-{instant:%m-%d}" if year > 0 else f"{1 - year:04d}-{instant:%m-%d} (BC)"
        return {"u": f"{day} {instant:%H:%M:%S.%f}", "z": zone}


macro(
    "t_split_zoned(x) AS list_transform([x], lambda vi: "
    "t_zoned(TRY_CAST(split_part(vi, '|', 1) AS TIMESTAMP), split_part(vi, '|', 2)))[1]"
)
macro("t_parse_zoned(x, p) AS t_split_zoned(py_zoned_text(x, p))")


@udf("py_time_zoned_text", ["VARCHAR", "INTEGER"], "VARCHAR")
def time_zoned_text(text: str, precision: int) -> str | None:
    """Time and offset of a text, with a bar between."""
    try:
        stamp, offset = _rounded_time(text, precision)
    except ValueError:
        return None
    return f"{stamp}|{offset or 0}"


macro(
    "t_split_time_zoned(x) AS t_time_zoned(CAST(split_part(x, '|', 1) AS TIME), CAST(split_part(x, '|', 2) AS INTEGER))"
)
macro("t_parse_time_zoned(x, p) AS t_split_time_zoned(py_time_zoned_text(x, p))")


@udf("py_zone", ["VARCHAR"], "VARCHAR")
def zone(text: str) -> str:
    """A zone's name as Trino writes it."""
    try:
        return zone_name(text)
    except ValueError:
        message = f"INVALID_FUNCTION_ARGUMENT: '{text}' is not a valid time zone"
        raise Failure(message) from None


@udf("py_to_local", ["TIMESTAMP", "VARCHAR"], "TIMESTAMP")
def to_local(moment: dt.datetime, zone_text: str) -> dt.datetime:
    """The local time of an instant, by the zone's rules at any time in the past."""
    return moment.replace(tzinfo=dt.UTC).astimezone(zone_info(zone_text)).replace(tzinfo=None)


@udf("py_to_utc", ["TIMESTAMP", "VARCHAR"], "TIMESTAMP")
def to_utc(moment: dt.datetime, zone_text: str) -> dt.datetime:
    """The instant of a local time; in a gap the clock's jump is added, in an overlap the earlier instant is taken."""
    return moment.replace(tzinfo=zone_info(zone_text), fold=0).astimezone(dt.UTC).replace(tzinfo=None)
