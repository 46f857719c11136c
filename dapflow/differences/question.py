"""What is asked of Athena: one query that scans each version once, and one more for a sample of rows.

Rows of both are put together and grouped, by the key or by all their values. A join would say the same, but it finds no
partner for a NULL in the key, and multiplies rows where the key is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from dapflow.differences.columns import ComparedColumn
from dapflow.differences.comparable import comparable, holds_map
from dapflow.differences.versions import Version
from dapflow.runtime.checks.questions import HIDDEN
from dapflow.runtime.column_types import trino_type
from dapflow.runtime.dataset_location import quoted

_NUMBERS = ("tinyint", "smallint", "int", "bigint", "float", "double")
_ORDERED = (*_NUMBERS, "string", "date", "timestamp", "boolean")
HERE, THERE, CHANGED = "here", "there", "changed"


def is_number(kind: str) -> bool:
    """Whether a type, in Glue's spelling, has an average."""
    return kind in _NUMBERS or kind.startswith("decimal")


def is_ordered(kind: str) -> bool:
    """Whether the least and the greatest value of a type say something."""
    return kind in _ORDERED or kind.startswith("decimal")


@dataclass(frozen=True)
class DifferenceQuestion:
    """The queries over two versions.

    In them a column is called by its number: ``c0`` in the rows of both; in what is grouped by a key ``a0`` here and
    ``b0`` there. ``here`` and ``there`` count the rows of a group.

    Attributes:
        key: which of the columns tell rows apart; without any, rows are compared whole, by how often each is there.
        personal: columns whose values are not shown.
    """

    here: Version
    there: Version
    columns: tuple[ComparedColumn, ...]
    key: tuple[str, ...]
    personal: frozenset[str]

    def summary(self) -> str:
        """A query of one row: how many rows differ, and the figures of each column, by the names below."""
        counted = self._counts_by_key() if self.key else self._counts_of_rows()
        figures = [figure for number in self.values for figure in self._figures(number)]
        return "SELECT\n" + ",\n".join([*counted, *figures]) + f"\nFROM (\n{self._groups()}\n)"

    def sample(self, most: int) -> str:
        """A query of at most so many rows of each ``kind``, in order; of whole rows with how often it is there more."""
        if self.key:
            kind = f"""CASE WHEN "there" = 0 THEN '{HERE}' WHEN "here" = 0 THEN '{THERE}' ELSE '{CHANGED}' END"""
            differs = f'"here" = 0 OR "there" = 0 OR {self._any_changed}'
            shown = [self._shown("c", number) for number in self.keys]
            shown += [self._shown(side, number) for number in self.values for side in "ab"]
            order = self._order(self.keys)
        else:
            kind = f"""CASE WHEN "here" > "there" THEN '{HERE}' ELSE '{THERE}' END"""
            differs = '"here" <> "there"'
            shown = [self._shown("c", number) for number in self.values]
            order = self._order(self.values)
        ordered = f" ORDER BY {', '.join(order)}" if order else ""
        some = f'SELECT *, {kind} AS "kind" FROM (\n{self._groups()}\n) WHERE {differs}'
        numbered = f'SELECT *, row_number() OVER (PARTITION BY "kind"{ordered}) AS "nth" FROM (\n{some}\n)'
        times = 'abs("here" - "there") AS "times"'
        listed = ", ".join(['"kind"', times, *shown])
        return f'SELECT {listed} FROM (\n{numbered}\n) WHERE "nth" <= {most} ORDER BY "kind", "nth"'

    @cached_property
    def keys(self) -> list[int]:
        """The numbers of the columns of the key, in its order."""
        names = [column.name for column in self.columns]
        return [names.index(name) for name in self.key]

    @cached_property
    def values(self) -> list[int]:
        """The numbers of all other columns."""
        return [number for number in range(len(self.columns)) if number not in self.keys]

    # ---------------------------------------------------------------------------------- rows, and groups of them
    def _rows(self) -> str:
        return f"{self._side(0, self.here)}\nUNION ALL\n{self._side(1, self.there)}"

    def _side(self, side: int, version: Version) -> str:
        values = [f'{side} AS "side"']
        for number, column in enumerate(self.columns):
            value = quoted(column.name)
            if version.read_as[column.name] != column.type:
                value = f"CAST({value} AS {trino_type(column.type)})"
            values.append(f'{value} AS "c{number}"')
            if holds_map(column.type):
                values.append(f'{comparable(value, column.type)} AS "mc{number}"')
        return f"SELECT {', '.join(values)} FROM {version.source}"

    def _groups(self) -> str:
        """A SELECT of groups: what they are grouped by, how many rows of each version, and of a key their values."""
        by = self.keys if self.key else self.values
        values = [part for number in by for part in self._grouped(number)]
        values += [f'count(CASE WHEN "side" = {side} THEN 1 END) AS "{name}"' for side, name in ((0, HERE), (1, THERE))]
        if self.key:
            values += [part for number in self.values for part in self._by_side(number)]
        grouped = f"\nGROUP BY {', '.join(self._group('c', number) for number in by)}" if by else ""
        return f"SELECT {', '.join(values)} FROM (\n{self._rows()}\n){grouped}"

    def _grouped(self, number: int) -> list[str]:
        if not holds_map(self.columns[number].type):
            return [f'"c{number}"']
        # Of maps that are equal, any one will do.
        return [f'"mc{number}"', f'arbitrary("c{number}") AS "c{number}"']

    def _by_side(self, number: int) -> Iterator[str]:
        """The value of a column in the one row of either version; ``arbitrary`` gives NULL where there is no other."""
        forms = ("", "m") if holds_map(self.columns[number].type) else ("",)
        for form in forms:
            for side, name in ((0, "a"), (1, "b")):
                yield f'arbitrary("{form}c{number}") FILTER (WHERE "side" = {side}) AS "{form}{name}{number}"'

    def _group(self, name: str, number: int) -> str:
        """A column in the form by which it is compared."""
        return f'"{"m" if holds_map(self.columns[number].type) else ""}{name}{number}"'

    def _order(self, numbers: list[int]) -> list[str]:
        """The columns that put rows in order.

        No list, map or row is one: Trino compares values for equality whatever they hold, but puts none in order that
        holds a NULL (``ARRAY comparison not supported for arrays with null elements``, and the same of rows).
        """
        return [f'"c{number}"' for number in numbers if "<" not in self.columns[number].type]

    def _changed(self, number: int) -> str:
        return f"{self._group('a', number)} IS DISTINCT FROM {self._group('b', number)}"

    @property
    def _any_changed(self) -> str:
        return f"({' OR '.join(self._changed(number) for number in self.values) or 'false'})"

    # ----------------------------------------------------------------------------------------------------- figures
    def _counts_by_key(self) -> list[str]:
        conditions = {
            "only_here": '"there" = 0',
            "only_there": '"here" = 0',
            "changed": f'"here" > 0 AND "there" > 0 AND {self._any_changed}',
            "doubled_here": '"here" > 1',
            "doubled_there": '"there" > 1',
        }
        return [
            *_TOTALS,
            *(f'count(CASE WHEN {condition} THEN 1 END) AS "{name}"' for name, condition in conditions.items()),
        ]

    def _counts_of_rows(self) -> list[str]:
        if not self.columns:
            # No row is like another of which nothing compares.
            return [*_TOTALS, 'coalesce(sum("here"), 0) AS "only_here"', 'coalesce(sum("there"), 0) AS "only_there"']
        return [
            *_TOTALS,
            'coalesce(sum(greatest("here" - "there", 0)), 0) AS "only_here"',
            'coalesce(sum(greatest("there" - "here", 0)), 0) AS "only_there"',
        ]

    def _figures(self, number: int) -> Iterator[str]:
        kind, personal = self.columns[number].type, self.columns[number].name in self.personal
        if self.key:
            yield f'count(CASE WHEN "here" > 0 AND "there" > 0 AND {self._changed(number)} THEN 1 END) AS "d{number}"'
        for side, name in (("a", HERE), ("b", THERE)):
            value = f'"{side}{number}"' if self.key else f'CASE WHEN "{name}" > 0 THEN "c{number}" END'
            if self.key:
                yield f'count(CASE WHEN "{name}" > 0 AND {value} IS NULL THEN 1 END) AS "{side}{number}_nulls"'
            else:
                yield f'coalesce(sum(CASE WHEN "c{number}" IS NULL THEN "{name}" END), 0) AS "{side}{number}_nulls"'
            if personal:
                continue
            if is_ordered(kind):
                yield f'min({value}) AS "{side}{number}_least"'
                yield f'max({value}) AS "{side}{number}_greatest"'
            if is_number(kind):
                yield f'{self._average(value, number, name)} AS "{side}{number}_average"'

    def _average(self, value: str, number: int, name: str) -> str:
        as_double = f"CAST({value} AS double)"
        if self.key:
            return f"avg({as_double})"
        # NaN and infinity of a row that is not in this version would not be zero times what they are.
        total = f'sum(CASE WHEN "{name}" > 0 THEN {as_double} * "{name}" END)'
        return f'{total} / sum(CASE WHEN "{name}" > 0 AND "c{number}" IS NOT NULL THEN "{name}" END)'

    def _shown(self, name: str, number: int) -> str:
        value = f'"{name}{number}"'
        if self.columns[number].name not in self.personal:
            return value
        return f"CASE WHEN {value} IS NOT NULL THEN '{HIDDEN}' END AS {value}"


_TOTALS = ('coalesce(sum("here"), 0) AS "rows_here"', 'coalesce(sum("there"), 0) AS "rows_there"')
