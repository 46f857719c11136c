"""Which row groups a predicate allows, by the statistics in the footer."""

from __future__ import annotations

import contextlib
import datetime as dt
import operator
from collections.abc import Callable, Iterable
from typing import Any

from dapflow.athena.engine.session import Work
from dapflow.athena.formats.parquet import RowGroup
from dapflow.trino.duckdb import QueryError
from dapflow.trino.duckdb.conditions import ColumnBound

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Literals:
    """Values of the literals that a query compares columns with, computed all at once."""

    def __init__(self, work: Work, bounds: Iterable[ColumnBound]) -> None:
        wanted = list(dict.fromkeys(bound.literal for bound in bounds))
        try:
            self._values = _computed(work, wanted)
        except QueryError:
            # The query will say what is wrong with a literal, if it comes to that.
            self._values = {}
            for text in wanted:
                with contextlib.suppress(QueryError):
                    self._values |= _computed(work, [text])

    def of(self, bounds: Iterable[ColumnBound]) -> list[tuple[str, str, Any]]:
        """Column, operator and value of the bounds whose literal has one."""
        return [
            (bound.column, bound.operator, self._values[bound.literal])
            for bound in bounds
            if bound.literal in self._values
        ]


def _computed(work: Work, literals: list[str]) -> dict[str, Any]:
    if not literals:
        return {}
    row = work.run("SELECT " + ", ".join(literals)).fetchone()
    return dict(zip(literals, row or (), strict=True))


class RowGroupFilter:
    """The bounds of a predicate: column, operator, value."""

    def __init__(self, bounds: list[tuple[str, str, Any]]) -> None:
        self._bounds = bounds

    def allows(self, group: RowGroup) -> bool:
        """Whether the row group may hold a row that satisfies every bound."""
        return all(self._may_hold(group, *bound) for bound in self._bounds)

    @staticmethod
    def _may_hold(group: RowGroup, column: str, sign: str, value: Any) -> bool:
        chunk = group.chunks.get(column)
        if chunk is None or not chunk.has_statistics:
            return True
        if value is None:
            return False
        least, most = _comparable(chunk.least), _comparable(chunk.most)
        value = _comparable(value)
        try:
            if sign == "=":
                return bool(least <= value <= most)
            side = least if sign.startswith("<") else most
            return _COMPARE[sign](side, value)
        except TypeError:
            return True


def _comparable(value: Any) -> Any:
    """Dates and timestamps compare as timestamps without a zone, text as its bytes."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    if isinstance(value, str):
        return value.encode()
    return value
