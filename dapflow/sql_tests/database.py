"""The DuckDB in memory on which a process runs its tests, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import duckdb

from dapflow.errors import DapflowError
from dapflow.project.file_position import PlacedValue
from dapflow.sql_tests.given_rows import TypedColumn, written
from dapflow.trino.duckdb import prepare_connection, translate_error
from dapflow.trino.duckdb.runtime import fix_clock
from dapflow.trino.duckdb.storage import quote
from dapflow.trino.duckdb.written_rows import NoFit, is_cut, written_rows
from dapflow.trino.errors import QueryError
from dapflow.trino.types import Type, type_text

#: The memory that a test may take; what it is given is written by hand.
_MEMORY = "1GiB"


class MemoryDatabase:
    """A database that reads and writes no files. ``reached`` are the numbers that its queries came by."""

    def __init__(self) -> None:
        self.reached: set[int] = set()
        #: The queries of which the tables are made, by their names.
        self._made: dict[str, str] = {}
        self._connection = duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY})
        prepare_connection(self._connection)
        self._connection.create_function("reached", _noting(self.reached), ["BIGINT"], "BOOLEAN", side_effects=True)
        # As on the embedded Athena.
        self._connection.execute("SET disabled_optimizers = 'statistics_propagation'")
        self._connection.execute("SET python_enable_replacements = false; SET enable_external_access = false")

    def close(self) -> None:
        """Forget all."""
        self._connection.close()

    def fix_clock(self, now: datetime) -> None:
        """Let it be this moment, in UTC, for all queries from now on."""
        fix_clock(self._connection, now)

    def create(self, name: str, columns: Sequence[TypedColumn], rows: Sequence[Sequence[PlacedValue]]) -> None:
        """Make a table of rows. Raises DapflowError ``bad-value`` for what is not of its type."""
        query = self._written(columns, rows)
        # Tests of a file often share their rows, and no query changes them.
        if self._made.get(name) == query:
            return
        self._made.pop(name, None)
        try:
            self.execute(f"CREATE OR REPLACE TEMP TABLE {quote(name)} AS {query}")
        except QueryError as error:
            raise self._unfit_cell(columns, rows, error) from error
        counts = self.execute(f"SELECT {', '.join(f'count({quote(c)})' for c, _ in columns)} FROM {quote(name)}")[0]  # noqa: S608
        for i, count in enumerate(counts):
            if count != sum(row[i].content is not None for row in rows):
                table = self.execute(f"SELECT {quote(columns[i][0])} FROM {quote(name)}")  # noqa: S608
                _check_values([columns[i]], [(row[i],) for row in rows], table)
        self._made[name] = query

    def values(self, columns: Sequence[TypedColumn], rows: Sequence[Sequence[PlacedValue]]) -> list[tuple[Any, ...]]:
        """Rows that are written, as rows of these types come from a query.

        Raises DapflowError ``bad-value`` for what is not of its type.
        """
        query = self._written(columns, rows)
        try:
            values = self.execute(query)
        except QueryError as error:
            raise self._unfit_cell(columns, rows, error) from error
        _check_values(columns, rows, values)
        return values

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL of our own making. Raises QueryError in Trino's words."""
        try:
            return self._connection.execute(sql).fetchall()
        except duckdb.Error as error:
            raise translate_error(error) from error

    def _written(self, columns: Sequence[TypedColumn], rows: Sequence[Sequence[PlacedValue]]) -> str:
        for row in rows:
            for (name, kind), value in zip(columns, row, strict=True):
                if isinstance(value.content, str) and is_cut(value.content, kind):
                    raise _unfit(name, kind, value)
        try:
            return written_rows(columns, [[written(value) for value in row] for row in rows])
        except NoFit as unfit:
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    self._check_form(column, value)
            raise LookupError(str(unfit)) from unfit  # one of them has raised it

    def _unfit_cell(
        self, columns: Sequence[TypedColumn], rows: Sequence[Sequence[PlacedValue]], error: QueryError
    ) -> DapflowError:
        """The mistake for rows that cannot be read: something within a list or a mapping is not of its type."""
        for row in rows:
            for (name, kind), value in zip(columns, row, strict=True):
                try:
                    self.execute(written_rows([(name, kind)], [[written(value)]]))
                except QueryError as unfit:
                    problem = f"column {name!r} has the type {type_text(kind)}: {unfit.message}"
                    return value.place.error("bad-value", problem)
        return rows[0][0].place.error("bad-value", f"the rows cannot be read: {error.message}")

    def _check_form(self, column: TypedColumn, value: PlacedValue) -> None:
        try:
            written_rows([column], [[written(value)]])
        except NoFit as unfit:
            problem = f"column {column[0]!r} has the type {type_text(column[1])}: {unfit}"
            raise value.place.error("bad-value", problem) from None


def _noting(numbers: set[int]) -> Callable[[int], bool]:
    """See ``typed.CountedResult``. It knows nothing of the connection, which would keep itself alive."""

    def reached(number: int) -> bool:
        numbers.add(number)
        return True

    return reached


def _check_values(
    columns: Sequence[TypedColumn], rows: Sequence[Sequence[PlacedValue]], values: Sequence[Sequence[Any]]
) -> None:
    for row, made in zip(rows, values, strict=True):
        for (name, kind), value, result in zip(columns, row, made, strict=True):
            if value.content is not None and result is None:
                raise _unfit(name, kind, value)


def _unfit(name: str, kind: Type, value: PlacedValue) -> DapflowError:
    problem = f"{value.content!r} is not of the type {type_text(kind)}, which column {name!r} has"
    return value.place.error("bad-value", problem, _HINTS.get(kind.base))


_HINTS = {
    "date": "write it as 2013-12-31",
    "timestamp": "write it as 2013-12-31 23:59:00",
    "boolean": "write true or false",
    "unknown": "the query gives nothing but NULL there: write null",
}
