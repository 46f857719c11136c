"""Nested values, which Athena's casts would round or shorten without a word, compared with their column's type."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from dapflow.runtime.column_types import WHOLE_DIGITS, type_parts
from dapflow.runtime.formats.json_objects import WrittenNumber, decoder, written
from dapflow.runtime.landing.date_text import CLOCK, DAY

NESTED = ("array<", "map<", "struct<")
_BITS = {"tinyint": 7, "smallint": 15, "int": 31, "bigint": 63}
_FLOATING = re.compile(r"[.eE]")
_DAY = re.compile(DAY)
_MOMENT = re.compile(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}( {CLOCK})?")
# json_parse reads numbers with a fraction as doubles.
_EXACT_DIGITS = 15


class MisfitError(ValueError):
    """What does not fit, in words."""


def fitted(text: str, kind: str, nulls: Sequence[str] = ()) -> str:
    """A nested value, given as JSON, as JSON whose keys are those of a type of Glue's, which has them in lower case.

    ``nulls`` are texts that stand for NULL at any depth. Raises MisfitError for anything in it that does not fit
    exactly.
    """
    try:
        value = decoder().decode(text)
    except (ValueError, RecursionError):
        raise MisfitError(f"{text[:80]!r} is no JSON") from None
    return written(_fitted(_nulled(value, nulls) if nulls else value, kind)) or "null"


def _nulled(value: Any, nulls: Sequence[str]) -> Any:
    """With None for what stands for NULL. A key of a map is none: it has no NULL."""
    if isinstance(value, list):
        return [_nulled(item, nulls) for item in value]
    if isinstance(value, dict):
        return {key: _nulled(item, nulls) for key, item in value.items()}
    return None if written(value) in nulls else value


def _fitted(value: Any, kind: str) -> Any:
    if value is None:
        return None
    base, parts = type_parts(kind)
    if base == "array":
        return [_fitted(item, parts[0]) for item in _of(value, list, kind)]
    if base == "map":
        for key in _of(value, dict, kind):
            _fitted(key, parts[0])
        return {key: _fitted(item, parts[1]) for key, item in value.items()}
    if base == "struct":
        return _fitted_struct(_of(value, dict, kind), dict(_field(part) for part in parts))
    if not _fits(value, kind):
        raise MisfitError(f"{(written(value) or '')[:80]} is no {kind}")
    # Athena prints a number anew when it becomes text: 1.10 would be 1.1E0.
    return written(value) if kind == "string" else value


def _fitted_struct(value: dict[str, Any], fields: dict[str, str]) -> dict[str, Any]:
    lower = [key.lower() for key in value]
    if doubled := [key for key in value if lower.count(key.lower()) > 1]:
        raise MisfitError(f"the keys {', '.join(doubled)} differ in the case of their letters only")
    if unknown := [key for key in value if key.lower() not in fields]:
        raise MisfitError(f"the type does not name the key {unknown[0]!r}")
    return {key.lower(): _fitted(item, fields[key.lower()]) for key, item in value.items()}


def _of(value: Any, wanted: type, kind: str) -> Any:
    if not isinstance(value, wanted):
        raise MisfitError(f"{(written(value) or '')[:80]} is no {kind}")
    return value


def _field(part: str) -> tuple[str, str]:
    name, _, kind = part.partition(":")
    return name, kind


def _fits(value: Any, kind: str) -> bool:  # noqa: PLR0911 (one return per family of types)
    if isinstance(value, list | dict):
        return False
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    if isinstance(value, bool):
        return kind == "string"
    if kind in _BITS or kind.startswith("decimal"):
        return _fits_exactly(value, kind)
    if kind in WHOLE_DIGITS:
        return _fits_floating(value, kind)
    if kind == "date":
        return _DAY.fullmatch(value) is not None
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
    _, digits, exponent = number.normalize().as_tuple()
    if isinstance(value, WrittenNumber) and _FLOATING.search(value) and len(digits) > _EXACT_DIGITS:
        # Athena reads such a number of JSON as a double, whatever it becomes then.
        return False
    if kind in _BITS:
        return number == number.to_integral_value() and -(1 << _BITS[kind]) <= number < 1 << _BITS[kind]
    precision, scale = (int(part) for part in type_parts(kind)[1])
    return -int(exponent) <= scale and number.adjusted() < precision - scale if number else True


def _fits_floating(value: str, kind: str) -> bool:
    try:
        number = Decimal(value)
        held = float(value) if kind == "double" else struct.unpack("f", struct.pack("f", float(value)))[0]
    except (InvalidOperation, OverflowError, ValueError):
        return False
    if not math.isfinite(held) or (number and not held):
        return False
    if number == number.to_integral_value() and number.adjusted() >= WHOLE_DIGITS[kind]:
        return "e" in value.lower() and len(number.normalize().as_tuple().digits) <= WHOLE_DIGITS[kind]
    return True
