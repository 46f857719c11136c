"""Queries within a query: rows that chance takes, and several where one is wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from dapflow.sql.traps.query_reading import QueryReading, Trap, columns, conjuncts
from dapflow.trino.syntax import tree


def subqueries(reading: QueryReading) -> Iterator[Trap]:
    """LIMIT without ORDER BY, and subqueries for a value that nothing keeps to one row."""
    for node in reading.every(tree.ScalarQuery):
        if _may_give_more(node.query, reading):
            yield Trap(
                "several-rows",
                "nothing keeps this subquery to one row: it fails where it gives several",
                node.pos,
                "take one row of it by max(…) or min_by(…), or say in WHERE which one it is",
            )
    for query in _within(reading):
        if query.limit is not None and not query.order and not _is_settled(query, reading):
            yield Trap(
                "arbitrary-rows",
                "LIMIT without ORDER BY takes any rows: another run may take others of the same data",
                query.limit.pos,
                "write ORDER BY before it, by columns that tell rows apart",
            )


def _within(reading: QueryReading) -> Iterator[tree.QueryNode]:
    """The queries in a statement, but for those of EXISTS, of which any row will do."""
    exists = {id(node.query) for node in reading.every(tree.Exists)}
    for node in reading.every(tree.QueryNode):
        if node is not reading.query and id(node) not in exists:
            yield node


def _is_settled(query: tree.QueryNode, reading: QueryReading) -> bool:
    """Whether a LIMIT leaves nothing to chance: there is one row at most, or none is wanted."""
    unlimited = dataclasses.replace(query, limit=None)
    none = isinstance(query.limit, tree.Literal) and query.limit.value == "0"
    return none or isinstance(query.body, tree.Values) or reading.gives_one_row(unlimited)


def _may_give_more(query: tree.QueryNode, reading: QueryReading) -> bool:
    """Whether several rows are likely: of a table, without a condition that may be about its key."""
    body = query.body
    if not isinstance(body, tree.Select) or body.source is None or reading.gives_one_row(query):
        return False
    equal = (
        condition for condition in conjuncts(body.where) if isinstance(condition, tree.Binary) and condition.op == "="
    )
    return body.groups is not None or not any(any(True for _ in columns(condition)) for condition in equal)
