"""Rows that came, beside those that were expected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from dapflow.sql_tests.given_rows import TypedColumn
from dapflow.sql_tests.outcome import RowDifference, RowPair
from dapflow.trino.duckdb.value_text import text_of
from dapflow.trino.types import Type

Row = tuple[Any, ...]
#: Beyond so many rows that differ, none are put beside each other.
_MOST_PAIRED = 200
_FLOATING = frozenset({"double", "real"})
_QUOTED = frozenset({"varchar", "char"})


def difference(
    columns: Sequence[TypedColumn],
    expected: Sequence[Row],
    came: Sequence[Row],
    *,
    ordered: bool = False,
    tolerance: float = 0.0,
) -> RowDifference | None:
    """How rows differ, None where they do not. Rows have the same columns; they come in any order unless `ordered`."""
    kinds = [kind for _, kind in columns]
    comparison = _RowComparison(kinds, tolerance)
    if ordered:
        pairs = [(i, i) for i, (a, b) in enumerate(zip(expected, came, strict=False)) if not comparison.same(a, b)]
        missing = list(range(len(came), len(expected)))
        unexpected = list(range(len(expected), len(came)))
    else:
        missing, unexpected = comparison.unmatched(expected, came)
        pairs = comparison.pairs(missing, unexpected, expected, came)
        missing = [i for i in missing if i not in {a for a, _ in pairs}]
        unexpected = [i for i in unexpected if i not in {b for _, b in pairs}]
    if not (pairs or missing or unexpected):
        return None

    def texts(row: Row) -> dict[str, str]:
        return {name: value_shown(value, kind) for (name, kind), value in zip(columns, row, strict=True)}

    return RowDifference(
        len(expected),
        len(came),
        tuple(
            RowPair(a + 1, texts(expected[a]), texts(came[b]), comparison.differing(columns, expected[a], came[b]))
            for a, b in sorted(pairs)
        ),
        tuple((i + 1, texts(expected[i])) for i in missing),
        tuple(texts(came[i]) for i in unexpected),
    )


def value_shown(value: Any, kind: Type) -> str:
    """A value for people: texts in quotes, so that NULL, blanks and digits are told from each other."""
    if value is None:
        return "NULL"
    text = text_of(value, kind)
    return "'" + text.replace("'", "''") + "'" if kind.base in _QUOTED else text


class _RowComparison:
    def __init__(self, kinds: Sequence[Type], tolerance: float) -> None:
        self._kinds = kinds
        self._tolerance = tolerance

    def same(self, first: Row, second: Row) -> bool:
        """Whether two rows are equal, as far as it is wanted."""
        return not self._differing(first, second)

    def unmatched(self, expected: Sequence[Row], came: Sequence[Row]) -> tuple[list[int], list[int]]:
        """The places of rows without an equal on the other side, each counting once."""
        if self._tolerance:
            return self._unmatched_nearly(expected, came)
        left = Counter(map(_frozen, came))
        missing = []
        for i, row in enumerate(expected):
            key = _frozen(row)
            if left[key]:
                left[key] -= 1
            else:
                missing.append(i)
        unexpected = []
        for i in range(len(came) - 1, -1, -1):
            key = _frozen(came[i])
            if left[key]:
                left[key] -= 1
                unexpected.append(i)
        return missing, unexpected[::-1]

    def _unmatched_nearly(self, expected: Sequence[Row], came: Sequence[Row]) -> tuple[list[int], list[int]]:
        left = dict(enumerate(came))
        missing = []
        for i, row in enumerate(expected):
            match = next((j for j, other in left.items() if self.same(row, other)), None)
            if match is None:
                missing.append(i)
            else:
                del left[match]
        return missing, list(left)

    def pairs(
        self, missing: Sequence[int], unexpected: Sequence[int], expected: Sequence[Row], came: Sequence[Row]
    ) -> list[tuple[int, int]]:
        """Rows that are probably meant to be the same: those that differ least, and not in all of several columns."""
        if max(len(missing), len(unexpected)) > _MOST_PAIRED:
            return []
        candidates = sorted(
            (len(differing), i, j)
            for i in missing
            for j in unexpected
            if len(differing := self._differing(expected[i], came[j])) < len(self._kinds) or len(self._kinds) == 1
        )
        pairs: dict[int, int] = {}
        taken: set[int] = set()
        for _, i, j in candidates:
            if i not in pairs and j not in taken:
                pairs[i] = j
                taken.add(j)
        return list(pairs.items())

    def differing(self, columns: Sequence[TypedColumn], first: Row, second: Row) -> tuple[str, ...]:
        """The names of the columns in which two rows differ."""
        return tuple(columns[i][0] for i in self._differing(first, second))

    def _differing(self, first: Row, second: Row) -> list[int]:
        compared = enumerate(zip(first, second, self._kinds, strict=True))
        return [i for i, (a, b, kind) in compared if not self._same_value(a, b, kind)]

    def _same_value(self, first: Any, second: Any, kind: Type) -> bool:
        if self._tolerance and kind.base in _FLOATING and first is not None and second is not None:
            return bool(abs(first - second) <= self._tolerance) or _frozen(first) == _frozen(second)
        return bool(_frozen(first) == _frozen(second))


def _frozen(value: Any) -> Any:
    """A value that equals what it would be called the same as: maps in any order, and NaN."""
    if isinstance(value, dict):
        return frozenset((_frozen(key), _frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    return bytes(value) if isinstance(value, bytearray | memoryview) else value
