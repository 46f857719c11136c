"""The columns of two versions: what is new, gone or of another type, and as what the values of the others compare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dapflow.differences.versions import Version
from dapflow.errors import DapflowError
from dapflow.runtime.column_changes import ColumnChange, widens

_WHOLE_DIGITS = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
# Whose every value a double holds.
_IN_DOUBLE = {"tinyint", "smallint", "int", "float", "double"}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_MOST_DIGITS = 38


@dataclass(frozen=True)
class ComparedColumn:
    """A column that both versions have. ``type`` is Glue's, as which its values are compared."""

    name: str
    type: str


@dataclass(frozen=True)
class ColumnPairs:
    """The columns of two versions.

    Attributes:
        compared: those that both have, in the order of the first.
        changes: those that one alone has, and those of unlike types: ``was`` there, ``now`` here.
        unlike: names of those whose types have no values in common, so that nothing of them is compared.
    """

    compared: tuple[ComparedColumn, ...]
    changes: tuple[ColumnChange, ...]
    unlike: tuple[str, ...]

    @classmethod
    def of(cls, here: Version, there: Version) -> ColumnPairs:
        """Pair the columns by name."""
        now = {column.name: column.type for column in here.columns}
        was = {column.name: column.type for column in there.columns}
        names = [*now, *(name for name in was if name not in now)]
        changes = [ColumnChange(name, was.get(name), now.get(name)) for name in names if was.get(name) != now.get(name)]
        both = {name: common_type(here.read_as[name], there.read_as[name]) for name in now if name in was}
        compared = [ComparedColumn(name, kind) for name, kind in both.items() if kind is not None]
        return cls(tuple(compared), tuple(changes), tuple(name for name, kind in both.items() if kind is None))

    def key(self, names: Sequence[str]) -> tuple[str, ...]:
        """A key that somebody names. Raises DapflowError ``unknown-column`` for a column that is not in both."""
        known = [column.name for column in self.compared]
        for name in names:
            if name not in known:
                raise DapflowError(
                    "unknown-column",
                    f"{name!r} is no column that both versions have, with values that compare",
                    hint=f"columns: {', '.join(known[:12])}",
                )
        return tuple(dict.fromkeys(names))

    def first_key(self, keys: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        """The first of several keys whose columns are in both; empty where none is."""
        known = {column.name for column in self.compared}
        return next((key for key in keys if key and known.issuperset(key)), ())


def common_type(first: str, second: str) -> str | None:
    """The type that holds every value of both unchanged, in Glue's spelling; None where there is none."""
    if first == second or widens(second, first):
        return first
    if widens(first, second):
        return second
    if {first, second} == {"date", "timestamp"}:
        return "timestamp"
    if {first, second} <= _IN_DOUBLE:
        return "double"
    digits, more_digits = _digits(first), _digits(second)
    if digits is None or more_digits is None:
        return None
    whole, scale = max(digits[0], more_digits[0]), max(digits[1], more_digits[1])
    return f"decimal({whole + scale},{scale})" if whole + scale <= _MOST_DIGITS else None


def _digits(kind: str) -> tuple[int, int] | None:
    """How many digits of a number stand before and behind the point; None of any other type."""
    if kind in _WHOLE_DIGITS:
        return _WHOLE_DIGITS[kind], 0
    if match := _DECIMAL.fullmatch(kind):
        return int(match[1]) - int(match[2]), int(match[2])
    return None
