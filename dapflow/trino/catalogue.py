"""What a catalogue knows of tables, in which "not known" is another answer than "does not exist"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

#: The type of a column of which only the name is known.
UNCHECKED = "unchecked"


@dataclass(frozen=True)
class ColumnMetadata:
    """A column with its Trino type as text, such as `varchar(10)` or `row(a bigint, b varchar)`, or UNCHECKED."""

    name: str
    type: str


@dataclass(frozen=True)
class Relation:
    """What the catalog knows of one table or view. Partition columns are among the columns.

    `view_database` is where a view's text looks for names without a database, if it is not the view's own.
    """

    catalog: str
    database: str
    name: str
    columns: tuple[ColumnMetadata, ...]
    hidden: tuple[ColumnMetadata, ...] = ()
    partition_columns: tuple[str, ...] = ()
    view_sql: str | None = None
    view_database: str | None = None


class NotKnown(Enum):
    """That a table is there, or may be, and nobody here knows its columns."""

    NOT_KNOWN = "not known"


NOT_KNOWN = NotKnown.NOT_KNOWN


class Catalogue(Protocol):
    """Where table names are looked up."""

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | NotKnown | None:
        """A table or view; NOT_KNOWN where its columns are not known; None where there is none.

        A database of None is the session's.
        """
        ...

    def has_database(self, database: str) -> bool:
        """Whether a database exists."""
        ...
