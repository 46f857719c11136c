"""Tables in FROM."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.trino.analysis.typed_queries import OutputColumn, Table
from dapflow.trino.duckdb.nodes import Member, Name, Sql, Variable, sql


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table at its place in FROM: what the SQL knows it by, and what it is called there."""

    name: str
    alias: Variable
    table: Table

    def columns(self) -> list[Sql]:
        """What its columns are called."""
        return [from_stored(Member(self.alias, Name(column.written or "")), column) for column in self.table.columns]


def from_stored(stored: Sql, column: OutputColumn) -> Sql:
    """A column that is stored, in the form that values of its type have here."""
    if column.type.base == "char":
        return sql("rtrim($stored, ' ')", stored=stored)
    if column.type.base == "timestamp_tz":
        return sql("t_zone_struct(CAST($stored AS TIMESTAMP), 'UTC')", stored=stored)
    return stored
