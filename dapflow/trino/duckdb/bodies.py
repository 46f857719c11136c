"""What stands before ORDER BY: SELECT, VALUES, set operations, and queries in parentheses."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.analysis.typed import Expr, OutputRef
from dapflow.trino.analysis.typed_queries import Nested, QueryBody, Select, SetOperation, Values
from dapflow.trino.duckdb.lowering import Frame, Lowering
from dapflow.trino.duckdb.nodes import Sql, Variable, Word, sql
from dapflow.trino.duckdb.selects import select
from dapflow.trino.duckdb.set_operations import converted, set_operation
from dapflow.trino.duckdb.values import cast


def body(node: QueryBody, lowering: Lowering) -> Sql:
    """A body, whose columns are named c0, c1, …"""
    if isinstance(node, Select):
        return select(node, lowering).sql
    if isinstance(node, Values):
        return _values(node, lowering)
    if isinstance(node, Nested):
        return sql("SELECT * FROM ($query) AS $inner", query=lowering.query(node.query), inner=Variable("q"))
    assert isinstance(node, SetOperation)  # noqa: S101 - no other body exists
    return set_operation(node, *sides(node, lowering))


def sides(node: SetOperation, lowering: Lowering) -> tuple[Sql, Sql]:
    """Both sides of a set operation, with columns of the types of the whole."""
    return _side(node.left, node.left_items, lowering), _side(node.right, node.right_items, lowering)


def _side(node: QueryBody, items: Sequence[Expr], lowering: Lowering) -> Sql:
    rows = body(node, lowering)
    if isinstance(node, SetOperation) and all(isinstance(item, OutputRef) for item in items):
        # Its columns have its types already. DuckDB plans chains in a time that grows with the square of their depth.
        return rows
    return converted(rows, items, lowering)


def _values(node: Values, lowering: Lowering) -> Sql:
    here = lowering.within(Frame())
    types = [column.type for column in node.columns]
    rows: Sequence[Sql] = [
        sql("($cells)", cells=[cast(here.sql(cell), t) for cell, t in zip(row, types, strict=True)])
        for row in node.rows
    ]
    columns = [Word(f"c{i}") for i in range(len(types))]
    return sql("SELECT * FROM (VALUES $rows) AS $inner($columns)", rows=rows, inner=Variable("q"), columns=columns)
