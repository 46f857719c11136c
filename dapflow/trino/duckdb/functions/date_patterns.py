"""What patterns of dates have in common: the moments that they show, and how texts are read by them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import udf
from dapflow.trino.duckdb.nodes import Sql, Text, sql
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

Read = TypeVar("Read")


def checked(call: LoweredCall, convert: Callable[[str], Read]) -> Read:
    """A literal pattern, read while the query is compiled."""
    try:
        return convert(call.args[1].const)
    except Failure as failure:
        name, _, message = str(failure).partition(": ")
        call.fail(name, message)


# ---------------------------------------------------------------------------------------------------- formatting
def joda_local_time(call: LoweredCall) -> Sql:
    """The first argument's local time, rounded to milliseconds as Joda sees it."""
    t, x = call.args[0].type, call.args[0].sql
    return in_milliseconds(sql("t_local($x)", x=x) if t.base == "timestamp_tz" else x, t)


def in_milliseconds(moment: Sql, t: Type) -> Sql:
    """A local time, rounded to milliseconds if its type has more."""
    return sql("t_round_timestamp($moment, 1000)", moment=moment) if t.precision > 3 else moment


@udf("py_strftime", ["TIMESTAMP", "VARCHAR"], "VARCHAR")
def strftime(moment: dt.datetime, pattern: str) -> str:
    """What DuckDB's strftime gives, which takes no pattern from a column."""
    own = {"%%": "%%", "%Y": f"{moment.year:04d}", "%g": f"{moment.microsecond // 1000:03d}"}
    return moment.strftime(re.sub("%[%Yg]", lambda m: own[m[0]], pattern))


# ------------------------------------------------------------------------------------------------------- parsing
_MONTH_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Names of months and of days of the week, in full or by three letters.
MONTHS = "|".join([*_MONTH_NAMES, *(n[:3] for n in _MONTH_NAMES)])
DAYS = "|".join([*_DAY_NAMES, *(n[:3] for n in _DAY_NAMES)])


def compiled(parts: list[str]) -> re.Pattern[str]:
    """The parts of a pattern as one regular expression; a group that comes again is not captured again."""
    seen: set[str] = set()

    def once(m: re.Match[str]) -> str:
        if m[1] in seen:
            return "(?:"
        seen.add(m[1])
        return m[0]

    return re.compile(re.sub(r"\(\?P<(\w+)>", once, "".join(parts)), re.IGNORECASE | re.ASCII)


def _moment(m: re.Match[str]) -> dt.datetime:
    got = {k: v for k, v in m.groupdict().items() if v is not None}
    # A month or a day without a year is one of 2000 (DateTimeFormatter.getDefaultYear), a time alone one of 1970.
    year = int(got["Y"]) if "Y" in got else 2000 if got.keys() & set("MNdDwE") else 1970
    if "y2" in got:
        year = int(got["y2"]) + (2000 if int(got["y2"]) < 70 else 1900)
    month = int(got.get("M", 1))
    if "N" in got:
        month = next(i for i, n in enumerate(_MONTH_NAMES, 1) if n[:3] == got["N"].lower()[:3])
    hour = int(got.get("H", 0))
    if "k" in got:
        hour = int(got["k"]) % 24
    for name in ("h", "K"):
        if name in got:
            hour = int(got[name])
            if not (1 <= hour <= 12 if name == "h" else hour <= 11):
                raise ValueError(hour)
            hour = hour % 12 + (12 if got.get("a", "").lower() == "pm" else 0)
    fraction = int(f"{got.get('f', '0'):0<6}"[:6])
    clock = dt.time(hour, int(got.get("m", 0)), int(got.get("s", 0)), fraction // 1000 * 1000)
    if "D" in got:
        day = dt.date(year, 1, 1) + dt.timedelta(days=int(got["D"]) - 1)
        if day.year != year:
            raise ValueError(got["D"])
    elif "w" in got:
        day = dt.date.fromisocalendar(int(got.get("x", year)), int(got["w"]), int(got.get("e", 1)))
    else:
        day = dt.date(year, month, int(got.get("d", 1)))
    if "E" in got:  # which is set after the day, within its week
        weekday = next(i for i, name in enumerate(_DAY_NAMES) if name[:3] == got["E"].lower()[:3])
        day += dt.timedelta(days=weekday - day.weekday())
    return dt.datetime.combine(day, clock)


@lru_cache(maxsize=1 << 16)
def parse(text: str, shape: re.Pattern[str]) -> tuple[dt.datetime, str | None]:
    """The moment that a text shows, which has this shape, and the zone if it names one."""
    m = shape.fullmatch(text)
    if m is None:
        partial = shape.match(text)
        rest = f' is malformed at "{text[partial.end() :]}"' if partial else ""
        raise Failure(f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}"{rest}')
    try:
        return _moment(m), m.groupdict().get("Z")
    except (ValueError, OverflowError):
        message = f'INVALID_FUNCTION_ARGUMENT: Cannot parse "{text}": Value out of range'
        raise Failure(message) from None


def native(text: Sql, shapes: dict[str, tuple[str, str]], runs: Sequence[str], *, letters: bool) -> Sql | None:
    """Parsing by DuckDB itself, for patterns of plain numbers; `letters` may stand in the pattern for themselves.

    A number may lack its leading zero unless it touches another number. NULL where a text is not of this kind.
    """
    if not {"%Y", "yyyy"} & set(runs):
        return None  # DuckDB takes 1900 for a year that is not there, Trino 1970
    shape, form = "", ""
    for i, run in enumerate(runs):
        if run in shapes:
            digits, directive = shapes[run]
            touched = any(0 <= j < len(runs) and runs[j] in shapes for j in (i - 1, i + 1))
            shape += digits if touched else digits.replace(r"\d{2}", r"\d{1,2}")
            form += directive
        elif "%" in run or (run[:1].isalpha() and not letters):
            return None
        else:
            shape += re.escape(run)
            form += run
    return sql(
        "CASE WHEN regexp_full_match($text, $shape) THEN try_strptime($text, $form) END",
        text=text,
        shape=Text(shape),
        form=Text(form),
    )
