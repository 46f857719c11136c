"""A query that reads a WITH query of another one."""

from __future__ import annotations

from dapflow.trino.analysis.typed import ColumnRef
from dapflow.trino.analysis.typed_queries import Query, Select, Source, WithQuery, WithUse
from dapflow.trino.analysis.walk import deep


def reading_with(query: Query, with_query: WithQuery) -> Query:
    """``SELECT * FROM`` one of a query's own WITH queries, after those that stand before it."""
    place, columns = with_query.place, with_query.columns
    before = query.with_queries[: query.with_queries.index(with_query) + 1]
    number = 1 + max((node.number for node in deep(query) if isinstance(node, Source)), default=0)
    items = tuple(
        ColumnRef(type=column.type, place=place, relation=number, position=i, outer=0, name=column.written or "")
        for i, column in enumerate(columns)
    )
    body = Select(
        columns=columns,
        place=place,
        source=WithUse(number=number, columns=columns, place=place, with_query=with_query),
        where=None,
        grouped=False,
        keys=(),
        sets=(),
        aggregates=(),
        having=None,
        windows=(),
        items=items,
        distinct=False,
    )
    return Query(
        with_queries=before, body=body, order=(), offset=None, limit=None, ties=False, columns=columns, place=place
    )
