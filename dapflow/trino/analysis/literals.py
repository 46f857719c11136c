"""Literals."""

from __future__ import annotations

import json
import re
from typing import Any

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.findings import Place
from dapflow.trino.coercion import INTEGERS, castable
from dapflow.trino.errors import QueryError
from dapflow.trino.moments import parse_date, parse_time, parse_timestamp
from dapflow.trino.syntax import tree
from dapflow.trino.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL_DS,
    INTERVAL_YM,
    JSON,
    UNKNOWN,
    VARBINARY,
    Type,
    decimal,
    parse_type,
    varchar,
)


def literal(node: tree.Literal, context: AnalysisContext) -> typed.Expr:
    """A plain literal."""
    kind, value = node.kind, node.value
    if kind == "integer":
        return integer(value, node, context)
    if kind == "string":
        t = varchar(len(value))
    else:
        t = {"double": DOUBLE, "boolean": BOOLEAN, "binary": VARBINARY, "null": UNKNOWN}[kind]
    return typed.Literal(type=t, place=context.place(node), value=float(value) if kind == "double" else value)


def integer(text: str, node: tree.Expr, context: AnalysisContext) -> typed.Expr:
    """An integer, or a bigint when it is too large for that."""
    number = int(text, 0) if text.lstrip("-")[:2].lower() in {"0x", "0b", "0o"} else int(text)
    if not -(2**63) <= number < 2**63:
        return context.fault("INVALID_LITERAL", node, f"Invalid numeric literal: {text}")
    t = INTEGER if -2147483648 <= number <= 2147483647 else BIGINT
    return typed.Literal(type=t, place=context.place(node), value=number)


def typed_literal(node: tree.TypedLiteral, context: AnalysisContext) -> typed.Expr:
    """`DATE '…'`, `BIGINT '…'` and all others."""
    name, text = node.type_name, node.text
    reader = _READERS.get(name)
    try:
        if reader is not None:
            t, value = reader(text)
            return typed.Literal(type=t, place=context.place(node), value=value)
    except QueryError as error:
        return context.fault(error.error_name, node, error.message)
    except _TooFine as error:
        return context.fault("NOT_SUPPORTED", None, f"{error} is not supported: the finest is {error.finest}", "limit")
    except ValueError:
        return context.fault("INVALID_LITERAL", node, f"'{text}' is not a valid {name.upper()} literal")
    try:
        t = parse_type(name)
    except QueryError:
        return context.fault("TYPE_NOT_FOUND", node, f"Unknown type: {name}")
    if t.base != "varchar" and not castable(varchar(len(text)), t):
        return context.fault("INVALID_LITERAL", node, f"No literal form for type {t}")
    return _converted(text, t, context.place(node))


def _converted(text: str, t: Type, place: Place) -> typed.Expr:
    """A text as a value of a type: the value where it is plainly one, else a CAST, which may fail when it runs."""
    if t.base == "varchar":
        return typed.Literal(type=t, place=place, value=text)
    if t.base in INTEGERS and _INTEGER.fullmatch(text) and abs(int(text)) < 10 ** (INTEGERS[t.base] - 1):
        return typed.Literal(type=t, place=place, value=int(text))
    if t.base in {"real", "double"} and _REAL.fullmatch(text):
        return typed.Literal(type=t, place=place, value=float(text))
    return typed.Cast(
        type=t, place=place, expr=typed.Literal(type=varchar(len(text)), place=place, value=text), safe=False
    )


_INTEGER = re.compile(r"[+-]?\d{1,18}")
_REAL = re.compile(r"[+-]?\d{1,15}(\.\d{0,15})?([eE][+-]?\d)?")


class _TooFine(Exception):
    """A moment of a precision that is not carried."""

    def __init__(self, base: str, precision: int) -> None:
        super().__init__(f"{base}({precision})")
        self.finest = f"{base}(6)"


def _decimal(text: str) -> tuple[Type, str]:
    """A decimal with just the digits written; zeros before the number do not count."""
    m = re.fullmatch(r"\s*([+-]?)(\d*)(?:\.(\d*))?\s*", text)
    whole, fraction = (m[2].lstrip("0"), m[3] or "") if m else ("", "")
    precision = max(len(whole) + len(fraction), 1)
    if not m or not (m[2] or m[3]) or precision > 38:
        raise QueryError("INVALID_LITERAL", f"Invalid decimal literal: '{text}'")
    return decimal(precision, len(fraction)), f"{m[1]}{whole or '0'}.{fraction or '0'}"


#: Moments with zones are milliseconds in 52 bits.
_ZONED_YEARS = 73326


def _timestamp(text: str) -> tuple[Type, str]:
    stamp, zone, precision = parse_timestamp(text)
    if precision > 6:
        raise _TooFine("timestamp", precision)
    if zone is None:
        return Type("timestamp", precision=precision), stamp
    if abs(int(stamp.partition("-")[0] if stamp[0] != "-" else stamp[1:].partition("-")[0])) > _ZONED_YEARS:
        raise ValueError(text)
    return Type("timestamp_tz", precision=precision), f"{stamp} {zone}"


def _time(text: str) -> tuple[Type, str]:
    stamp, offset, precision = parse_time(text)
    if precision > 6:
        raise _TooFine("time", precision)
    if offset is None:
        return Type("time", precision=precision), stamp
    return Type("time_tz", precision=precision), f"{stamp} {offset}"


def _json(text: str) -> tuple[Type, str]:
    def refuse(name: str) -> float:
        raise ValueError(name)

    json.loads(text, parse_constant=refuse)
    return JSON, text


_READERS: dict[str, Any] = {
    "decimal": _decimal,
    "date": lambda text: (DATE, parse_date(text)),
    "timestamp": _timestamp,
    "time": _time,
    "char": lambda text: (Type("char", length=max(len(text), 1)), text),
    "varbinary": lambda text: (VARBINARY, text.encode()),
    "json": _json,
}


_MS = {"DAY": 86_400_000, "HOUR": 3_600_000, "MINUTE": 60_000, "SECOND": 1000}
_FIELDS = ("DAY", "HOUR", "MINUTE", "SECOND")


def interval(node: tree.IntervalLiteral, context: AnalysisContext) -> typed.Expr:
    """An interval; days to seconds are milliseconds, years to months are months."""
    try:
        amount, t = interval_value(node)
    except ValueError:
        return context.fault("INVALID_LITERAL", node, f"'{node.text}' is not a valid INTERVAL literal")
    limit = 2**31 if t is INTERVAL_YM else 2**63
    if not -limit <= amount < limit:
        return context.fault("INVALID_LITERAL", node, f"'{node.text}' is not a valid INTERVAL literal")
    return typed.Literal(type=t, place=context.place(node), value=amount)


def interval_value(node: tree.IntervalLiteral) -> tuple[int, Type]:
    """Milliseconds or months, and the type. Raises ValueError for what is no interval."""
    text, start, end = node.text.strip(), node.first, node.last or node.first
    sign = node.sign
    if text[:1] in {"-", "+"}:
        sign, text = sign * (-1 if text[0] == "-" else 1), text[1:]
    if start in {"YEAR", "MONTH"}:
        if start == end:
            return sign * int(text) * (12 if start == "YEAR" else 1), INTERVAL_YM
        m = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
        if not m or start != "YEAR" or end != "MONTH":
            raise ValueError(text)
        return sign * (int(m[1]) * 12 + int(m[2] or 0)), INTERVAL_YM
    first, last = _FIELDS.index(start), _FIELDS.index(end)
    pattern, separators = "", {"DAY": "", "HOUR": " ", "MINUTE": ":", "SECOND": ":"}
    for i in range(first, last + 1):
        field = _FIELDS[i]
        number = r"(\d+(?:\.\d{0,3})?)" if field == "SECOND" else r"(\d+)"
        pattern += number if i == first else f"(?:{separators[field]}{number}"
    pattern += ")?" * (last - first)
    m = re.fullmatch(pattern, text)
    if not m:
        raise ValueError(text)
    total = 0
    for field, part in zip(_FIELDS[first : last + 1], m.groups(), strict=True):
        if part is None:
            continue
        whole, _, fraction = part.partition(".")
        total += int(whole) * _MS[field] + (int(fraction.ljust(3, "0")) if fraction else 0)
    return sign * total, INTERVAL_DS
