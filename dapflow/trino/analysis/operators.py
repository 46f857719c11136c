"""Which operators there are for which types, and what they give."""

from __future__ import annotations

from typing import NamedTuple

from dapflow.trino.coercion import INTEGERS, NUMERIC, as_decimal, common
from dapflow.trino.types import (
    BIGINT,
    DOUBLE,
    INTERVAL_DS,
    UNCHECKED,
    VARBINARY,
    VARCHAR,
    Type,
    array,
    decimal,
    varchar,
)

_INTERVALS = frozenset({"interval_ds", "interval_ym"})
_DAYS = frozenset({"date", "timestamp", "timestamp_tz"})
_TIMES = frozenset({"time", "time_tz"})


class Operation(NamedTuple):
    """The type of a result, and the types that both operands must have."""

    type: Type
    left: Type
    right: Type


def arithmetic(op: str, left: Type, right: Type) -> Operation | None:
    """`+ - * / %`, or None if Trino has no such operator."""
    if "unchecked" in {left.base, right.base}:
        return Operation(UNCHECKED, left, right)
    if left.base == right.base == "unknown":
        return None
    operation = _moments(op, left, right)
    if operation is not None:
        return operation
    x = right if left.base == "unknown" else left
    y = left if right.base == "unknown" else right
    both = common(x, y)
    if both is None or both.base not in NUMERIC:
        return None
    if both.base != "decimal":
        return Operation(both, both, both)
    a, b = as_decimal(x), as_decimal(y)
    if a is None or b is None:
        return None
    result = _decimal(op, a, b)
    return None if result is None else Operation(result, a, b)


def _decimal(op: str, x: Type, y: Type) -> Type | None:
    """The decimal that holds a result. Source: Trino's DecimalOperators."""
    scale = max(x.scale, y.scale)
    if op in {"+", "-"}:
        whole = max(x.precision - x.scale, y.precision - y.scale)
        return decimal(min(38, whole + scale + 1), scale)
    if op == "*":
        return decimal(min(38, x.precision + y.precision), x.scale + y.scale) if x.scale + y.scale <= 38 else None
    if op == "/":
        return decimal(min(38, x.precision + y.scale + max(0, y.scale - x.scale)), scale)
    return decimal(min(y.precision - y.scale, x.precision - x.scale) + scale, scale)


def _moments(op: str, left: Type, right: Type) -> Operation | None:
    """Dates, times and intervals."""
    x, y = left.base, right.base
    if x in _INTERVALS and x == y and op in {"+", "-"}:
        return Operation(left, left, right)
    if (x in _INTERVALS and op in {"*", "/"}) or (y in _INTERVALS and op == "*"):
        return _scaled(left, right) if x in _INTERVALS else _swapped(_scaled(right, left))
    if x in _INTERVALS and op == "+":
        shifted = _shifted(right, x)
        return None if shifted is None else Operation(shifted, left, right)
    if y in _INTERVALS and op in {"+", "-"}:
        shifted = _shifted(left, y)
        return None if shifted is None else Operation(shifted, left, right)
    if op == "-" and x == y and x in _DAYS | _TIMES:
        return Operation(INTERVAL_DS, left, right)
    both = common(left, right) if op == "-" and {x, y} <= _DAYS else None
    return None if both is None else Operation(INTERVAL_DS, both, both)


def _scaled(interval: Type, factor: Type) -> Operation | None:
    if factor.base not in NUMERIC:
        return None
    return Operation(interval, interval, BIGINT if factor.base in INTEGERS else DOUBLE)


def _swapped(operation: Operation | None) -> Operation | None:
    return None if operation is None else Operation(operation.type, operation.right, operation.left)


def _shifted(moment: Type, interval: str) -> Type | None:
    """The type of a moment that an interval is added to."""
    if interval == "interval_ym":
        return moment if moment.base in _DAYS else None
    if moment.base == "date":
        return moment
    if moment.base in (_DAYS | _TIMES):
        return Type(moment.base, precision=max(moment.precision, 3))
    return None


def concat(left: Type, right: Type) -> Operation | None:
    """`||`, or None if Trino has no such operator."""
    x, y = left.base, right.base
    if "unchecked" in {x, y}:
        return Operation(UNCHECKED, left, right)
    if "array" in {x, y}:
        return _concat_arrays(left, right)
    if {x, y} <= {"varchar", "char", "unknown"}:
        if "char" in {x, y} and left.length is not None and right.length is not None:
            return Operation(Type("char", length=left.length + right.length), left, right)
        return Operation(VARCHAR, varchar(left.length), varchar(right.length))
    if {x, y} <= {"varbinary", "unknown"}:
        return Operation(VARBINARY, VARBINARY, VARBINARY)
    return None


def _concat_arrays(left: Type, right: Type) -> Operation | None:
    both = common(left, right) if left.base == right.base else None
    if both is not None:
        return Operation(both, both, both)
    if left.base == "array":
        item = common(left.args[0], right)
        if item is not None:
            return Operation(array(item), array(item), item)
    if right.base == "array":
        item = common(left, right.args[0])
        if item is not None:
            return Operation(array(item), item, array(item))
    return None


def ambiguous_concat(left: Type, right: Type) -> bool:
    """Whether `||` may mean two arrays as well as an array and one more item."""
    if not left.base == right.base == "array":
        return False
    return {left.args[0].base, right.args[0].base} == {"array", "unknown"}


def negatable(t: Type) -> bool:
    """Whether there is `-x`."""
    return t.base in NUMERIC or t.base in _INTERVALS
