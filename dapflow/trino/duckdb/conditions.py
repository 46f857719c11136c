"""What holds for every row that is needed of a table, and what it says of single columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
    return " AND ".join(one.sql for one in conditions) or None


def one_of(alternatives: Sequence[Conditions]) -> Conditions:
    """What holds where the conditions of one of some alternatives hold."""
    found = list(dict.fromkeys(alternatives))
    if len(found) == 1:
        return found[0]
    if not found or () in found:
        return ()
    sql = " OR ".join(f"({text_of(conditions)})" for conditions in found)
    columns = frozenset(name for conditions in found for one in conditions for name in one.columns)
    return (Condition(f"({sql})", columns, either([all_values(conditions) for conditions in found])),)


def all_values(conditions: Conditions) -> tuple[ColumnValues, ...]:
    """The values that columns must have, each as the first condition that says so."""
    return every([one.values for one in conditions])


def every(terms: Sequence[Sequence[ColumnValues]]) -> tuple[ColumnValues, ...]:
    """The values that columns must have where all of some terms hold, each as the first term that says so."""
    found: dict[str, ColumnValues] = {}
    for term in terms:
        for one in term:
            found.setdefault(one.column, one)
    return tuple(found.values())


def either(branches: Sequence[Sequence[ColumnValues]]) -> tuple[ColumnValues, ...]:
    """The values that columns must have where one of some branches holds."""
    known = [{one.column: one.literals for one in branch} for branch in branches]
    return tuple(
        ColumnValues(column, tuple(dict.fromkeys(value for branch in known for value in branch[column])))
        for column in known[0]
        if all(column in branch for branch in known)
    )
