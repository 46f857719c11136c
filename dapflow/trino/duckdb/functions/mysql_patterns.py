"""Patterns of MySQL: date_format and date_parse."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.date_patterns import DAYS, MONTHS, checked, compiled, joda_local_time, native, parse
from dapflow.trino.duckdb.functions.registry import lowering, udf
from dapflow.trino.duckdb.nodes import Sql, Text, sql
from dapflow.trino.duckdb.resolution import CallTemplate, fill

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

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
    form, at = "", 0
    while at < len(pattern):
        character = pattern[at]
        if character == "%" and at + 1 < len(pattern):
            at += 1
            letter = pattern[at]
            if letter in _MYSQL_REFUSED:
                raise Failure(f"INVALID_FUNCTION_ARGUMENT: %{letter} not supported in date format string")
            form += _MYSQL.get(letter, letter)
        elif character == "%":
            raise Failure("INVALID_FUNCTION_ARGUMENT: Invalid date format: " + pattern)
        else:
            form += character
        at += 1
    return form


def _date_format(call: LoweredCall) -> Sql:
    if not isinstance(call.args[1].const, str):
        return fill("py_strftime($local, py_mysql_format($2))", call, local=joda_local_time(call))
    pattern = checked(call, mysql_format)
    if not pattern:
        return fill("left(CAST($1 AS VARCHAR), 0)", call)
    return sql("strftime($local, $pattern)", local=joda_local_time(call), pattern=Text(pattern))


for _t in ("timestamp(p)", "timestamp(p) with time zone"):
    lowering(f"date_format({_t}, varchar(f))", _date_format)


# ------------------------------------------------------------------------------------------------------- parsing
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
    "b": rf"(?P<N>(?>{MONTHS}))",
    "M": rf"(?P<N>(?>{MONTHS}))",
    "a": rf"(?P<E>(?>{DAYS}))",
    "W": rf"(?P<E>(?>{DAYS}))",
    "x": r"(?P<x>\d{1,4}+)",
    "v": r"(?P<w>\d{1,2}+)",
    "%": "%",
}


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
    return compiled(parts)


@udf("py_date_parse", ["VARCHAR", "VARCHAR"], "TIMESTAMP", or_null="py_date_parse_or_null")
def date_parse(text: str, pattern: str) -> dt.datetime:
    """A timestamp by a pattern of MySQL."""
    return parse(text, mysql_shape(pattern))[0]


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


def _date_parse(template: str) -> CallTemplate:
    """DuckDB's own parsing where the pattern is a literal that it knows, and else the template."""

    def parsed(call: LoweredCall) -> Sql:
        pattern, native_value = call.args[1].const, None
        if isinstance(pattern, str):
            native_value = native(call.args[0].sql, _MYSQL_NATIVE, re.findall(r"%.|[^%]+", pattern), letters=True)
        other = fill(template, call)
        return other if native_value is None else sql("coalesce($native, $other)", native=native_value, other=other)

    return parsed


lowering(
    "date_parse(varchar(x), varchar(f))",
    _date_parse("py_date_parse($1, $2)"),
    attempt=_date_parse("py_date_parse_or_null($1, $2)"),
)
