"""What became of a table's columns, and what of it the generations of before can be read through.

Athena finds columns of Parquet by name, and reads a partition that has a column by another type than the table as far
as it converts the one to the other (https://docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dapflow.manifest import Column

# https://docs.aws.amazon.com/athena/latest/ug/updates-changing-column-type.html
_WHOLE = ("tinyint", "smallint", "int", "bigint")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True)
class ColumnChange:
    """A column that the table has otherwise than what is to be published: ``was`` and ``now`` are types of Glue's.

    ``was`` is None for a new column, ``now`` for one that is gone.
    """

    name: str
    was: str | None
    now: str | None

    @property
    def lost(self) -> bool:
        """Whether the column is gone."""
        return self.now is None

    @property
    def breaking(self) -> bool:
        """Whether the column is gone, or has a type as which Athena cannot read the values of before."""
        return self.was is not None and (self.now is None or not widens(self.was, self.now))

    def __str__(self) -> str:
        """In words: ``column seats is gone``."""
        if self.now is None:
            return f"column {self.name} is gone"
        return f"column {self.name} {f'was {self.was} and is now' if self.was else 'is new,'} {self.now}"


def widens(was: str, now: str) -> bool:
    """Whether Athena reads every value of a Parquet column of the type ``was`` unchanged as one of the type ``now``.

    Whole numbers and ``float`` to ``double`` are what AWS lists; decimals are converted by Trino
    (https://github.com/trinodb/trino/issues/137), exactly where neither side of the point gets shorter.
    """
    if was in _WHOLE and now in _WHOLE:
        return _WHOLE.index(was) < _WHOLE.index(now)
    if (before := _DECIMAL.fullmatch(was)) and (after := _DECIMAL.fullmatch(now)):
        (digits, scale), (more_digits, more_scale) = (map(int, match.groups()) for match in (before, after))
        return was != now and more_scale >= scale and more_digits - more_scale >= digits - scale
    return (was, now) == ("float", "double")


def changes(before: Iterable[Column], now: Iterable[Column]) -> list[ColumnChange]:
    """The columns that are new, gone, or of a type as which the table does not show them, in the table's order."""
    known = {column.name: column.type for column in before}
    types = {column.name: column.type for column in now}
    changed = [
        ColumnChange(name, kind, types.get(name))
        for name, kind in known.items()
        if types.get(name) != kind and not (name in types and widens(types[name], kind))
    ]
    return changed + [ColumnChange(name, None, kind) for name, kind in types.items() if name not in known]


def table_columns(before: Sequence[Column], now: Sequence[Column]) -> list[Column]:
    """The columns of a table that shows both: those before, as wide as any of the two has them, then what is new."""
    newer = {column.name: column for column in now}
    known = {column.name for column in before}
    return [
        *(_wider(column, newer[column.name]) if column.name in newer else column for column in before),
        *(column for column in now if column.name not in known),
    ]


def partition_columns(before: Sequence[Column], now: Sequence[Column]) -> list[Column]:
    """The columns that the files of a partition have, with the types that they have there, in the table's order.

    Of columns that it lacks, Athena reads NULLs.
    """
    stored = {column.name: column.type for column in now}
    both = table_columns(before, now)
    return [replace(column, type=stored[column.name]) for column in both if column.name in stored]


def _wider(before: Column, now: Column) -> Column:
    return replace(before, type=now.type if widens(before.type, now.type) else before.type, comment=now.comment)
