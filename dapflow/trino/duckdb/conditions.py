"""What holds for every row that is needed of a table, and what it says of single columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dapflow.trino.duckdb.nodes import Sql, Word, joined, sql
from dapflow.trino.duckdb.printer import printed


@dataclass(frozen=True, slots=True)
class ColumnBound:
    """``column <operator> literal``; ``operator`` is one of ``=  <  <=  >  >=``. ``literal`` is DuckDB SQL."""

    column: str
    operator: str
    literal: str


@dataclass(frozen=True, slots=True)
class ColumnValues:
    """``column`` must equal one of ``literals``, which are DuckDB SQL."""

    column: str
    literals: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in DuckDB's SQL, with the columns that it names, in lower case."""

    sql: str
    columns: frozenset[str]
    values: tuple[ColumnValues, ...] = ()
    bounds: tuple[ColumnBound, ...] = ()


#: Conditions that must all be true.
Conditions = tuple[Condition, ...]


def text_of(conditions: Conditions) -> str | None:
    """All conditions as one, in DuckDB's SQL; None where there are none."""
    return printed(_all_of(conditions)) if conditions else None


def _all_of(conditions: Conditions) -> Sql:
    return joined(" AND ", [Word(condition.sql) for condition in conditions])


def one_of(alternatives: Sequence[Conditions]) -> Conditions:
    """What holds where the conditions of one of some alternatives hold."""
    distinct = list(dict.fromkeys(alternatives))
    if len(distinct) == 1:
        return distinct[0]
    if not distinct or () in distinct:
        return ()
    branches = [sql("($conditions)", conditions=_all_of(conditions)) for conditions in distinct]
    whole = printed(sql("($branches)", branches=joined(" OR ", branches)))
    columns = frozenset(name for conditions in distinct for condition in conditions for name in condition.columns)
    return (Condition(whole, columns, either([all_values(conditions) for conditions in distinct])),)


def all_values(conditions: Conditions) -> tuple[ColumnValues, ...]:
    """The values that columns must have, each as the first condition that says so."""
    return every([condition.values for condition in conditions])


def every(terms: Sequence[Sequence[ColumnValues]]) -> tuple[ColumnValues, ...]:
    """The values that columns must have where all of some terms hold, each as the first term that says so."""
    values: dict[str, ColumnValues] = {}
    for term in terms:
        for column_values in term:
            values.setdefault(column_values.column, column_values)
    return tuple(values.values())


def either(branches: Sequence[Sequence[ColumnValues]]) -> tuple[ColumnValues, ...]:
    """The values that columns must have where one of some branches holds."""
    known = [{column_values.column: column_values.literals for column_values in branch} for branch in branches]
    return tuple(
        ColumnValues(column, tuple(dict.fromkeys(value for branch in known for value in branch[column])))
        for column in known[0]
        if all(column in branch for branch in known)
    )
