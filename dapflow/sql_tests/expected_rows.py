"""The rows that a test expects, beside those that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dapflow.project.file_position import PlacedValue
from dapflow.project.sql_test_terms import ExpectTerms
from dapflow.sql_tests.comparison import difference
from dapflow.sql_tests.database import MemoryDatabase
from dapflow.sql_tests.given_rows import TypedColumn, by_column
from dapflow.sql_tests.outcome import RowDifference
from dapflow.sql_tests.prepared_test import PreparedTest, written_rows_of


@dataclass(frozen=True)
class ExpectedRows:
    """Rows over some of a query's columns, by their places; without rows, over all."""

    columns: tuple[TypedColumn, ...]
    places: tuple[int, ...]
    rows: tuple[tuple[PlacedValue, ...], ...]
    ordered: bool
    tolerance: float

    @classmethod
    def of(cls, prepared: PreparedTest, known: Sequence[TypedColumn], *, is_ordered: bool) -> ExpectedRows:
        """What a test expects of a query with these columns. Raises DapflowError ``unknown-column``, ``bad-value``."""
        said = prepared.test.terms.expect
        terms = said if isinstance(said, ExpectTerms) else ExpectTerms()
        if terms.ordered and not is_ordered:
            message = f"{prepared.tested} has no ORDER BY at its end, so its rows have no order"
            raise terms.at["ordered"].error("bad-value", message, "delete ordered, or order the rows")
        written = written_rows_of(prepared.test, said)
        names = [name.lower() for name, _ in known]
        rows = [by_column(row, names, prepared.tested) for row in written]
        for row in rows:
            _check_named(row, rows[0], prepared)
        named = list(rows[0]) if rows else names
        places = tuple(names.index(name) for name in named) if rows else tuple(range(len(known)))
        return cls(
            tuple(known[place] for place in places),
            places,
            tuple(tuple(row[name] for name in named) for row in rows),
            terms.ordered,
            terms.tolerance or 0.0,
        )

    def difference(self, database: MemoryDatabase, came: Sequence[tuple[Any, ...]]) -> RowDifference | None:
        """How the rows that came differ. Raises DapflowError ``bad-value`` for a value that is not of its type."""
        expected = database.values(self.columns, self.rows) if self.rows else []
        compared = [tuple(row[place] for place in self.places) for row in came]
        return difference(self.columns, expected, compared, ordered=self.ordered, tolerance=self.tolerance)


def _check_named(row: dict[str, PlacedValue], first: dict[str, PlacedValue], prepared: PreparedTest) -> None:
    """All rows name the same columns: one that is left out might mean NULL, or anything."""
    if not row:
        raise prepared.test.place.error("bad-value", "an expected row names no column", "name one of them: {…: …}")
    lacking = [name for name in first if name not in row]
    further = [name for name in row if name not in first]
    if lacking or further:
        message = f"this row names no {lacking[0]}" if lacking else f"the first row names no {further[0]}"
        hint = "all expected rows name the same columns; write null where NULL is expected"
        raise next(iter(row.values())).place.error("bad-value", message, hint)
