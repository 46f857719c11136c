"""What the server is told of the tables that a query reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dapflow.trino.analysis.readings import TableReading, TooManyReadings, count_readings, readings
from dapflow.trino.analysis.typed_queries import Query, Table
from dapflow.trino.duckdb.conditions import one_of
from dapflow.trino.duckdb.lowering import Lowering, Notes
from dapflow.trino.duckdb.model import Scan, ScanReading
from dapflow.trino.duckdb.nodes import Name, Variable
from dapflow.trino.duckdb.pruning import TableConditions
from dapflow.trino.duckdb.tables import NamedTable, from_stored

#: Trino refuses more than 150 stages, and a table that is read is at least one of them.
_MOST_READINGS = 1_000


def scans(query: Query, lowering: Lowering, named: Mapping[Variable, set[str]]) -> tuple[Scan, ...]:
    """The scans of a query: those of tables that its SQL reads, which names these columns of its relations."""
    if not lowering.notes.tables:
        return ()
    by_table: dict[int, list[TableReading]] = defaultdict(list)
    for reading in readings(query, counts_of_readings(query, lowering)):
        by_table[reading.table.number].append(reading)
    tables = [table for table in lowering.notes.tables.values() if table.alias in named]
    return tuple(_scan(table, by_table[table.table.number], named[table.alias], lowering) for table in tables)


def counts_of_readings(query: Query, lowering: Lowering) -> dict[int, int]:
    """How many tables are read for each WITH query, by its identity. Raises QueryError where Trino refuses so many."""
    if not lowering.notes.tables:
        return {}
    try:
        return count_readings(query, _MOST_READINGS)
    except TooManyReadings as error:
        problem = "Number of stages in the query exceeds the allowed maximum (150)"
        lowering.fail("QUERY_HAS_TOO_MANY_STAGES", error.place, problem)


def _scan(named_table: NamedTable, table_readings: Sequence[TableReading], named: set[str], lowering: Lowering) -> Scan:
    table = named_table.table
    relation = table.relation
    assert relation is not None  # noqa: S101 - a table that is not known is not lowered
    known = tuple(column.name for column in (*relation.columns, *relation.hidden))
    conditions = _conditions(table, lowering)
    read = tuple(
        ScanReading(
            tuple(name for name in known if name.lower() in reading.columns),
            tuple(map(conditions.condition, reading.conditions)),
        )
        for reading in table_readings
    )
    whole = {name for reading in read for name in reading.columns}
    return Scan(
        named_table.name,
        relation,
        tuple(name for name in known if name in whole),
        one_of([reading.predicate for reading in read]),
        read,
        tuple(name for name in known if name in named),
    )


def _conditions(table: Table, lowering: Lowering) -> TableConditions:
    columns = [from_stored(Name(column.written or ""), column) for column in table.columns]
    return TableConditions(table, replace(lowering, notes=Notes(columns={table.number: columns})))
