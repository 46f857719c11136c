"""Nested values, which Athena's casts would round or shorten without a word, compared with their column's type."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from dapflow.runtime.landing.json_file import Number
from dapflow.runtime.types import type_parts

NESTED = ("array<", "map<", "struct<")
_BITS = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d{1,3}0*)?)?)?")
# json_parse reads numbers with a fraction as doubles.
_EXACT_DIGITS = 15


class _MisfitError(ValueError):
    """What does not fit, in words."""


def misfit(text: str, kind: str) -> str | None:
    """What in a nested value, given as JSON, does not fit a type of Glue's exactly; None when all does."""
    try:
        value = json.loads(text, parse_int=Number, parse_float=Number, parse_constant=Number)
    except (ValueError, RecursionError):
        return f"{text[:80]!r} is no JSON"
    try:
        _check(value, kind)
    except _MisfitError as error:
        return str(error)
    return None


def _check(value: Any, kind: str) -> None:
    if value is None:
        return
    base, parts = type_parts(kind)
    if base == "array":
        for item in _of(value, list, kind):
            _check(item, parts[0])
    elif base == "map":
        for key, item in _of(value, dict, kind).items():
            _check(key, parts[0])
            _check(item, parts[1])
    elif base == "struct":
        _check_struct(_of(value, dict, kind), dict(_field(part) for part in parts))
    elif not _fits(value, kind):
        raise _MisfitError(f"{json.dumps(value, ensure_ascii=False)[:80]} is no {kind}")


def _check_struct(value: dict[str, Any], fields: dict[str, str]) -> None:
    lower = [key.lower() for key in value]
    if doubled := [key for key in value if lower.count(key.lower()) > 1]:
        raise _MisfitError(f"the keys {', '.join(doubled)} differ in the case of their letters only")
    for key, item in value.items():
        if key.lower() not in fields:
            raise _MisfitError(f"the type does not name the key {key!r}")
        _check(item, fields[key.lower()])


def _of(value: Any, wanted: type, kind: str) -> Any:
    if not isinstance(value, wanted):
        raise _MisfitError(f"{json.dumps(value, ensure_ascii=False)[:80]} is no {kind}")
    return value


def _field(part: str) -> tuple[str, str]:
    name, _, kind = part.partition(":")
    return name, kind


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, list | dict):
        return False
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if isinstance(value, bool):
        return kind == "string"
    if kind in _BITS or kind.startswith("decimal"):
        return _fits_exactly(value, kind)
    if kind in ("double", "float"):
        return _is_finite(value)
    if kind == "timestamp":
        return _MOMENT.fullmatch(value) is not None
    return True  # Athena's cast says the rest


def _fits_exactly(value: str, kind: str) -> bool:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    if not number.is_finite():
        return False
    if kind in _BITS:
        return number == number.to_integral_value() and -(1 << _BITS[kind]) <= number < 1 << _BITS[kind]
    precision, scale = (int(part) for part in type_parts(kind)[1])
    _, digits, exponent = number.normalize().as_tuple()
    if isinstance(value, Number) and "." in value and len(digits) > _EXACT_DIGITS:
        return False
    return -int(exponent) <= scale and number.adjusted() < precision - scale if number else True


def _is_finite(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False
