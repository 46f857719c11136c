"""SELECT, in the order in which it is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from dapflow.trino.analysis.typed import OutputRef
from dapflow.trino.analysis.typed_calls import SortKey
from dapflow.trino.analysis.typed_queries import Select
from dapflow.trino.duckdb.calls import is_of_outer_columns, window_call
from dapflow.trino.duckdb.drawing import Terms, kept, of_each_group, terms_of, where
from dapflow.trino.duckdb.groups import grouped
from dapflow.trino.duckdb.lowering import Frame, Lowering
from dapflow.trino.duckdb.nodes import NOTHING, Member, Sql, Variable, Word, joined, sql
from dapflow.trino.duckdb.operators import comparable_form
from dapflow.trino.duckdb.relations import relation
from dapflow.trino.duckdb.sorting import sort_key, sorted_by
from dapflow.trino.duckdb.values import Value


class LoweredSelect(NamedTuple):
    """A SELECT and the keys of the ORDER BY behind it."""

    sql: Sql
    keys: Sequence[Sql]


def select(node: Select, lowering: Lowering, order: Sequence[SortKey] = (), *, named: bool = False) -> LoweredSelect:
    """One SELECT with the ORDER BY that follows it.

    The keys may be places of columns. `named` keys are names instead, for a query around the SELECT.
    """
    lowering = lowering.within(Frame())
    own = Variable("q")
    source = _from(node, own, lowering)
    frame, groups = grouped(node, Member(own, Word("c0")), lowering) if node.grouped else (Frame(), NOTHING)
    having = _having(node, lowering.within(frame))
    frame = replace(frame, windows=[window_call(call, lowering.within(frame)) for call in node.windows])
    values = [lowering.within(frame).value(item) for item in node.items]
    columns = [_column(value, f"c{i}") for i, value in enumerate(values)]
    lowering = lowering.within(replace(frame, outputs=[value.sql for value in values]))
    if named:
        added, keys = _named(order, values, lowering)
        columns += added
    else:
        keys = [_key(key, values, lowering) for key in order]
    distinct = _distinct_by(values) if node.distinct else NOTHING
    whole = sql("SELECT $distinct$columns", distinct=distinct, columns=columns)
    return LoweredSelect(joined("", (whole, source, groups, having)), keys)


def _from(node: Select, own: Variable, lowering: Lowering) -> Sql:
    """FROM and WHERE, with a row of the SELECT's own beside it where an aggregate needs one."""
    sources = [] if node.source is None else [relation(node.source, lowering)]
    terms = terms_of(node.where, lowering)
    if node.source is not None and terms.drawn is not None:
        sources, terms = [kept(node.source, sources[0], terms, lowering)], Terms()
    if any(map(is_of_outer_columns, node.aggregates)):
        sources.append(sql("(SELECT TRUE AS c0) AS $own", own=own))
    whole = sql(" FROM $sources", sources=sources) if sources else NOTHING
    return joined("", (whole, where(terms)))


def _having(node: Select, lowering: Lowering) -> Sql:
    terms = terms_of(node.having, lowering)
    if terms.drawn is not None:
        terms = terms._replace(drawn=of_each_group(terms.drawn))
    whole = terms.whole()
    return NOTHING if whole is None else sql(" HAVING $condition", condition=whole)


def _column(value: Value, name: str) -> Sql:
    held = sql("CAST($value AS INTEGER)", value=value.sql) if value.type.base == "unknown" else value.sql
    return sql("$held AS $name", held=held, name=Word(name))


def _distinct_by(values: Sequence[Value]) -> Sql:
    """DISTINCT; rows may be equal though they look different."""
    forms = [comparable_form(value.sql, value.type) for value in values]
    if all(form is value.sql for form, value in zip(forms, values, strict=True)):
        return Word("DISTINCT ")
    # A column by its place, as DuckDB takes no constant here.
    keys = [
        Word(str(place)) if form is value.sql else form
        for place, (form, value) in enumerate(zip(forms, values, strict=True), 1)
    ]
    return sql("DISTINCT ON ($keys) ", keys=keys)


# ------------------------------------------------------------------------------------------------------ order
def _key(key: SortKey, values: Sequence[Value], lowering: Lowering) -> Sql:
    """A key of ORDER BY; the place of a column where it is one."""
    place = _place(key, values)
    return sort_key(key, lowering) if place is None else sorted_by(Word(str(place + 1)), key)


def _place(key: SortKey, values: Sequence[Value]) -> int | None:
    """The output column that a key is, if it is ordered by just as it is."""
    if not isinstance(key.expr, OutputRef):
        return None
    value = values[key.expr.position]
    return key.expr.position if comparable_form(value.sql, value.type) is value.sql else None


def _named(order: Sequence[SortKey], values: Sequence[Value], lowering: Lowering) -> tuple[list[Sql], list[Sql]]:
    """Columns for the keys that are none, and the keys by names of columns."""
    columns: list[Sql] = []
    keys = []
    for i, key in enumerate(order):
        place = _place(key, values)
        name = Word(f"k{i}" if place is None else f"c{place}")
        if place is None:
            value = lowering.value(key.expr)
            columns.append(sql("$form AS $name", form=comparable_form(value.sql, value.type), name=name))
        keys.append(sorted_by(name, key))
    return columns, keys
