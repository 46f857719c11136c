"""The tables that a compiled query reads, made of the rows that a test gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dapflow.errors import DapflowError
from dapflow.project.file_position import PlacedValue
from dapflow.project.sql_test_terms import Rows
from dapflow.sql_tests.catalogue import ProjectUnderTest
from dapflow.sql_tests.database import MemoryDatabase
from dapflow.sql_tests.given_rows import TypedColumn, given_table
from dapflow.sql_tests.prepared_test import GivenInput, PreparedTest
from dapflow.trino.catalogue import Relation
from dapflow.trino.duckdb import CompiledQuery, Scan
from dapflow.trino.duckdb.storage import quote
from dapflow.trino.types import parse_type


def over_given(compiled: CompiledQuery) -> CompiledQuery:
    """A query with the given tables written into it, in the place of those that it scans."""
    if not compiled.scans:
        return compiled
    scans = ", ".join(
        f"{quote(scan.name)} AS NOT MATERIALIZED (SELECT {_scanned(scan)} FROM {quote(_name(scan.relation))})"  # noqa: S608
        for scan in compiled.scans
    )
    return replace(compiled, sql=f"WITH {scans} {compiled.sql}")


@dataclass(frozen=True)
class ReadTable:
    """A table that a query reads, with the rows that it shows to the test's run."""

    name: str
    columns: Sequence[TypedColumn]
    rows: list[tuple[PlacedValue, ...]]


def read_tables(project: ProjectUnderTest, prepared: PreparedTest, compiled: CompiledQuery) -> list[ReadTable]:
    """The tables that a query reads. Raises DapflowError ``not-given``, or for rows that name no such column."""
    relations = {_name(scan.relation): scan.relation for scan in compiled.scans}
    return [_read_table(project, prepared, relation) for relation in relations.values()]


def create_given(database: MemoryDatabase, tables: Sequence[ReadTable]) -> None:
    """Make tables. Raises DapflowError ``bad-value`` for a value that is not of its column's type."""
    for table in tables:
        database.create(table.name, table.columns, table.rows)


def _read_table(project: ProjectUnderTest, prepared: PreparedTest, relation: Relation) -> ReadTable:
    role = project.role(relation, prepared.dataset)
    given = prepared.given.get(role.dataset.id)
    if given is None:
        called = project.called(role.dataset, prepared.dataset)
        hint = f"write its rows under given, or that it has none: {called}: []"
        raise DapflowError("not-given", f"{prepared.tested} reads {called}, and the test does not give it", hint=hint)
    columns = [(column.name, parse_type(column.type)) for column in relation.columns]
    rows = _of_partitions(given, columns) if role.suffix else given.rows
    table = given_table(role.dataset, columns, rows, given.name.place, prepared.generation)
    own = role.dataset.id == prepared.dataset.id
    run = prepared.generation
    read = table.current(run) if role.kind == "current" else table.history(run, own=own)
    values = [row.values for row in read]
    if role.suffix:
        values = list({tuple(cell.content for cell in row): row for row in values}.values())
    return ReadTable(_name(relation), columns, values)


def _of_partitions(given: GivenInput, columns: Sequence[TypedColumn]) -> Rows:
    """What rows say of their partition."""
    names = {name for name, _ in columns}
    return tuple({name: value for name, value in row.items() if name.text.lower() in names} for row in given.rows)


def _scanned(scan: Scan) -> str:
    """All columns; those of files are NULL, for there are none."""
    hidden = [column for column in scan.relation.hidden if column.name in (*scan.columns, *scan.named)]
    return ", ".join(["*", *(f"CAST(NULL AS VARCHAR) AS {quote(column.name)}" for column in hidden)])


def _name(relation: Relation) -> str:
    """What a table is called in the database of tests."""
    return f"{relation.database}.{relation.name}"
