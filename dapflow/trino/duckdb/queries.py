"""Queries: WITH, what stands before ORDER BY, and its order and limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dapflow.trino.analysis.typed_queries import Nested, Query, Select
from dapflow.trino.duckdb.bodies import body
from dapflow.trino.duckdb.lowering import Frame, Lowering
from dapflow.trino.duckdb.nodes import NOTHING, Member, Sql, Variable, Word, joined, sql
from dapflow.trino.duckdb.selects import select
from dapflow.trino.duckdb.sorting import sort_key
from dapflow.trino.duckdb.with_queries import shared

#: What a query is called whose rows are counted for WITH TIES.
_TIES = Word("ties")


def query(node: Query, lowering: Lowering) -> Sql:
    """A query whose columns are named c0, c1, …"""
    lowering = lowering.within(Frame())
    with_queries = shared(node, lowering)
    limits = _limits(node, lowering)
    if isinstance(node.body, Select):
        lowered = select(node.body, lowering, node.order, named=node.ties)
        whole = limits.of(lowered.sql, lowered.keys, len(node.columns))
    else:
        whole = _ordered(node, limits, lowering)
    return sql("$with_queries$whole", with_queries=with_queries, whole=whole)


def is_ordered(node: Query) -> bool:
    """Whether the rows have an order that must be kept."""
    if isinstance(node.body, Nested) and not node.order and node.limit is None and node.offset is None:
        return is_ordered(node.body.query)
    return bool(node.order)


def _ordered(node: Query, limits: _RowLimits, lowering: Lowering) -> Sql:
    """What is no SELECT, in its order."""
    rows = body(node.body, lowering)
    if not node.order and limits.limit is None and limits.offset is None:
        return rows
    inner = _TIES if node.ties else Variable("q")
    outputs = [Member(inner, Word(f"c{i}")) for i in range(len(node.columns))]
    here = lowering.within(Frame(outputs=outputs))
    keys = [sort_key(key, here) for key in node.order]
    if not node.ties:
        rows = sql("SELECT * FROM ($rows) AS $inner", rows=rows, inner=inner)
    return limits.of(rows, keys, len(node.columns))


def _limits(node: Query, lowering: Lowering) -> _RowLimits:
    offset = None if node.offset is None else lowering.sql(node.offset)
    limit = None if node.limit is None else lowering.sql(node.limit)
    return _RowLimits(offset, limit, node.ties)


@dataclass(frozen=True, slots=True)
class _RowLimits:
    """OFFSET and LIMIT, WITH TIES or not."""

    offset: Sql | None
    limit: Sql | None
    ties: bool

    def of(self, rows: Sql, keys: Sequence[Sql], count: int) -> Sql:
        """A SELECT of `count` columns in its order, within its limits."""
        if self.ties and self.limit is not None:
            return self._with_ties(rows, self.limit, keys, count)
        order = sql(" ORDER BY $keys", keys=keys) if keys else NOTHING
        limit = NOTHING if self.limit is None else sql(" LIMIT $limit", limit=self.limit)
        offset = NOTHING if self.offset is None else sql(" OFFSET $offset", offset=self.offset)
        return joined("", (rows, order, limit, offset))

    def _with_ties(self, rows: Sql, limit: Sql, keys: Sequence[Sql], count: int) -> Sql:
        """The rows up to the limit, and those that the order puts beside the last of them."""
        return sql(
            "SELECT $columns FROM (SELECT *, max(CASE WHEN rn <= $offset + $limit THEN rk END) OVER () AS mk "
            "FROM (SELECT *, row_number() OVER (ORDER BY rk) AS rn "
            "FROM (SELECT *, rank() OVER (ORDER BY $keys) AS rk FROM ($rows) AS $ties) AS ts) AS tt) AS tu "
            "WHERE rk <= mk AND rn > $offset ORDER BY rn",
            columns=[Word(f"c{i}") for i in range(count)],
            offset=self.offset or Word("0"),
            limit=limit,
            keys=keys,
            rows=rows,
            ties=_TIES,
        )
