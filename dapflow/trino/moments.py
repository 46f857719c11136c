"""Reading dates, times and zones as Trino reads them."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_DATE = re.compile(r"\s*([+-]?\d+)-(\d{1,2})-(\d{1,2})\s*")
_TIMESTAMP = re.compile(
    r"\s*([+-]?\d+)-(\d{1,2})-(\d{1,2})(?:[ ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?)?(?:\s*(\S.*?))?\s*",
    re.DOTALL,
)
_TIME = re.compile(r"\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,12}))?)?\s*(?:([+-])(\d\d):(\d\d))?\s*")
_OFFSET = re.compile(r"([+-])(\d{1,2}):?(\d\d)?")


def _days(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def _date_text(year: int, month: int, day: int) -> str:
    if not (1 <= month <= 12 and 1 <= day <= _days(year, month)):
        raise ValueError("no such day")
    if year < 1:
        return f"{1 - year:04d}-{month:02d}-{day:02d} (BC)"
    return f"{year:04d}-{month:02d}-{day:02d}"


def parse_date(text: str) -> str:
    """A date as DuckDB reads it; ValueError if it is none."""
    m = _DATE.fullmatch(text)
    if not m:
        raise ValueError(text)
    return _date_text(int(m[1]), int(m[2]), int(m[3]))


def parse_timestamp(text: str) -> tuple[str, str | None, int]:
    """Date and time as DuckDB reads them, zone, and digits of the fraction."""
    m = _TIMESTAMP.fullmatch(text)
    if not m:
        raise ValueError(text)
    fraction = m[7] or ""
    hour, minute, second = int(m[4] or 0), int(m[5] or 0), int(m[6] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(text)
    zone = zone_name(m[8]) if m[8] else None
    day = _date_text(int(m[1]), int(m[2]), int(m[3]))
    day, _, era = day.partition(" ")
    stamp = f"{day}{' ' + era if era else ''} {hour:02d}:{minute:02d}:{second:02d}.{fraction[:6]:0<6}"
    return stamp, zone, len(fraction)


def parse_time(text: str) -> tuple[str, int | None, int]:
    """Time as DuckDB reads it, offset in minutes, and digits of the fraction."""
    m = _TIME.fullmatch(text)
    if not m:
        raise ValueError(text)
    hour, minute, second = int(m[1]), int(m[2]), int(m[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(text)
    offset = None
    if m[5]:
        offset = (int(m[6]) * 60 + int(m[7])) * (-1 if m[5] == "-" else 1)
        if abs(offset) > 840:
            raise ValueError(text)
    fraction = m[4] or ""
    return f"{hour:02d}:{minute:02d}:{second:02d}.{fraction[:6]:0<6}", offset, len(fraction)


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@lru_cache(maxsize=1024)
def zone_name(text: str) -> str:
    """A zone as Trino writes it; ValueError if there is no such zone."""
    upper = text.upper()
    if upper in {
        "Z",
        "UTC",
        "GMT",
        "UT",
        "ETC/UTC",
        "ETC/GMT",
        "ETC/UCT",
        "UCT",
        "ZULU",
        "GMT0",
        "+00:00",
        "-00:00",
        "+00",
        "-00",
    }:
        return "UTC"
    m = _OFFSET.fullmatch(text if text[:1] in "+-" else re.sub(r"^(UTC|GMT|UT)", "", upper))
    if m:
        minutes = int(m[2]) * 60 + int(m[3] or 0)
        if minutes > 840 or int(m[3] or 0) > 59:
            raise ValueError(text)
        return "UTC" if minutes == 0 else f"{m[1]}{minutes // 60:02d}:{minutes % 60:02d}"
    name = _zones().get(text.lower())
    if name is None:
        raise ValueError(text)
    return name


@lru_cache(maxsize=256)
def zone_info(name: str) -> dt.tzinfo:
    """A zone's rules."""
    m = _OFFSET.fullmatch(name)
    if m:
        minutes = (int(m[2]) * 60 + int(m[3] or 0)) * (-1 if m[1] == "-" else 1)
        return dt.timezone(dt.timedelta(minutes=minutes))
    return dt.UTC if name == "UTC" else ZoneInfo(name)
