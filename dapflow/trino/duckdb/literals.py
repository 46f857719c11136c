"""Literals."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from dapflow.trino.analysis.literals import interval_value
from dapflow.trino.coercion import INTEGERS, castable
from dapflow.trino.duckdb.conversion import convert
from dapflow.trino.duckdb.storage import duck_type
from dapflow.trino.duckdb.storage import literal as quoted
from dapflow.trino.duckdb.values import Value
from dapflow.trino.errors import QueryError, Unsupported
from dapflow.trino.moments import parse_date, parse_time, parse_timestamp, zone_info
from dapflow.trino.syntax import tree
from dapflow.trino.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    INTERVAL_YM,
    JSON,
    UNKNOWN,
    VARBINARY,
    Type,
    decimal,
    parse_type,
    varchar,
)

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import Unit


def literal(node: tree.Literal, unit: Unit) -> Value:
    """A plain literal."""
    kind, value = node.kind, node.value
    if kind == "string":
        return Value(quoted(value), varchar(len(value)), value)
    if kind == "integer":
        return integer(value, node.pos, unit)
    if kind == "double":
        return Value(f"CAST({quoted(value)} AS DOUBLE)", DOUBLE, float(value))
    if kind == "boolean":
        return Value("TRUE" if value else "FALSE", BOOLEAN, value)
    if kind == "binary":
        return Value(f"unhex('{value.hex()}')", VARBINARY, value)
    return Value("NULL", UNKNOWN)


def integer(text: str, pos: int, unit: Unit) -> Value:
    """An integer, or a bigint when it is too large for that."""
    number = int(text, 0) if text.lstrip("-")[:2].lower() in {"0x", "0b", "0o"} else int(text)
    if -2147483648 <= number <= 2147483647:
        return Value(str(number) if number >= 0 else f"({number})", INTEGER, number)
    if not -(2**63) <= number < 2**63:
        unit.fail("INVALID_LITERAL", pos, f"Invalid numeric literal: {text}")
    return Value(f"CAST({number} AS BIGINT)", BIGINT, number)


def _decimal(text: str, pos: int, unit: Unit) -> Value:
    """A decimal with just the digits written; zeros before the number do not count."""
    m = re.fullmatch(r"\s*([+-]?)(\d*)(?:\.(\d*))?\s*", text)
    if not m or not (m[2] or m[3]):
        unit.fail("INVALID_LITERAL", pos, f"Invalid decimal literal: '{text}'")
    whole, fraction = m[2].lstrip("0"), m[3] or ""
    precision = max(len(whole) + len(fraction), 1)
    if precision > 38:
        unit.fail("INVALID_LITERAL", pos, f"Invalid decimal literal: '{text}'")
    t = decimal(precision, len(fraction))
    number = f"{m[1]}{whole or '0'}.{fraction or '0'}"
    return Value(f"CAST('{number}' AS {duck_type(t)})", t, number)


def typed_literal(node: tree.TypedLiteral, unit: Unit) -> Value:
    """`DATE '…'`, `BIGINT '…'` and all others."""
    name, text, pos = node.type_name, node.text, node.pos
    try:
        if name == "decimal":
            return _decimal(text, pos, unit)
        if name == "date":
            parsed = parse_date(text)
            return Value(f"CAST('{parsed}' AS DATE)", DATE, parsed)
        if name == "timestamp":
            return _timestamp(text)
        if name == "time":
            return _time(text)
        if name == "char":
            return Value(quoted(text.rstrip(" ")), Type("char", length=max(len(text), 1)), text)
        if name == "varbinary":
            return Value(f"encode({quoted(text)})", VARBINARY, text.encode())
        if name == "json":
            from dapflow.trino.duckdb.functions.json import canonical  # noqa: PLC0415 - it imports this room

            return Value(quoted(canonical(text)), JSON, text)
    except ValueError:
        unit.fail("INVALID_LITERAL", pos, f"'{text}' is not a valid {name.upper()} literal")
    try:
        t = parse_type(name)
    except QueryError:
        unit.fail("TYPE_NOT_FOUND", pos, f"Unknown type: {name}")
    if t.base == "varchar":
        return Value(quoted(text), t, text)
    source = varchar(len(text))
    if not castable(source, t):
        unit.fail("INVALID_LITERAL", pos, f"No literal form for type {t}")
    return Value(_plain_number(text, t) or convert(quoted(text), source, t), t, text)


_INTEGER = re.compile(r"[+-]?\d{1,18}")
_REAL = re.compile(r"[+-]?\d{1,15}(\.\d{0,15})?([eE][+-]?\d)?")


def _plain_number(text: str, t: Type) -> str | None:
    """A number that needs no check when the query runs; None for all others, and for what is no number."""
    if t.base in INTEGERS and _INTEGER.fullmatch(text) and len(text.lstrip("+-")) < INTEGERS[t.base]:
        return f"CAST({int(text)} AS {duck_type(t)})"
    if t.base in {"real", "double"} and _REAL.fullmatch(text):
        return f"CAST({quoted(text)} AS {duck_type(t)})"
    return None


#: Moments with zones are milliseconds in 52 bits.
_ZONED_YEARS = 73326


def _timestamp(text: str) -> Value:
    stamp, zone, precision = parse_timestamp(text)
    if precision > 6:
        raise Unsupported(f"timestamp({precision})", detail=": the finest is timestamp(6)")
    if zone is None:
        return Value(f"CAST('{stamp}' AS TIMESTAMP)", Type("timestamp", precision=precision), stamp)
    if abs(int(stamp.partition("-")[0] if stamp[0] != "-" else stamp[1:].partition("-")[0])) > _ZONED_YEARS:
        raise ValueError(text)
    return Value(_instant(stamp, zone), Type("timestamp_tz", precision=precision), text)


def _instant(stamp: str, zone: str) -> str:
    """A moment and its zone; the moment is reckoned now where Python knows the year."""
    try:
        local = dt.datetime.fromisoformat(stamp).replace(tzinfo=zone_info(zone))
        moment = local.astimezone(dt.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return f"t_zoned(CAST({quoted(stamp)} AS TIMESTAMP), {quoted(zone)})"
    return f"{{'u': TIMESTAMP '{moment.isoformat(' ')}', 'z': {quoted(zone)}}}"


def _time(text: str) -> Value:
    stamp, offset, precision = parse_time(text)
    if precision > 6:
        raise Unsupported(f"time({precision})", detail=": the finest is time(6)")
    if offset is None:
        return Value(f"CAST('{stamp}' AS TIME)", Type("time", precision=precision), stamp)
    return Value(f"{{'t': TIME '{stamp}', 'o': CAST({offset} AS INTEGER)}}", Type("time_tz", precision=precision), text)


def interval(node: tree.IntervalLiteral, unit: Unit) -> Value:
    """An interval; days to seconds are milliseconds, years to months are months."""
    try:
        amount, t = interval_value(node)
    except ValueError:
        unit.fail("INVALID_LITERAL", node.pos, f"'{node.text}' is not a valid INTERVAL literal")
    limit = 2**31 if t is INTERVAL_YM else 2**63
    if not -limit <= amount < limit:
        unit.fail("INVALID_LITERAL", node.pos, f"'{node.text}' is not a valid INTERVAL literal")
    return Value(f"CAST({amount} AS {duck_type(t)})", t, amount)
