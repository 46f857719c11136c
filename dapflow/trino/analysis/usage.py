"""What a query reads: each place that names a table, with the columns and the conditions on partitions there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.findings import Place
from dapflow.trino.analysis.typed import ColumnRef, Expr, Logical
from dapflow.trino.analysis.typed_queries import Body, Join, Query, Select, SetOperation, Source, Table
from dapflow.trino.analysis.walk import deep, within


@dataclass(frozen=True, slots=True)
class TableUse:
    """A table in FROM. Columns are in lower case and in the table's order, or as they come where it is not known.

    `partition_conditions` are terms of WHERE, or of an inner join's ON, that hold for every row and concern nothing but
    partition columns of the table. What a view reads has no place in the text.
    """

    table: tuple[str, ...]
    place: Place | None
    columns: tuple[str, ...]
    partition_conditions: tuple[Expr, ...]


def usage(query: Query) -> tuple[TableUse, ...]:
    """The tables that a query reads; not those of WITH queries that nothing names."""
    reader = _Reader()
    reader.outputs(query, range(len(query.columns)))
    return tuple(reader.uses())


@dataclass
class _Reader:
    """Goes from the output columns to the tables, and notes each column on its way."""

    sources: dict[int, Source] = field(default_factory=dict)
    used: dict[int, dict[str, None]] = field(default_factory=dict)
    conditions: dict[int, list[Expr]] = field(default_factory=dict)
    in_views: set[int] = field(default_factory=set)
    entered: set[int] = field(default_factory=set)
    wanted: set[tuple[int, int]] = field(default_factory=set)

    def uses(self) -> Iterator[TableUse]:
        for number, source in self.sources.items():
            if isinstance(source, Table):
                found = source.relation
                names = source.parts if found is None else (found.catalog, found.database, found.name)
                order = {(column.written or "").lower(): i for i, column in enumerate(source.columns)}
                columns = sorted(self.used.get(number, ()), key=lambda name: order.get(name, len(order)))
                yield TableUse(
                    tuple(name.lower() for name in names),
                    None if number in self.in_views else source.place,
                    tuple(columns),
                    tuple(self.conditions.get(number, ())),
                )

    def outputs(self, query: Query, positions: Any) -> None:
        """Note that output columns of a query are wanted."""
        if id(query) not in self.entered:
            self.entered.add(id(query))
            self._body(query.body)
            self._read(query.order, query.body)
        for position in positions:
            self._output(query.body, position)

    # -------------------------------------------------------------------------------------------- bodies
    def _body(self, body: Body) -> None:
        """What a body reads whatever is wanted of it."""
        if isinstance(body, Select):
            if body.source is not None:
                self._source(body.source)
                self._note_conditions(body.where, body.source)
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

    def _output(self, body: Body, position: int) -> None:
        if (id(body), position) in self.wanted:
            return
        self.wanted.add((id(body), position))
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
                self._note_conditions(source.on, source)
        elif isinstance(source, typed_queries.Sample):
            self._source(source.source)
        elif isinstance(source, typed_queries.Unnest):
            self._read(source.items, None)
        elif isinstance(source, typed_queries.View | typed_queries.Subquery):
            if isinstance(source, typed_queries.View):
                self.in_views.update(one.number for one in deep(source.query) if isinstance(one, Table))
            self.outputs(source.query, ())
        elif isinstance(source, typed_queries.WithUse) and source.with_query.query is not None:
            self.outputs(source.with_query.query, ())

    def _note_conditions(self, condition: Expr | None, source: Source) -> None:
        if condition is None:
            return
        tables = {one.number: one for one in within(source) if isinstance(one, Table)}
        for term in condition.terms if isinstance(condition, Logical) and condition.op == "AND" else (condition,):
            nodes = list(within(term))
            refs = [one for one in nodes if isinstance(one, ColumnRef)]
            numbers = {one.relation for one in refs}
            table = tables.get(next(iter(numbers))) if len(numbers) == 1 else None
            if table is None or table.relation is None or any(isinstance(one, Query) for one in nodes):
                continue
            keys = {name.lower() for name in table.relation.partition_columns}
            if all((table.columns[one.position].written or "").lower() in keys for one in refs):
                self.conditions.setdefault(table.number, []).append(term)

    # -------------------------------------------------------------------------------------------- expressions
    def _read(self, part: Any, body: Body | None) -> None:
        """Note the columns in an expression, or in several."""
        if part is None:
            return
        if isinstance(part, tuple):
            for one in part:
                self._read(one, body)
            return
        for node in within(part):
            if isinstance(node, ColumnRef):
                self._column(node)
            elif isinstance(node, Query):
                self.outputs(node, range(len(node.columns)))
            elif isinstance(node, typed.AggregateRef | typed.WindowRef) and isinstance(body, Select):
                held = body.aggregates if isinstance(node, typed.AggregateRef) else body.windows
                if (id(held), node.position) not in self.wanted:
                    self.wanted.add((id(held), node.position))
                    self._read(held[node.position], body)
            elif isinstance(node, typed.OutputRef) and body is not None:
                self._output(body, node.position)

    def _column(self, node: ColumnRef) -> None:
        source = self.sources.get(node.relation)
        if isinstance(source, Table):
            self.used.setdefault(source.number, {})[_name(source, node)] = None
        elif isinstance(source, typed_queries.View | typed_queries.Subquery):
            self.outputs(source.query, self._positions(node, source))
        elif isinstance(source, typed_queries.WithUse) and source.with_query.query is not None:
            self.outputs(source.with_query.query, self._positions(node, source))

    @staticmethod
    def _positions(node: ColumnRef, source: Source) -> Any:
        """The column that is meant; all where that is not known."""
        return (node.position,) if node.position >= 0 else range(len(source.columns))


def _name(source: Table, node: ColumnRef) -> str:
    return (node.name or "*" if node.position < 0 else source.columns[node.position].written or "").lower()
