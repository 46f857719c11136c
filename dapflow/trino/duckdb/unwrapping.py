"""Comparisons of an exact number with a double, said without the cast.

`price > 99.5` compares a decimal with a double, so Trino casts the column; where no two of its values become the same
double, the comparison with the decimal next to the double says the same, and row groups can be skipped by it.
Source: Trino's UnwrapCastInComparison.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal

from dapflow.trino.coercion import as_decimal
from dapflow.trino.duckdb.nodes import Sql, Text, Word, sql
from dapflow.trino.duckdb.values import Value, cast
from dapflow.trino.types import Type

#: Each comparison with its sides exchanged.
FLIPPED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_INJECTIVE = 15
"""So many digits survive a double: 53 bits."""
_WHOLE = 2**53
_EXACT = Context(prec=400)


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A comparison of a value with a number of the value's own type."""

    value: Value
    op: str
    number: Sql

    @property
    def sql(self) -> Sql:
        """The comparison."""
        return sql("($value $op $number)", value=self.value.sql, op=Word(self.op), number=self.number)


def unwrapped(op: str, left: Value, right: Value) -> Unwrapped | None:
    """The comparison of exact numbers that says the same, or None if there is none.

    The sides are as they were before one became a double.
    """
    if op not in FLIPPED:
        return None
    if right.type.base == "double" and isinstance(right.const, float):
        return _unwrapped_against(op, left, right.const)
    if left.type.base == "double" and isinstance(left.const, float):
        return _unwrapped_against(FLIPPED[op], right, left.const)
    return None


def _unwrapped_against(op: str, value: Value, number: float) -> Unwrapped | None:
    exact = as_decimal(value.type)
    if exact is None or value.const is not None or not math.isfinite(number):
        return None
    if exact.precision > _INJECTIVE and (exact.scale or abs(number) >= _WHOLE):
        return None
    unit = Decimal(1).scaleb(-exact.scale)
    nearest = Decimal(number).quantize(unit, ROUND_HALF_UP, _EXACT)
    if float(nearest) == number:
        return _bound(op, value, nearest, exact)
    if op == "=":
        return None
    below = Decimal(number).quantize(unit, ROUND_FLOOR, _EXACT)
    return _bound("<=" if op in {"<", "<="} else ">", value, below, exact)


def _bound(op: str, value: Value, number: Decimal, exact: Type) -> Unwrapped | None:
    if abs(number).scaleb(exact.scale) >= 10**exact.precision:
        return None
    if exact.scale == 0:
        return Unwrapped(value, op, Word(str(int(number))))
    return Unwrapped(value, op, cast(Text(f"{number:f}"), exact))
