"""format(): Java's patterns; numbers in words of thousands; sizes of data."""

from __future__ import annotations

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conversions import text_sql
from dapflow.trino.duckdb.functions.casting import Failure
from dapflow.trino.duckdb.functions.registry import lowering, macro, udf
from dapflow.trino.duckdb.nodes import Sql, Text, joined, sql
from dapflow.trino.duckdb.resolution import fill
from dapflow.trino.duckdb.values import let
from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.resolution import LoweredCall

#: What arguments are, by their types: i(nteger), f(loat), d(ecimal), b(oolean), t(ime) or s(tring).
_KINDS = {
    **dict.fromkeys(INTEGERS, "i"),
    "boolean": "b",
    "varchar": "s",
    "char": "s",
    "date": "t",
    "timestamp": "t",
    "timestamp_tz": "t",
    "time": "s",
    "time_tz": "s",
    "json": "s",
    "decimal": "d",
    "real": "f",
    "double": "f",
    "unknown": "s",
    "uuid": "s",
    "ipaddress": "s",
}


@udf("py_java_time", ["VARCHAR"], "VARCHAR")
def java_time(text: str) -> str:
    """A date and time, or a time, as Java prints it."""
    text = text.replace(" ", "T")
    if "T" in text and len(text.lstrip("-").partition("-")[0]) > 4 and not text.startswith("-"):
        text = "+" + text
    whole, _, fraction = text.partition(".")
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    if not fraction:
        return whole.removesuffix(":00") if whole.count(":") == 2 else whole
    return f"{whole}.{fraction}"


# Local times before there were zones differ by seconds too.
macro("t_java_zone(x, local) AS py_java_zone((epoch_us(local) - epoch_us(t_instant(x))) // 1000000, (x).z)")


@udf("py_java_zone", ["BIGINT", "VARCHAR"], "VARCHAR")
def java_zone(seconds: int, zone: str) -> str:
    """An offset with its zone's name as Java prints them: `Z[UTC]`, `+05:45[Asia/Kathmandu]`, `+01:00`."""
    minutes, second = divmod(abs(seconds), 60)
    parts = (minutes // 60, minutes % 60, *([second] if second else []))
    offset = ("-" if seconds < 0 else "+") + ":".join(f"{part:02d}" for part in parts) if seconds else "Z"
    return offset if zone[0] in "+-" else f"{offset}[{zone}]"


def _moment(local: Sql, zone: Sql) -> Sql:
    """A timestamp as Java prints it, and after a separator with all its digits."""
    full = text_sql(local, Type("timestamp", precision=6))
    return let(full, lambda x: sql("(py_java_time($x) || $zone || '\x1f' || $x)", x=x, zone=zone))


def _piece(x: Sql, t: Type) -> Sql:
    """The text of an argument."""
    if t.base in {"double", "real"}:
        return sql("t_double_text($x)", x=x)
    if t.base == "time":
        return sql("py_java_time($text)", text=text_sql(x, Type("time", precision=6)))
    if t.base == "timestamp":
        return _moment(x, Text(""))
    if t.base == "timestamp_tz":
        local = sql("t_local($x)", x=x)
        return let(local, lambda local: _moment(local, sql("t_java_zone($x, $local)", x=x, local=local)))
    if t.base == "date":
        return sql("($text || '\x1f' || $text)", text=text_sql(x, t))
    return text_sql(x, t)


def _format(call: LoweredCall) -> Sql:
    pieces, kinds = [], ""
    for value in call.args[1:]:
        if value.type.base not in _KINDS:
            call.unsupported(f"format() of a value of type {value.type}")
        kinds += _KINDS[value.type.base]
        text = let(value.sql, lambda x, t=value.type: _piece(x, t))  # type: ignore[misc]
        pieces.append(sql("CAST($text AS VARCHAR)", text=text))
    return fill("py_format($1, $kinds, [$pieces])", call, kinds=Text(kinds), pieces=joined(", ", pieces))


lowering("format(varchar, any, any...)", _format)
lowering("format_number(double)", "py_format_number(CAST($1 AS VARCHAR))")
lowering("format_number(bigint)", "py_format_number(CAST($1 AS VARCHAR))")
lowering("parse_data_size(varchar)", "CAST(py_parse_data_size($1) AS DECIMAL(38, 0))")
lowering("parse_presto_data_size(varchar)", "CAST(py_parse_data_size($1) AS DECIMAL(38, 0))")

#: What Java calls the kinds of values, and a percent sign that nothing follows.
_JAVA = {
    "i": "java.lang.Long",
    "f": "java.lang.Double",
    "d": "java.math.BigDecimal",
    "b": "java.lang.Boolean",
    "t": "java.time.LocalDateTime",
    "s": "java.lang.String",
}
_UNKNOWN = "UnknownFormatConversion: Conversion = '%'"
_SPEC = re.compile(r"%(\d+\$|<)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([tT]?[a-zA-Z%])")


@udf("py_format", ["VARCHAR", "VARCHAR", "VARCHAR[]"], "VARCHAR")
def java_format(pattern: str, kinds: str, values: list[str | None]) -> str:
    """Java's String.format for the kinds of values that SQL has."""
    text, at, following, last = "", 0, 0, -1
    for m in _SPEC.finditer(pattern):
        if "%" in pattern[at : m.start()]:
            _invalid_format(pattern, _UNKNOWN)
        text += pattern[at : m.start()]
        at = m.end()
        conversion = m[5]
        if conversion in {"%", "n"}:
            text += _padded("%" if conversion == "%" else "\n", m[2], m[3])
            continue
        place = following if not m[1] else last if m[1] == "<" else int(m[1][:-1]) - 1
        following += 0 if m[1] else 1
        if not 0 <= place < len(values):
            _invalid_format(pattern, f"MissingFormatArgument: Format specifier '{m[0]}'")
        last = place
        text += _formatted_value(m, conversion, kinds[place], values[place], pattern)
    if "%" in pattern[at:]:
        _invalid_format(pattern, _UNKNOWN)
    return text + pattern[at:]


def _invalid_format(pattern: str, reason: str) -> None:
    raise Failure(f"INVALID_FUNCTION_ARGUMENT: Invalid format string: {pattern} ({reason})")


def _formatted_value(m: re.Match[str], conversion: str, kind: str, value: str | None, pattern: str) -> str:
    flags, width, precision = m[2], m[3], m[4]
    lower = conversion.lower()
    if value is None and lower != "b":
        text = "null"
    elif lower == "s":
        text = (value or "").split("\x1f")[0]
        text = text[: int(precision)] if precision else text
    elif lower == "b":
        text = "false" if value is None else value if kind == "b" else "true"
    elif lower == "d" and kind == "i":
        text = _integer(int(value or 0), flags)
    elif lower == "x" and kind == "i":
        number = int(value or 0)
        text = format(number if number >= 0 else number + 2**64, "x")
    elif lower == "o" and kind == "i":
        text = format(int(value or 0), "o")
    elif lower == "c" and kind == "i":
        text = chr(int(value or 0))
    elif lower in {"f", "e", "g"} and kind in {"f", "d"}:
        text = _fraction(value or "0", lower, int(precision) if precision else 6, flags)
    elif conversion[0] in "tT" and len(conversion) == 2 and kind == "t":
        text = _dated(value or "", conversion[1], pattern)
    elif lower == "h":
        text = "null"
        _invalid_format(pattern, "%h")
    else:
        _invalid_format(pattern, f"IllegalFormatConversion: {conversion} != {_JAVA[kind]}")
        text = ""
    if conversion.isupper():
        text = text.upper()
    if width and "0" in flags and lower in {"d", "f", "x"}:
        sign = text[:1] if text[:1] in "+-" else ""
        return sign + text[len(sign) :].rjust(int(width) - len(sign), "0")
    return _padded(text, flags, width)


def _padded(text: str, flags: str, width: str | None) -> str:
    if not width:
        return text
    return text.ljust(int(width)) if "-" in flags else text.rjust(int(width))


def _integer(number: int, flags: str) -> str:
    return _signed(format(abs(number), "," if "," in flags else ""), number < 0, flags)


def _signed(text: str, negative: bool, flags: str) -> str:
    if negative:
        return f"({text})" if "(" in flags else f"-{text}"
    return f"+{text}" if "+" in flags else f" {text}" if " " in flags else text


def _fraction(value: str, conversion: str, precision: int, flags: str) -> str:
    if value in {"NaN", "Infinity", "-Infinity"}:
        return value
    number = Decimal(value)
    if conversion == "e":
        text = format(abs(number), f".{precision}e")
        mantissa, _, power = text.partition("e")
        return _signed(f"{mantissa}e{power[0]}{power[1:]:0>2}", number < 0, flags)
    rounded = abs(number).quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)
    return _signed(format(rounded, ",f" if "," in flags else "f"), number < 0, flags)


_NAMES = {
    "Y": "%Y",
    "y": "%y",
    "m": "%m",
    "d": "%d",
    "B": "%B",
    "b": "%b",
    "A": "%A",
    "a": "%a",
    "H": "%H",
    "I": "%I",
    "M": "%M",
    "S": "%S",
    "j": "%j",
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
    "L": "%L",
    "p": "%p",
    "r": "%I:%M:%S %p",
    "h": "%b",
    "c": "%a %b %d %H:%M:%S",
    "e": "%e",
    "k": "%k",
    "l": "%l",
}


def _dated(value: str, letter: str, pattern: str) -> str:
    text = value.split("\x1f")[1]
    moment = dt.datetime.fromisoformat(text)
    if letter not in _NAMES:
        _invalid_format(pattern, f"%t{letter}")
    own = {
        "L": f"{moment.microsecond // 1000:03d}",
        "e": str(moment.day),
        "k": str(moment.hour),
        "l": str((moment.hour + 11) % 12 + 1),
        "p": moment.strftime("%p").lower(),
    }
    return own.get(letter) or moment.strftime(_NAMES[letter])


@udf("py_format_number", ["VARCHAR"], "VARCHAR")
def format_number(text: str) -> str:
    """A number with K, M, B, T or Q for its thousands."""
    number = Decimal(text)
    size, unit = abs(number), ""
    for limit, name in ((10**15, "Q"), (10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if size >= limit:
            size, unit = size / limit, name
            break
    digits = 2 if size < 10 else 1 if size < 100 else 0
    shown = size.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    body = format(shown, "f").rstrip("0").rstrip(".") if digits else format(shown, "f")
    return f"{'-' if number < 0 else ''}{body}{unit}"


_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zA-Z]+)")
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


@udf("py_parse_data_size", ["VARCHAR"], "VARCHAR")
def parse_data_size(text: str) -> str:
    """A size such as `2.2kB`, in bytes."""
    m = _SIZE.fullmatch(text)
    if not m or m[2] not in _UNITS:
        raise Failure(f"INVALID_FUNCTION_ARGUMENT: Invalid data size: '{text}'")
    with localcontext() as context:
        context.prec = 120
        size = int(Decimal(m[1]) * 1024 ** _UNITS.index(m[2]))
    if size >= 10**38:
        raise Failure(f"NUMERIC_VALUE_OUT_OF_RANGE: Value out of range: '{text}' ('{size}B')")
    return str(size)
