"""What a scan's conditions say of partitions and of row groups."""

from __future__ import annotations

from collections.abc import Iterable

from dapflow.trino.duckdb.conditions import ColumnBound, Conditions, text_of


class Predicate:
    """Conditions over a relation's columns that must all be true."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions

    def over(self, columns: Iterable[str]) -> str | None:
        """The conditions that can be decided from ``columns`` alone, in DuckDB's SQL, or None if there are none."""
        known = {column.lower() for column in columns}
        return text_of(tuple(item for item in self._conditions if item.columns <= known))

    def values_of(self, column: str) -> tuple[str, ...] | None:
        """DuckDB literals that ``column`` must equal one of, or None if the conditions do not say."""
        return next(
            (equal.literals for item in self._conditions for equal in item.values if equal.column == column), None
        )

    def bounds(self) -> list[ColumnBound]:
        """The comparisons of one column with a literal that must be true."""
        return [bound for item in self._conditions for bound in item.bounds]
