"""GROUP BY: keys, grouping sets and aggregates."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis.typed import ColumnRef, Expr, Literal
from dapflow.trino.analysis.typed_queries import Select
from dapflow.trino.duckdb.calls import aggregate
from dapflow.trino.duckdb.lowering import Frame, Lowering
from dapflow.trino.duckdb.nodes import NOTHING, Computed, Sql, Word, sql
from dapflow.trino.duckdb.operators import comparable_form
from dapflow.trino.duckdb.values import Value, cast


def grouped(node: Select, own: Sql, lowering: Lowering) -> tuple[Frame, Sql]:
    """What keys and aggregates of a SELECT are, and its GROUP BY. For `own` see `aggregate`."""
    values = [_grouped_by(key, lowering) for key in node.keys]
    forms = [comparable_form(value.sql, value.type) for value in values]
    several = len(node.sets) != 1
    keys = [
        value.sql if form is value.sql else _any_of(value, form, several)
        for value, form in zip(values, forms, strict=True)
    ]
    aggregates = [aggregate(call, lowering, own) for call in node.aggregates]
    _bind_columns_to_keys(node.keys, keys, lowering)
    return Frame(keys=keys, key_forms=forms, aggregates=aggregates), _group_by(node, forms)


def _grouped_by(key: Expr, lowering: Lowering) -> Value:
    value = lowering.value(key)
    if value.const is None and not isinstance(key, Literal):
        return value
    # A number on its own would be the place of a column.
    return Value(cast(value.sql, value.type), value.type)


def _any_of(value: Value, form: Sql, several: bool) -> Sql:
    """Values that are equal may look different: any of them stands for the group."""
    any_value = sql("any_value($value)", value=value.sql)
    if several:
        any_value = sql("CASE WHEN grouping($form) = 0 THEN $any_value END", form=form, any_value=any_value)
    return Computed(any_value)


def _bind_columns_to_keys(keys: Sequence[Expr], key_sql: Sequence[Sql], lowering: Lowering) -> None:
    """From now on a column means the key that it is: subqueries may refer to it."""
    for key, sql_of_key in zip(keys, key_sql, strict=True):
        if isinstance(key, ColumnRef) and key.outer == 0:
            columns = [*lowering.notes.columns[key.relation]]
            columns[key.position] = sql_of_key
            lowering.notes.columns[key.relation] = columns


def _group_by(node: Select, forms: Sequence[Sql]) -> Sql:
    sets = [[forms[key] for key in keys] for keys in node.sets]
    if len(sets) != 1:
        return sql(" GROUP BY GROUPING SETS ($sets)", sets=[sql("($keys)", keys=keys) for keys in sets])
    if not sets[0]:
        # Aggregates and HAVING say as much.
        return NOTHING if node.aggregates or node.having is not None else Word(" GROUP BY ()")
    return sql(" GROUP BY $keys", keys=sets[0])
