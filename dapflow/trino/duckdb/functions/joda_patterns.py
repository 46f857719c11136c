"""Patterns of Joda: format_datetime and parse_datetime."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.date_patterns import (
    DAYS,
    MONTHS,
    checked,
    compiled,
    in_milliseconds,
    joda_local_time,
    native,
    parse,
)
from dapflow.trino.duckdb.functions.moments import ZONED, Zoned, zoned
from dapflow.trino.duckdb.functions.registry import lowering, udf
from dapflow.trino.duckdb.nodes import Sql, Text, joined, sql
from dapflow.trino.duckdb.resolution import CallTemplate, fill
from dapflow.trino.duckdb.values import let
from dapflow.trino.moments import zone_name

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

#: A run of one letter, or a literal text with the letter "".
Token = tuple[str, str]


@lru_cache(maxsize=1024)
def joda_tokens(pattern: str) -> tuple[Token, ...]:
    """A Joda pattern in runs of one letter and literal texts (kind '')."""
    tokens: list[Token] = []
    for m in re.finditer(r"'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z']+)", pattern):
        if m[2]:
            if m[2] not in "GCYxwedDMyEahHkKmsSzZ":
                raise Failure(f"INVALID_FUNCTION_ARGUMENT: Illegal pattern component: {m[0]}")
            tokens.append((m[2], m[0]))
        elif m[3]:
            tokens.append(("", m[3]))
        else:
            tokens.append(("", "'" if m[1] == "" else m[1].replace("''", "'")))
    if pattern.count("'") % 2:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Illegal pattern component: {pattern}")
    return tuple(tokens)


# ---------------------------------------------------------------------------------------------------- formatting
#: Numbers by their letter.
_NUMBERS = {
    "y": "year($x)",
    "Y": "year($x)",
    "x": "isoyear($x)",
    "M": "month($x)",
    "d": "day($x)",
    "D": "dayofyear($x)",
    "H": "hour($x)",
    "m": "minute($x)",
    "w": "week($x)",
    "e": "isodow($x)",
    "h": "((hour($x) + 11) % 12 + 1)",
    "K": "(hour($x) % 12)",
    "k": "((hour($x) + 23) % 24 + 1)",
    "s": "((epoch_us($x) % 60000000 + 60000000) % 60000000 // 1000000)",
    "C": "(year($x) // 100)",
}


def _number(number: Sql, width: int) -> Sql:
    if width <= 1:
        return sql("CAST($number AS VARCHAR)", number=number)
    return sql(
        "lpad(CAST($number AS VARCHAR), CAST(greatest($width, length(CAST($number AS VARCHAR))) AS INTEGER), '0')",
        number=number,
        width=width,
    )


def _part(token: Token, x: Sql, offset: Sql, zone: Sql) -> Sql:
    letter, run = token
    width = len(run)
    if letter == "":
        return Text(run)
    if letter in "yYx" and width == 2:
        return sql("lpad(CAST($year % 100 AS VARCHAR), 2, '0')", year=sql(_NUMBERS[letter], x=x))
    if letter == "E" or (letter == "M" and width >= 3):
        name = {"M": ("%b", "%B"), "E": ("%a", "%A")}[letter][width >= 4]
        return sql("strftime($x, $name)", x=x, name=Text(name))
    if letter in _NUMBERS:
        return _number(sql(_NUMBERS[letter], x=x), width)
    if letter == "S":
        return sql("rpad(left(strftime($x, '%g'), $width), $width, '0')", x=x, width=width)
    if letter == "a":
        return sql("strftime($x, '%p')", x=x)
    if letter == "G":
        return Text("AD")
    if letter == "Z" and width < 3:
        text = sql("t_offset_text($offset)", offset=offset)
        return text if width == 2 else sql("replace($text, ':', '')", text=text)
    return zone


def _format(call: LoweredCall) -> Sql:
    if not isinstance(call.args[1].const, str):
        return fill("py_strftime($local, py_joda_format($2))", call, local=joda_local_time(call))
    tokens = checked(call, joda_tokens)
    if not tokens:
        return Text("")
    t = call.args[0].type
    if t.base != "timestamp_tz":
        return let(joda_local_time(call), lambda x: _text(tokens, x, sql("0"), Text("UTC")))

    def zoned_text(x: Sql, shown: Sql) -> Sql:
        offset, zone = sql("t_offset_at($x, $shown)", x=x, shown=shown), sql("($x).z", x=x)
        return let(in_milliseconds(shown, t), lambda rounded: _text(tokens, rounded, offset, zone))

    return let(call.args[0].sql, lambda x: let(sql("t_local($x)", x=x), lambda shown: zoned_text(x, shown)))


def _text(tokens: tuple[Token, ...], x: Sql, offset: Sql, zone: Sql) -> Sql:
    """Common parts that stand together by one strftime, others one by one."""
    parts: list[Sql] = []
    for common, run in groupby(tokens, _common):
        if common:
            parts.append(sql("strftime($x, $form)", x=x, form=Text("".join(map(_as_strftime, run)))))
        else:
            parts += [_part(token, x, offset, zone) for token in run]
    return sql("($parts)", parts=joined(" || ", parts))


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


def _common(token: Token) -> bool:
    return not token[0] or token[1] in _STRFTIME


def _as_strftime(token: Token) -> str:
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


for _t in ("timestamp(p)", "timestamp(p) with time zone"):
    lowering(f"format_datetime({_t}, varchar(f))", _format)


# ------------------------------------------------------------------------------------------------------- parsing
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
            parts.append(rf"(?P<{'N' if letter == 'M' else 'E'}>{MONTHS if letter == 'M' else DAYS})")
        elif letter == "E":
            parts.append(rf"(?P<E>{DAYS})")
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
    return compiled(parts)


@udf("py_parse_datetime", ["VARCHAR", "VARCHAR"], ZONED, or_null="py_parse_datetime_or_null")
def parse_datetime(text: str, pattern: str) -> Zoned:
    """A timestamp by a pattern of Joda."""
    moment, zone = parse(text, joda_shape(pattern))
    try:
        named = zone_name(zone) if zone else "UTC"
    except ValueError:
        message = f'INVALID_FUNCTION_ARGUMENT: Invalid format: "{text}" is malformed at "{zone}"'
        raise Failure(message) from None
    return zoned(moment, named)


_JODA_NATIVE = {
    "yyyy": (r"\d{4}", "%Y"),
    "MM": (r"\d{2}", "%m"),
    "dd": (r"\d{2}", "%d"),
    "HH": (r"\d{2}", "%H"),
    "mm": (r"\d{2}", "%M"),
    "ss": (r"\d{2}", "%S"),
    "SSS": (r"\d{3}", "%g"),
}


def _parse_datetime(template: str) -> CallTemplate:
    """DuckDB's own parsing where the pattern is a literal that it knows, and else the template."""

    def parsed(call: LoweredCall) -> Sql:
        pattern, native_value = call.args[1].const, None
        if isinstance(pattern, str) and pattern.isascii() and "'" not in pattern:
            runs = [m[0] for m in re.finditer(r"([A-Za-z])\1*|[^A-Za-z]+", pattern)]
            native_value = native(call.args[0].sql, _JODA_NATIVE, runs, letters=False)
        other = fill(template, call)
        if native_value is None:
            return other
        return sql("coalesce(t_zone_struct($native, 'UTC'), $other)", native=native_value, other=other)

    return parsed


lowering(
    "parse_datetime(varchar(x), varchar(f))",
    _parse_datetime("py_parse_datetime($1, $2)"),
    attempt=_parse_datetime("py_parse_datetime_or_null($1, $2)"),
)
