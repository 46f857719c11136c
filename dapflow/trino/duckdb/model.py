"""What the SQL room gives to the server."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.trino.catalogue import ColumnMetadata, Relation
from dapflow.trino.duckdb.conditions import Conditions


@dataclass(frozen=True)
class ScanReading:
    """What one use of a table reads of it: columns, and what every row that is needed satisfies."""

    columns: tuple[str, ...]
    predicate: Conditions = ()


@dataclass(frozen=True)
class Scan:
    """One occurrence of a table: `name` stands in the SQL and must exist in DuckDB when the query runs."""

    name: str
    relation: Relation
    columns: tuple[str, ...]
    #: What every row that is needed satisfies.
    predicate: Conditions = ()
    #: What Trino reads, which runs a WITH query anew for each place that names it. DuckDB runs it once.
    readings: tuple[ScanReading, ...] = ()
    #: The columns that the SQL names, read or not.
    named: tuple[str, ...] = ()


@dataclass(frozen=True)
class CompiledQuery:
    """A compiled query. `sql` gives typed values; `text_sql` gives the same rows as Athena prints them."""

    sql: str
    columns: tuple[ColumnMetadata, ...]
    scans: tuple[Scan, ...]
    text_sql: str
    #: True when the rows have an order that must be kept.
    ordered: bool = False
    #: True when sums are computed in 64 bits. They fail where that is not enough, though the exact ones may not.
    short: bool = False
    #: Offsets of the operators that divide whole numbers, of which people may expect a rest.
    divisions: frozenset[int] = frozenset()
