"""What the SQL room takes from the catalog and gives to the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dapflow.trino.catalogue import Column, Relation


class Catalog(Protocol):
    """Where table names are looked up."""

    def relation(self, catalog: str | None, database: str | None, name: str) -> Relation | None:
        """Return a table or view, or None. A database of None is the session's."""
        ...

    def has_database(self, database: str) -> bool:
        """Say whether a database exists."""
        ...


@dataclass(frozen=True)
class Reading:
    """What one use of a table reads of it."""

    columns: tuple[str, ...]
    #: DuckDB boolean expression over the relation's columns that every row needed satisfies, or None.
    predicate: str | None = None


@dataclass(frozen=True)
class Scan:
    """One occurrence of a table: `name` stands in the SQL and must exist in DuckDB when the query runs."""

    name: str
    relation: Relation
    columns: tuple[str, ...]
    #: DuckDB boolean expression over the relation's columns that every row needed satisfies, or None.
    predicate: str | None = None
    #: What Trino reads, which runs a WITH query anew for each place that names it. DuckDB runs it once.
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True)
class Query:
    """A compiled query. `sql` gives typed values; `text_sql` gives the same rows as Athena prints them."""

    sql: str
    columns: tuple[Column, ...]
    scans: tuple[Scan, ...]
    text_sql: str
    #: True when the rows have an order that must be kept.
    ordered: bool = False
    #: True when sums are computed in 64 bits. They fail where that is not enough, though the exact ones may not.
    short: bool = False
    #: Offsets of the operators that divide whole numbers, of which people may expect a rest.
    divisions: frozenset[int] = frozenset()
