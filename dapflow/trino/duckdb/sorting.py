"""Keys of ORDER BY."""

from __future__ import annotations

from collections.abc import Iterable

from dapflow.trino.analysis.typed_calls import SortKey
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import Sql, Text, Word, joined, sql
from dapflow.trino.duckdb.operators import comparable_form


def ordering(keys: Iterable[SortKey], lowering: Lowering) -> Sql:
    """The keys of an ORDER BY in a call or window."""
    return joined(", ", [sort_key(key, lowering) for key in keys])


def sort_key(key: SortKey, lowering: Lowering) -> Sql:
    """One key. A constant would be the number of a column."""
    value = lowering.value(key.expr)
    form = comparable_form(value.sql, value.type)
    if value.const is not None or isinstance(form, Word | Text):
        form = sql("CAST($form AS VARCHAR)", form=form)
    return sorted_by(form, key)


def sorted_by(form: Sql, key: SortKey) -> Sql:
    """What is ordered by, with its direction and Trino's place for NULLs."""
    direction = Word("DESC" if key.descending else "ASC")
    nulls = Word("FIRST" if key.nulls_first else "LAST")
    return sql("$form $direction NULLS $nulls", form=form, direction=direction, nulls=nulls)
