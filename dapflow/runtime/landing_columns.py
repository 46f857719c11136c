"""Which columns of the table the columns of landing files become, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dapflow.errors import DapflowError
from dapflow.manifest import Column, LandingSource, SourceColumn
from dapflow.runtime.accepted_changes import NONE_ACCEPTED, AcceptedChanges
from dapflow.runtime.column_changes import widens
from dapflow.runtime.column_types import UnsupportedTypeError, hive_type
from dapflow.runtime.conversion import Conversion, conversion, nothing
from dapflow.runtime.formats.registry import format_of
from dapflow.runtime.history import history_columns
from dapflow.runtime.landing.landed import Landed
from dapflow.runtime.parquet_footer import table_type


@dataclass(frozen=True)
class KnownColumns:
    """What is known of the columns before a load: by service.yml, by the table, by what was accepted.

    Attributes:
        source: the columns that the files should have; None before the first load of a source without columns.
        table: the columns of the history table; none before the first load.
    """

    declared: bool
    source: tuple[SourceColumn, ...] | None
    table: tuple[Column, ...] = ()
    accepted: AcceptedChanges = NONE_ACCEPTED

    @classmethod
    def of(cls, source: LandingSource, table: Mapping[str, Any] | None) -> KnownColumns:
        """What a source and its published history table say; None for a table that nothing was published to."""
        if table is None:
            return cls(source.columns is not None, source.columns)
        columns, accepted = tuple(history_columns(dict(table))), AcceptedChanges.of(table)
        earlier = [column for column in columns if column.name not in accepted.successors]
        published = tuple(SourceColumn(column.name, column.type, column.comment) for column in earlier)
        declared = source.columns is not None
        return cls(declared, source.columns if declared else published, columns, accepted)

    def in_files(self, landed: Landed, source: LandingSource) -> list[SourceColumn]:
        """The known columns that the files have. A column of Parquet files is as wide as these have it."""
        types = dict(landed.columns)
        present = [column for column in self.source or () if column.name in types]
        if self.declared or not format_of(source).is_typed:
            return present
        return [_as_wide(column, table_type(types[column.name])) for column in present]

    def becoming(self, column: SourceColumn) -> list[SourceColumn]:
        """The columns of the table that take a column's values: it, and where its type has changed, its successors.

        They are NULL in a generation whose values do not all fit them, as long as one of them takes the values.
        """
        later = list(self.accepted.after(column.name))
        if not later:
            return [column]
        first = next((known.type for known in self.table if known.name == column.name), column.type)
        chain = [replace(column, type=first), *(replace(column, name=after.column, type=after.type) for after in later)]
        wanted = _plain(column.type)
        if self.declared and wanted not in [_plain(link.type) for link in chain]:
            chain[-1] = replace(chain[-1], type=column.type)  # another type again, for which the table is asked
        return chain


@dataclass(frozen=True)
class LandingConversions:
    """How the columns of landing files get into the table, several columns of which may take the values of one.

    Attributes:
        made: those of one column of the files stand together, its last successor last.
        refused: why some cannot take the type of the files, by their numbers in ``made``.
        declared: the numbers of those that have the type that service.yml names.
    """

    made: tuple[Conversion, ...]
    refused: dict[int, DapflowError]
    declared: frozenset[int]

    def dispensable(self, unfit: Collection[int]) -> set[int]:
        """Those of the ``unfit`` that may be NULL, because another one takes the values.

        None that has the type that service.yml names, which is a promise.
        """
        fitting = {made.heading for number, made in enumerate(self.made) if number not in unfit}
        last = {made.heading: number for number, made in enumerate(self.made)}
        unpromised = [number for number in unfit if number not in self.declared]
        return {number for number in unpromised if self.made[number].heading in fitting or number not in last.values()}

    def without(self, numbers: Collection[int]) -> tuple[Conversion, ...]:
        """All of them, some as columns of NULLs."""
        return tuple(_null(made) if number in numbers else made for number, made in enumerate(self.made))


def conversions_of(
    columns: Sequence[SourceColumn], known: KnownColumns, landed: Landed, source: LandingSource
) -> LandingConversions:
    """How each column of the files gets into the table."""
    types = dict(landed.columns)
    inferred = not known.declared and not format_of(source).is_typed
    all_made: list[Conversion] = []
    refused: dict[int, DapflowError] = {}
    declared: set[int] = set()
    for column in columns:
        file_type, inner = types[column.name], landed.read_as.get(column.name, column.name)
        for wanted in known.becoming(column):
            if known.declared and _plain(wanted.type) == _plain(column.type):
                declared.add(len(all_made))
            try:
                made = conversion(wanted, source.nulls, file_type, read_as=inner, inferred=inferred)
            except DapflowError as error:
                if error.code != "landing-value":
                    raise
                refused[len(all_made)] = error
                made = nothing(wanted)
            all_made.append(replace(made, heading=column.name))
    return LandingConversions(tuple(all_made), refused, frozenset(declared))


def _null(made: Conversion) -> Conversion:
    return replace(nothing(SourceColumn(made.name, made.type)), heading=made.heading)


def _as_wide(column: SourceColumn, file_type: str) -> SourceColumn:
    return replace(column, type=file_type) if widens(column.type, file_type) else column


def _plain(kind: str) -> str:
    try:
        return hive_type(kind)
    except UnsupportedTypeError:
        return kind
