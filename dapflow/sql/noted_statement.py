"""A statement of a file as values of JSON, so that a text that has not changed is not read again."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from dapflow.sql.outline import (
    ColumnName,
    CommonTableExpression,
    Expressions,
    From,
    FromItem,
    JoinCondition,
    OutlineItem,
    QueryOutline,
    TableName,
)
from dapflow.sql.sql_text import SqlText
from dapflow.sql.statement import FileStatement

Noted = list[Any]


def noted_statement(statement: FileStatement) -> Noted:
    """A statement without its text. The outline is written by itself: most of who reads the rest does not need it."""
    writer = _Writer()
    writer.query(statement.outline)
    outline = json.dumps(writer.queries)
    return [len(statement.sql), statement.tables, statement.items, statement.unsteady, outline]


def restored_statement(noted: Noted, text: SqlText) -> FileStatement:
    """The statement of a text from what was noted of it."""
    end, tables, items, unsteady, outline = noted
    return FileStatement(
        text,
        text.text[:end],
        tuple([TableName(*table) for table in tables]),
        tuple(items),
        tuple(unsteady),
        partial(_outline, outline),
    )


class _Writer:
    """Queries in a row, each after those that it holds, which it names by their places."""

    def __init__(self) -> None:
        self.queries: list[Noted] = []

    def query(self, query: QueryOutline) -> int:
        ctes = [(cte.name, cte.columns, self.query(cte.query), cte.recursive) for cte in query.ctes]
        noted: Noted = [
            ctes,
            query.items,
            self._from(query.source),
            self._names(query.names),
            None if query.order is None else self._names(query.order),
            [(name, place.start, place.stop) for name, place in query.aliases.items()],
            [self.query(branch) for branch in query.branches],
            query.width,
        ]
        self.queries.append(noted)
        return len(self.queries) - 1

    def _from(self, source: From) -> Noted:
        conditions = [(join.first, join.last, self._names(join.names)) for join in source.conditions]
        return [[self._item(item) for item in source.sources], conditions, source.merges, source.flat]

    def _item(self, item: FromItem) -> Noted:
        query = None if item.query is None else self.query(item.query)
        reads = None if item.reads is None else self._names(item.reads)
        return [item.alias, item.columns, item.table, item.cte, query, item.lateral, reads]

    def _names(self, names: Expressions) -> Noted:
        return [names.columns, names.stars, [self.query(query) for query in names.queries]]


def _outline(noted: str) -> QueryOutline:
    queries: list[QueryOutline] = []
    for ctes, items, source, names, order, aliases, branches, width in json.loads(noted):
        query = QueryOutline(
            [
                CommonTableExpression(name, tuple(columns), queries[at], recursive)
                for name, columns, at, recursive in ctes
            ],
            None if items is None else [_output(*item) for item in items],
            _from(source, queries),
            _names(names, queries),
            None if order is None else _names(order, queries),
            {name: range(start, stop) for name, start, stop in aliases},
            [queries[at] for at in branches],
            width,
        )
        queries.append(query)
    return queries[-1]


def _output(name: str | None, column: Noted | None, star: Noted | None, opaque: bool, names: Noted) -> OutlineItem:
    return OutlineItem(
        name,
        None if column is None else tuple(column),
        None if star is None else tuple(star),
        opaque,
        tuple(names),
    )


def _from(noted: Noted, queries: list[QueryOutline]) -> From:
    sources, conditions, merges, flat = noted
    return From(
        [_item(item, queries) for item in sources],
        [JoinCondition(first, last, _names(names, queries)) for first, last, names in conditions],
        [None if names is None else tuple(names) for names in merges],
        flat,
    )


def _item(noted: Noted, queries: list[QueryOutline]) -> FromItem:
    alias, columns, table, cte, query, lateral, reads = noted
    return FromItem(
        alias,
        tuple(columns),
        None if table is None else TableName(*table),
        cte,
        None if query is None else queries[query],
        lateral,
        None if reads is None else _names(reads, queries),
    )


def _names(noted: Noted, queries: list[QueryOutline]) -> Expressions:
    columns, stars, inner = noted
    return Expressions(
        [ColumnName(tuple(parts), tuple(offsets)) for parts, offsets in columns],
        [ColumnName(tuple(parts), tuple(offsets)) for parts, offsets in stars],
        [queries[at] for at in inner],
    )
