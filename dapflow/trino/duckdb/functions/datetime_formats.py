"""Patterns of dates: MySQL's (date_format, date_parse) and Joda's (format_datetime, parse_datetime)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, TypeVar

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.moments import ZONED, Zoned, zoned
from dapflow.trino.duckdb.functions.registry import lowering, udf
from dapflow.trino.duckdb.storage import literal
from dapflow.trino.duckdb.values import let
from dapflow.trino.moments import zone_name
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import Call

Read = TypeVar("Read")

#: MySQL's letters with those of DuckDB's strftime.
_MYSQL = {
    "a": "%a",
    "b": "%b",
    "c": "%-m",
    "d": "%d",
    "e": "%-d",
    "f": "%f",
    "H": "%H",
    "h": "%I",
    "I": "%I",
    "i": "%M",
    "j": "%j",
    "k": "%-H",
    "l": "%-I",
    "M": "%B",
    "m": "%m",
    "p": "%p",
    "r": "%I:%M:%S %p",
    "S": "%S",
    "s": "%S",
    "T": "%H:%M:%S",
    "v": "%V",
    "W": "%A",
    "x": "%G",
    "Y": "%Y",
    "y": "%y",
    "%": "%%",
}
_MYSQL_REFUSED = frozenset("DUuVwX")


@udf("py_mysql_format", ["VARCHAR"], "VARCHAR")
@lru_cache(maxsize=1024)
def mysql_format(pattern: str) -> str:
    """A pattern of date_format as one of strftime."""
    found, at = "", 0
    while at < len(pattern):
        character = pattern[at]
        if character == "%" and at + 1 < len(pattern):
            at += 1
            letter = pattern[at]
            if letter in _MYSQL_REFUSED:
                raise Failure(f"INVALID_FUNCTION_ARGUMENT: %{letter} not supported in date format string")
            found += _MYSQL.get(letter, letter)
        elif character == "%":
            raise Failure("INVALID_FUNCTION_ARGUMENT: Invalid date format: " + pattern)
        else:
            found += character
        at += 1
    return found


def _local(call: Call) -> str:
    """The argument's local time, rounded to milliseconds as Joda sees it."""
    t, x = call.args[0].type, call.args[0].sql
    return _as_joda_sees(f"t_local({x})" if t.base == "timestamp_tz" else x, t)


def _as_joda_sees(local: str, t: Type) -> str:
    return f"t_round_timestamp({local}, 1000)" if t.precision > 3 else local


def _checked(call: Call, convert: Callable[[str], Read]) -> Read:
    """A literal pattern, read while the query is compiled."""
    try:
        return convert(call.args[1].const)
    except Failure as failure:
        name, _, message = str(failure).partition(": ")
        call.unit.fail(name, call.node.pos, message)


def _date_format(call: Call) -> str:
    if not isinstance(call.args[1].const, str):
        return f"py_strftime({_local(call)}, py_mysql_format({call.args[1].sql}))"
    pattern = _checked(call, mysql_format)
    if not pattern:
        return f"left(CAST({call.args[0].sql} AS VARCHAR), 0)"
    return f"strftime({_local(call)}, {literal(pattern)})"


@udf("py_strftime", ["TIMESTAMP", "VARCHAR"], "VARCHAR")
def strftime(moment: dt.datetime, pattern: str) -> str:
    """What DuckDB's strftime gives, which takes no pattern from a column."""
    own = {"%%": "%%", "%Y": f"{moment.year:04d}", "%g": f"{moment.microsecond // 1000:03d}"}
    return moment.strftime(re.sub("%[%Yg]", lambda m: own[m[0]], pattern))


for _t in ("timestamp(p)", "timestamp(p) with time zone"):
    lowering(f"date_format({_t}, varchar(f))", _date_format)


# ---------------------------------------------------------------------------------------------------------- Joda
@lru_cache(maxsize=1024)
def joda_tokens(pattern: str) -> tuple[tuple[str, str], ...]:
    """A Joda pattern in runs of one letter and literal texts (kind '')."""
    found: list[tuple[str, str]] = []
    for m in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z']+)", pattern):
        if m[2]:
            if m[2] not in "GCYxwedDMyEahHkKmsSzZ":
                raise Failure(f"INVALID_FUNCTION_ARGUMENT: Illegal pattern component: {m[0]}")
            found.append((m[2], m[0]))
        elif m[3]:
            found.append(("", m[3]))
        else:
            found.append(("", "'" if m[1] == "" else m[1].replace("''", "'")))
    if pattern.count("'") % 2:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Illegal pattern component: {pattern}")
    return tuple(found)


def _number(sql: str, width: int) -> str:
    text = f"CAST({sql} AS VARCHAR)"
    return text if width <= 1 else f"lpad({text}, CAST(greatest({width}, length({text})) AS INTEGER), '0')"


def _joda_part(letter: str, run: str, x: str, offset: str, zone: str) -> str:
    width = len(run)
    if letter == "":
        return literal(run)
    if letter in "yYx":
        year = f"{'isoyear' if letter == 'x' else 'year'}({x})"
        return f"lpad(CAST({year} % 100 AS VARCHAR), 2, '0')" if width == 2 else _number(year, width)
    if letter in "ME" and width >= 3:
        name = {"M": ("%b", "%B"), "E": ("%a", "%A")}[letter][width >= 4]
        return f"strftime({x}, '{name}')"
    if letter == "E":
        return f"strftime({x}, '%a')"
    numbers = {
        "M": f"month({x})",
        "d": f"day({x})",
        "D": f"dayofyear({x})",
        "H": f"hour({x})",
        "m": f"minute({x})",
        "w": f"week({x})",
        "e": f"isodow({x})",
        "h": f"((hour({x}) + 11) % 12 + 1)",
        "K": f"(hour({x}) % 12)",
        "k": f"((hour({x}) + 23) % 24 + 1)",
        "s": f"((epoch_us({x}) % 60000000 + 60000000) % 60000000 // 1000000)",
        "C": f"(year({x}) // 100)",
    }
    if letter in numbers:
        return _number(numbers[letter], width)
    if letter == "S":
        return f"rpad(left(strftime({x}, '%g'), {width}), {width}, '0')"
    if letter == "a":
        return f"strftime({x}, '%p')"
    if letter == "G":
        return "'AD'"
    if letter == "Z" and width < 3:
        text = f"t_offset_text({offset})"
        return text if width == 2 else f"replace({text}, ':', '')"
    return zone


def _format_joda(call: Call) -> str:
    if not isinstance(call.args[1].const, str):
        return f"py_strftime({_local(call)}, py_joda_format({call.args[1].sql}))"
    tokens = _checked(call, joda_tokens)
    if not tokens:
        return "''"
    t = call.args[0].type
    if t.base != "timestamp_tz":
        return let(_local(call), lambda x: _joda_text(tokens, x, "0", "'UTC'"))

    def zoned_text(zoned: str, local: str) -> str:
        offset, zone = f"t_offset_at({zoned}, {local})", f"({zoned}).z"
        return let(_as_joda_sees(local, t), lambda x: _joda_text(tokens, x, offset, zone))

    return let(call.args[0].sql, lambda zoned: let(f"t_local({zoned})", lambda local: zoned_text(zoned, local)))


def _joda_text(tokens: tuple[tuple[str, str], ...], x: str, offset: str, zone: str) -> str:
    """Common parts that stand together by one strftime, others one by one."""
    parts = []
    for common, run in groupby(tokens, _common):
        if common:
            parts.append(f"strftime({x}, {literal(''.join(map(_as_strftime, run)))})")
        else:
            parts += [_joda_part(letter, text, x, offset, zone) for letter, text in run]
    return f"({' || '.join(parts)})"


_STRFTIME = {
    "yyyy": "%Y",
    "YYYY": "%Y",
    "MM": "%m",
    "dd": "%d",
    "HH": "%H",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%g",
    "yy": "%y",
    "EEE": "%a",
    "EEEE": "%A",
    "MMM": "%b",
    "MMMM": "%B",
    "hh": "%I",
    "a": "%p",
    "M": "%-m",
    "d": "%-d",
    "H": "%-H",
    "h": "%-I",
}


def _common(token: tuple[str, str]) -> bool:
    return not token[0] or token[1] in _STRFTIME


def _as_strftime(token: tuple[str, str]) -> str:
    letter, run = token
    return _STRFTIME[run] if letter else run.replace("%", "%%")


@udf("py_joda_format", ["VARCHAR"], "VARCHAR")
@lru_cache(maxsize=1024)
def joda_format(pattern: str) -> str:
    """A pattern of format_datetime, from a column, as one of strftime."""
    tokens = joda_tokens(pattern)
    if not all(map(_common, tokens)):
        raise Failure(f"NOT_SUPPORTED: format_datetime with the pattern {pattern} from a column is not supported")
    return "".join(map(_as_strftime, tokens))


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
_MONTH_PATTERN = "|".join([*_MONTH_NAMES, *(n[:3] for n in _MONTH_NAMES)])
_DAY_PATTERN = "|".join([*_DAY_NAMES, *(n[:3] for n in _DAY_NAMES)])
# Joda reads from left to right, as many digits as there may be, and never goes back.
_MYSQL_SHAPES = {
    "Y": r"(?P<Y>[+-]?\d{1,4}+)",
    "y": r"(?P<y2>\d{2})",
    "m": r"(?P<M>\d{1,2}+)",
    "c": r"(?P<M>\d{1,2}+)",
    "d": r"(?P<d>\d{1,2}+)",
    "e": r"(?P<d>\d{1,2}+)",
    "H": r"(?P<H>\d{1,2}+)",
    "k": r"(?P<H>\d{1,2}+)",
    "h": r"(?P<h>\d{1,2}+)",
    "I": r"(?P<h>\d{1,2}+)",
    "l": r"(?P<h>\d{1,2}+)",
    "i": r"(?P<m>\d{1,2}+)",
    "s": r"(?P<s>\d{1,2}+)",
    "S": r"(?P<s>\d{1,2}+)",
    "f": r"(?P<f>\d{1,9}+)",
    "p": r"(?P<a>am|pm)",
    "j": r"(?P<D>\d{1,3}+)",
    "T": r"(?P<H>\d{1,2}+):(?P<m>\d{1,2}+):(?P<s>\d{1,2}+)",
    "r": r"(?P<h>\d{1,2}+):(?P<m>\d{1,2}+):(?P<s>\d{1,2}+) "
    r"(?P<a>am|pm)",
    "b": rf"(?P<N>(?>{_MONTH_PATTERN}))",
    "M": rf"(?P<N>(?>{_MONTH_PATTERN}))",
    "a": rf"(?P<E>(?>{_DAY_PATTERN}))",
    "W": rf"(?P<E>(?>{_DAY_PATTERN}))",
    "x": r"(?P<x>\d{1,4}+)",
    "v": r"(?P<w>\d{1,2}+)",
    "%": "%",
}


def _compiled(parts: list[str]) -> re.Pattern[str]:
    """The parts as one pattern; a group that comes again is not captured again."""
    seen: set[str] = set()

    def once(m: re.Match[str]) -> str:
        if m[1] in seen:
            return "(?:"
        seen.add(m[1])
        return m[0]

    return re.compile(re.sub(r"\(\?P<(\w+)>", once, "".join(parts)), re.IGNORECASE | re.ASCII)


@lru_cache(maxsize=1024)
def mysql_shape(pattern: str) -> re.Pattern[str]:
    """A pattern of date_parse as a regular expression."""
    parts, at = [], 0
    while at < len(pattern):
        if pattern[at] == "%" and at + 1 < len(pattern):
            at += 1
            letter = pattern[at]
            if letter in _MYSQL_REFUSED:
                raise Failure(f"INVALID_FUNCTION_ARGUMENT: %{letter} not supported in date format string")
            parts.append(_MYSQL_SHAPES.get(letter, re.escape(letter)))
        else:
            parts.append(re.escape(pattern[at]))
        at += 1
    return _compiled(parts)


@lru_cache(maxsize=1024)
def joda_shape(pattern: str) -> re.Pattern[str]:
    """A pattern of parse_datetime as a regular expression."""
    parts = []
    tokens = joda_tokens(pattern)
    for i, (letter, run) in enumerate(tokens):
        width = len(run)
        beside = i + 1 < len(tokens) and tokens[i + 1][0] in set("yYMdDHhkKmsSxwe") and len(tokens[i + 1][1]) < 3
        if letter == "":
            parts.append(re.escape(run))
        elif letter in "yY":
            group = "Y" if width != 2 else "y2"
            parts.append(rf"(?P<{group}>\d{{{width}}})" if beside or width == 2 else r"(?P<Y>[+-]?\d{1,9})")
        elif letter == "S":
            parts.append(rf"(?P<f>\d{{1,{max(width, 1)}}})")
        elif letter in "ME" and width >= 3:
            parts.append(rf"(?P<{'N' if letter == 'M' else 'E'}>{_MONTH_PATTERN if letter == 'M' else _DAY_PATTERN})")
        elif letter == "E":
            parts.append(rf"(?P<E>{_DAY_PATTERN})")
        elif letter == "a":
            parts.append("(?P<a>am|pm)")
        elif letter == "G":
            parts.append("(?:AD|CE)")
        elif letter in "zZ":
            parts.append(r"(?P<Z>Z|[+-]\d{2}:?\d{2}|[A-Za-z][\w/+-]*)")
        else:
            group = {
                "M": "M",
                "d": "d",
                "D": "D",
                "H": "H",
                "h": "h",
                "k": "k",
                "K": "K",
                "m": "m",
                "s": "s",
                "x": "x",
                "w": "w",
                "e": "e",
                "C": "C",
            }[letter]
            limit = 3 if letter == "D" else 4 if letter == "x" else 2
            parts.append(rf"(?P<{group}>\d{{{width if beside else 1},{max(limit, width)}}})")
    return _compiled(parts)


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
def _parse(text: str, shape: re.Pattern[str]) -> tuple[dt.datetime, str | None]:
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


@udf("py_date_parse", ["VARCHAR", "VARCHAR"], "TIMESTAMP")
def date_parse(text: str, pattern: str) -> dt.datetime:
    """A timestamp by a pattern of MySQL."""
    return _parse(text, mysql_shape(pattern))[0]


@udf("py_parse_datetime", ["VARCHAR", "VARCHAR"], ZONED)
def parse_datetime(text: str, pattern: str) -> Zoned:
    """A timestamp by a pattern of Joda."""
    moment, zone = _parse(text, joda_shape(pattern))
    try:
        named = zone_name(zone) if zone else "UTC"
    except ValueError:
        message = f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}" is malformed at "{zone}"'
        raise Failure(message) from None
    return zoned(moment, named)


def _native(call: Call, shapes: dict[str, tuple[str, str]], runs: list[str], *, letters: bool) -> str | None:
    """Parsing by DuckDB itself, for patterns of plain numbers; `letters` may stand in the pattern for themselves.

    A number may lack its leading zero unless it touches another number.
    """
    if not {"%Y", "yyyy"} & set(runs):
        return None  # DuckDB takes 1900 for a year that is not there, Trino 1970
    shape, form = "", ""
    for i, run in enumerate(runs):
        if run in shapes:
            digits, one = shapes[run]
            touched = any(0 <= j < len(runs) and runs[j] in shapes for j in (i - 1, i + 1))
            shape += digits if touched else digits.replace(r"\d{2}", r"\d{1,2}")
            form += one
        elif "%" in run or (run[:1].isalpha() and not letters):
            return None
        else:
            shape += re.escape(run)
            form += run
    x = call.args[0].sql
    return f"CASE WHEN regexp_full_match({x}, {literal(shape)}) THEN try_strptime({x}, {literal(form)}) END"


_MYSQL_NATIVE = {
    "%Y": (r"\d{4}", "%Y"),
    "%m": (r"\d{2}", "%m"),
    "%d": (r"\d{2}", "%d"),
    "%H": (r"\d{2}", "%H"),
    "%i": (r"\d{2}", "%M"),
    "%s": (r"\d{2}", "%S"),
    "%S": (r"\d{2}", "%S"),
    "%T": (r"\d{2}:\d{2}:\d{2}", "%H:%M:%S"),
    "%c": (r"\d{2}", "%m"),
    "%e": (r"\d{2}", "%d"),
}
_JODA_NATIVE = {
    "yyyy": (r"\d{4}", "%Y"),
    "MM": (r"\d{2}", "%m"),
    "dd": (r"\d{2}", "%d"),
    "HH": (r"\d{2}", "%H"),
    "mm": (r"\d{2}", "%M"),
    "ss": (r"\d{2}", "%S"),
    "SSS": (r"\d{3}", "%g"),
}


def _date_parse(call: Call) -> str:
    slow = f"py_date_parse({call.args[0].sql}, {call.args[1].sql})"
    pattern = call.args[1].const
    if not isinstance(pattern, str):
        return slow
    native = _native(call, _MYSQL_NATIVE, re.findall(r"%.|[^%]+", pattern), letters=True)
    return f"coalesce({native}, {slow})" if native else slow


def _parse_datetime(call: Call) -> str:
    slow = f"py_parse_datetime({call.args[0].sql}, {call.args[1].sql})"
    pattern = call.args[1].const
    if not isinstance(pattern, str) or not pattern.isascii() or "'" in pattern:
        return slow
    runs = [m[0] for m in re.finditer(r"([A-Za-z])\1*|[^A-Za-z]+", pattern)]
    native = _native(call, _JODA_NATIVE, runs, letters=False)
    return f"coalesce(t_zone_struct({native}, 'UTC'), {slow})" if native else slow


lowering("date_parse(varchar(x), varchar(f))", _date_parse)
lowering("parse_datetime(varchar(x), varchar(f))", _parse_datetime)
for _t in ("timestamp(p)", "timestamp(p) with time zone"):
    lowering(f"format_datetime({_t}, varchar(f))", _format_joda)
