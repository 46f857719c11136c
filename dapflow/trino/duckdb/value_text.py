"""How Athena writes values in result files and in GetQueryResults."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any

from dapflow.trino.types import Type, parse_type


def print_value(value: Any, type_text: str) -> str | None:
    """Athena's text of a value as DuckDB's client returns it; None stays None."""
    return None if value is None else text_of(value, parse_type(type_text))


def text_of(value: Any, kind: Type) -> str:
    """The text of a value inside another value: NULL is `null`."""
    if value is None:
        return "null"
    base = kind.base
    if base == "boolean":
        return "true" if value else "false"
    if base in {"double", "real"}:
        return java_double(float(value), single=base == "real")
    if base == "decimal":
        return format(value, "f") if isinstance(value, Decimal) else str(value)
    if base == "char":
        return str(value).ljust(kind.length or 0)
    if base == "varbinary":
        return " ".join(f"{byte:02x}" for byte in bytes(value))
    if base == "timestamp":
        return _timestamp(value, kind.precision)
    if base == "time":
        return _time(value, kind.precision)
    if base == "array":
        return "[" + ", ".join(text_of(item, kind.args[0]) for item in value) + "]"
    if base == "map":
        pairs = value.items() if isinstance(value, dict) else value
        return "{" + ", ".join(f"{text_of(k, kind.args[0])}={text_of(v, kind.args[1])}" for k, v in pairs) + "}"
    if base == "row":
        items = value.values() if isinstance(value, dict) else value
        names = kind.names or (None,) * len(kind.args)
        return (
            "{"
            + ", ".join(
                f"{name if name is not None else f'field{i}'}={text_of(item, part)}"
                for i, (name, item, part) in enumerate(zip(names, items, kind.args, strict=True))
            )
            + "}"
        )
    return str(value)


def _timestamp(value: Any, precision: int) -> str:
    if isinstance(value, dt.datetime):
        text = f"{value.year:04d}-{value:%m-%d %H:%M:%S}"
        return text + (f".{value.microsecond:06d}{'0' * 6}"[: precision + 1] if precision else "")
    text, _, fraction = str(value).partition(".")
    return text + (f".{fraction:0<12}"[: precision + 1] if precision else "")


def _time(value: Any, precision: int) -> str:
    if isinstance(value, dt.time):
        return f"{value:%H:%M:%S}" + (f".{value.microsecond:06d}{'0' * 6}"[: precision + 1] if precision else "")
    text, _, fraction = str(value).partition(".")
    return text + (f".{fraction:0<12}"[: precision + 1] if precision else "")


def java_double(value: float, *, single: bool = False) -> str:
    """A floating point number as Java prints it: `1.5`, `1.71E10`, `Infinity`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    digits, exponent = _shortest(value, single)
    sign = "-" if value < 0 else ""
    if -3 <= exponent < 7:
        if exponent >= 0:
            whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
        else:
            whole, fraction = "0", "0" * (-exponent - 1) + digits
        return f"{sign}{whole}.{fraction or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _shortest(value: float, single: bool) -> tuple[str, int]:
    """Shortest digits that read back as the same number, and the exponent of the first."""
    if single:
        import numpy as np  # noqa: PLC0415 - only for reals, which are rare

        text = np.format_float_scientific(np.float32(abs(value)), unique=True, trim="-")
    else:
        text = repr(abs(value))
        if "e" not in text:
            whole, _, fraction = text.partition(".")
            digits = (whole + fraction).lstrip("0")
            exponent = len(whole) - 1 if whole != "0" else -(len(fraction) - len(fraction.lstrip("0"))) - 1
            return digits.rstrip("0") or "0", exponent
    mantissa, _, power = text.partition("e")
    return mantissa.replace(".", "").rstrip("0") or "0", int(power)
