"""The walk from what a query puts out to the columns of tables that are read for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.typed import ColumnRef, Expr, Logical
from dapflow.trino.analysis.typed_queries import Join, Query, QueryBody, Select, SetOperation, Source, Table, WithUse
from dapflow.trino.analysis.walk import within


@dataclass(eq=False)
class ColumnReader:
    """Goes from the output columns to the tables, and notes each column on its way.

    A column of a subquery that nothing asks for is not read.
    """

    sources: dict[int, Source] = field(default_factory=dict)
    #: Names of the columns that are read, in lower case, by the number of their table.
    used: dict[int, dict[str, None]] = field(default_factory=dict)
    _entered: set[int] = field(default_factory=set)
    _wanted: set[tuple[int, int]] = field(default_factory=set)

    def whole(self, query: Query) -> None:
        """Note that all of a query is wanted."""
        self.outputs(query, range(len(query.columns)))

    def outputs(self, query: Query, positions: Any) -> None:
        """Note that output columns of a query are wanted."""
        if id(query) not in self._entered:
            self._entered.add(id(query))
            self._body(query.body)
            self._read(query.order, query.body)
        for position in positions:
            self._output(query.body, position)

    # ------------------------------------------------------------------------------------ for who derives from it
    def of(self, use: WithUse) -> ColumnReader:
        """Who reads a WITH query for a place that names it."""
        del use
        return self

    def owner(self, number: int) -> ColumnReader | None:
        """Who has met a relation."""
        return self if number in self.sources else None

    def condition(self, term: Expr) -> None:
        """A term of WHERE, or of an inner join's ON, that holds for every row of what is joined there."""

    def joined(self, join: Join) -> None:
        """A join, after all that stands in it."""

    # -------------------------------------------------------------------------------------------- bodies
    def _body(self, body: QueryBody) -> None:
        """What a body reads whatever is wanted of it."""
        if isinstance(body, Select):
            if body.source is not None:
                self._source(body.source)
                self._conditions(body.where)
            self._read((body.where, body.keys, body.having), body)
            if body.distinct:
                self._read(body.items, body)
        elif isinstance(body, SetOperation):
            self._body(body.left)
            self._body(body.right)
            if body.op != "UNION" or not body.all:
                for position in range(len(body.columns)):
                    self._output(body, position)
        elif isinstance(body, typed_queries.Nested):
            self.outputs(body.query, ())

    def _output(self, body: QueryBody, position: int) -> None:
        if (id(body), position) in self._wanted:
            return
        self._wanted.add((id(body), position))
        if isinstance(body, Select) and position < len(body.items):
            self._read(body.items[position], body)
        elif isinstance(body, SetOperation):
            self._output(body.left, position)
            self._output(body.right, position)
        elif isinstance(body, typed_queries.Nested):
            self.outputs(body.query, (position,))
        elif isinstance(body, typed_queries.Values):
            self._read(tuple(row[position] for row in body.rows if position < len(row)), body)

    # -------------------------------------------------------------------------------------------- sources
    def _source(self, source: Source) -> None:
        self.sources[source.number] = source
        if isinstance(source, Join):
            self._source(source.left)
            self._source(source.right)
            self._read((source.on, source.using), None)
            if source.kind == "inner":
                self._conditions(source.on)
            self.joined(source)
        elif isinstance(source, typed_queries.Sample):
            self._source(source.source)
        elif isinstance(source, typed_queries.Unnest):
            self._read(source.items, None)
        elif isinstance(source, typed_queries.ViewUse | typed_queries.Subquery):
            self.outputs(source.query, ())
        elif isinstance(source, WithUse) and source.with_query.query is not None:
            self.of(source).outputs(source.with_query.query, ())

    def _conditions(self, condition: Expr | None) -> None:
        if isinstance(condition, Logical) and condition.op == "AND":
            for term in condition.terms:
                self._conditions(term)
        elif condition is not None:
            self.condition(condition)

    # -------------------------------------------------------------------------------------------- expressions
    def _read(self, part: Any, body: QueryBody | None) -> None:
        """Note the columns in an expression, or in several."""
        if part is None:
            return
        if isinstance(part, tuple):
            for item in part:
                self._read(item, body)
            return
        for node in within(part):
            if isinstance(node, ColumnRef):
                self._column(node)
            elif isinstance(node, Query):
                self.whole(node)
            elif isinstance(node, typed.AggregateRef | typed.WindowRef) and isinstance(body, Select):
                held = body.aggregates if isinstance(node, typed.AggregateRef) else body.windows
                if (id(held), node.position) not in self._wanted:
                    self._wanted.add((id(held), node.position))
                    self._read(held[node.position], body)
            elif isinstance(node, typed.OutputRef) and body is not None:
                self._output(body, node.position)

    def _column(self, node: ColumnRef) -> None:
        owner = self.owner(node.relation)
        if owner is None:
            return
        source = owner.sources[node.relation]
        if isinstance(source, Table):
            owner.used.setdefault(source.number, {})[column_name(source, node)] = None
        elif isinstance(source, typed_queries.ViewUse | typed_queries.Subquery):
            owner.outputs(source.query, _positions(node, source))
        elif isinstance(source, WithUse) and source.with_query.query is not None:
            owner.of(source).outputs(source.with_query.query, _positions(node, source))


def column_name(source: Table, node: ColumnRef) -> str:
    """A column of a table in lower case; `*` stands for all of one that is not known."""
    return (node.name or "*" if node.position < 0 else source.columns[node.position].written or "").lower()


def _positions(node: ColumnRef, source: Source) -> Any:
    """The column that is meant; all where that is not known."""
    return (node.position,) if node.position >= 0 else range(len(source.columns))
