"""The rows that a test gives of a table, and which of them a run of a generation reads."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.manifest import Dataset
from dapflow.project.file_position import FilePosition, PlacedText, PlacedValue
from dapflow.project.sql_test_terms import Rows
from dapflow.runtime.generation import Generation
from dapflow.trino.duckdb.written_rows import WrittenValue
from dapflow.trino.types import Type

#: A column and its type.
TypedColumn = tuple[str, Type]
_SHOWN = 12


@dataclass(frozen=True)
class GivenRow:
    """A row: what it has in each column, and its generation; None where its import date is no date."""

    values: tuple[PlacedValue, ...]
    generation: Generation | None


@dataclass(frozen=True)
class GivenTable:
    """A table with its rows. ``place`` is where the test names it."""

    dataset: Dataset
    columns: tuple[TypedColumn, ...]
    rows: tuple[GivenRow, ...]
    place: FilePosition

    def current(self, run: Generation) -> list[GivenRow]:
        """What the current view shows to a run: the newest generation that is not after it."""
        if not self.dataset.has_generations:
            return list(self.rows)
        known = [row.generation for row in self.rows if row.generation is not None and row.generation <= run]
        newest = max(known, default=None)
        return [row for row in self.rows if newest is not None and row.generation == newest]

    def history(self, run: Generation, *, own: bool) -> list[GivenRow]:
        """What a run reads of the history: nothing after it, and of the product's ``own`` nothing of it either."""
        if not self.dataset.has_generations:
            return list(self.rows)
        return [
            row
            for row in self.rows
            if row.generation is None or row.generation < run or (row.generation == run and not own)
        ]


def newest_generation(dataset: Dataset, rows: Rows) -> Generation | None:
    """The newest generation that rows name."""
    date = dataset.generation.names[3]
    named = [value.content for row in rows for name, value in row.items() if name.text.lower() == date]
    generations = [Generation.of_values(("", "", "", text)) for text in named if isinstance(text, str)]
    return max((generation for generation in generations if generation is not None), default=None)


def given_table(
    dataset: Dataset, columns: Sequence[TypedColumn], rows: Rows, place: FilePosition, run: Generation
) -> GivenTable:
    """The rows as the table has them. Raises DapflowError ``unknown-column``, ``duplicate-key`` or ``bad-value``."""
    names = [name for name, _ in columns]
    given = []
    for row in rows:
        values = by_column(row, names, dataset.current)
        generation = _add_generation(values, dataset, place, run) if dataset.has_generations else None
        cells = tuple(values.get(name, PlacedValue(None, place)) for name in names)
        given.append(GivenRow(cells, generation))
    return GivenTable(dataset, tuple(columns), tuple(given), place)


def by_column(row: dict[PlacedText, PlacedValue], columns: Sequence[str], called: str) -> dict[str, PlacedValue]:
    """The values of a row by column, in lower case. Raises DapflowError for a column that is not there, or is twice."""
    values: dict[str, PlacedValue] = {}
    for name, value in row.items():
        column = name.text.lower()
        if column not in columns:
            raise name.place.error("unknown-column", f"{called} has no column {name.text!r}", nearest(column, columns))
        if column in values:
            raise name.place.error("duplicate-key", f"column {column!r} stands in the row twice")
        values[column] = value
    return values


def nearest(name: str, names: Sequence[str]) -> str:
    """A hint for a name that is not among these."""
    near = difflib.get_close_matches(name, names, n=1)
    listed = f"{', '.join(names[:_SHOWN])}{' …' if len(names) > _SHOWN else ''}"
    return f"did you mean {near[0]!r}?" if near else f"there are {listed}" if names else "there are none"


def written(value: PlacedValue) -> WrittenValue:
    """A value without its place."""
    if isinstance(value.content, tuple):
        return [written(item) for item in value.content]
    if isinstance(value.content, dict):
        return {name: written(item) for name, item in value.content.items()}
    return value.content


def _add_generation(
    values: dict[str, PlacedValue], dataset: Dataset, place: FilePosition, run: Generation
) -> Generation | None:
    """The generation of a row, whose columns it gets as far as it has none: the run's, unless it says another."""
    names = dataset.generation.names
    said = [name for name in names if name in values]
    if said and names[3] not in values:
        raise _without_date(values[said[0]].place, said[0], names[3])
    written_date = values[names[3]].content if said else run.key
    texts = [values[name].content if name in values else "" for name in names]
    generation = Generation.of_values([text if isinstance(text, str) else "" for text in texts]) if said else run
    parts = generation.values[:3] if generation is not None else ("", "", "")
    for name, text in zip(names, (*parts, written_date), strict=True):
        values.setdefault(name, PlacedValue(text, place))
    return generation


def _without_date(place: FilePosition, said: str, date: str) -> DapflowError:
    return place.error("bad-value", f"a row that names {said} names {date} too", f"write {date}: 20131231")
