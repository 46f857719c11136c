"""Which columns of tables each output column comes from, and how.

A column comes from another by `identity` where it is passed on, by `expression` where it is computed with, by
`aggregate` or `window` where many rows go into it. Columns that decide which rows there are, by `filter` or `join key`,
are those of every output column. Keys of groups, orders and limits are not told; `usage` has all that is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dapflow.trino.analysis import typed, typed_calls, typed_queries
from dapflow.trino.analysis.typed_queries import Join, Query, QueryBody, Select, SetOperation, Source, WithQuery
from dapflow.trino.analysis.walk import parts

IDENTITY, EXPRESSION, AGGREGATE, WINDOW = "identity", "expression", "aggregate", "window"
FILTER, JOIN_KEY = "filter", "join key"


class Origin(NamedTuple):
    """A column of a table, in lower case, and how it gets into an output column.

    `table` are the parts of the table's name; the column is `*` where not even the columns of the table are known.
    """

    table: tuple[str, ...]
    column: str
    how: str


_OF_VALUES = frozenset({AGGREGATE, WINDOW})
_OF_ROWS = frozenset({FILTER, JOIN_KEY})
Origins = frozenset[Origin]
_NONE: Origins = frozenset()


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where the columns of a query come from: each by its own value, and all by the rows that there are."""

    columns: tuple[Origins, ...]
    rows: Origins

    def of(self, position: int) -> Origins:
        """All origins of a column."""
        return self.columns[position] | self.rows


def lineage(query: Query) -> Lineage:
    """The lineage of a query's output columns."""
    return _Tracer().query(query)


def _by(how: str, origins: Iterable[Origin]) -> Origins:
    """Origins of what is computed in one more step."""
    if how == IDENTITY:
        return frozenset(origins)
    if how == EXPRESSION:
        return frozenset(origin._replace(how=EXPRESSION) if origin.how == IDENTITY else origin for origin in origins)
    return frozenset(
        origin if how in _OF_VALUES and origin.how in _OF_ROWS else origin._replace(how=how) for origin in origins
    )


@dataclass
class _Tracer:
    """Goes from FROM to the output columns, of one query after the other."""

    #: Origins of the columns of each relation, by its number.
    relations: dict[int, tuple[Origins, ...]] = field(default_factory=dict)
    with_queries: dict[int, Lineage] = field(default_factory=dict)

    def query(self, node: Query) -> Lineage:
        """A query."""
        for with_query in node.with_queries:
            self._with_query(with_query)
        return self._body(node.body)

    def _with_query(self, node: WithQuery) -> None:
        if node.query is None:
            self.with_queries[id(node)] = Lineage((_NONE,) * len(node.columns), _NONE)
            return
        body = node.query.body
        if not node.recursive or not isinstance(body, SetOperation):
            self.with_queries[id(node)] = self.query(node.query)
            return
        so_far = self._body(body.left)
        while self.with_queries.get(id(node)) != so_far:
            self.with_queries[id(node)] = so_far
            step = self._body(body.right)
            so_far = _both(so_far, step)

    # -------------------------------------------------------------------------------------------- bodies
    def _body(self, node: QueryBody) -> Lineage:
        if isinstance(node, Select):
            return self._select(node)
        if isinstance(node, typed_queries.Nested):
            return self.query(node.query)
        if isinstance(node, SetOperation):
            left, right = self._body(node.left), self._body(node.right)
            if node.op != "UNION":
                compared = _by(FILTER, frozenset().union(*right.columns))
                return Lineage(left.columns, left.rows | right.rows | compared)
            return _both(left, right)
        assert isinstance(node, typed_queries.Values)  # noqa: S101 - no other body exists
        columns = tuple(
            frozenset().union(*(self.expression(row[i], node) for row in node.rows if i < len(row)))
            for i in range(len(node.columns))
        )
        return Lineage(columns, _NONE)

    def _select(self, node: Select) -> Lineage:
        rows = self._source(node.source) if node.source is not None else _NONE
        for condition in (node.where, node.having):
            if condition is not None:
                rows |= _by(FILTER, self.expression(condition, node))
        return Lineage(tuple(self.expression(item, node) for item in node.items), rows)

    # -------------------------------------------------------------------------------------------- sources
    def _source(self, node: Source) -> Origins:
        """Note where the columns of what stands in FROM come from; what decides about its rows is returned."""
        if isinstance(node, Join):
            return self._join(node)
        if isinstance(node, typed_queries.Sample):
            return self._source(node.source)
        if isinstance(node, typed_queries.Unnest):
            self.relations[node.number] = self._unnested(node)
            return _NONE
        if isinstance(node, typed_queries.Table):
            names = node.parts if node.relation is None else _full_name(node)
            columns = ("*" if column.open else (column.written or "").lower() for column in node.columns)
            self.relations[node.number] = tuple(frozenset({Origin(names, name, IDENTITY)}) for name in columns)
            return _NONE
        if isinstance(node, typed_queries.WithUse):
            lineage_of_query = self.with_queries.get(id(node.with_query)) or Lineage(
                (_NONE,) * len(node.columns), _NONE
            )
        else:
            assert isinstance(node, typed_queries.ViewUse | typed_queries.Subquery)  # noqa: S101 - no other source exists
            lineage_of_query = self.query(node.query)
        self.relations[node.number] = lineage_of_query.columns
        return lineage_of_query.rows

    def _join(self, node: Join) -> Origins:
        rows = self._source(node.left) | self._source(node.right)
        if node.on is not None:
            rows |= _by(JOIN_KEY, self.expression(node.on, None))
        shared = []
        for left, right in node.using:
            a, b = self.expression(left, None), self.expression(right, None)
            rows |= _by(JOIN_KEY, a | b)
            shared.append({"inner": a, "left": a, "right": b}.get(node.kind, _by(EXPRESSION, a | b)))
        self.relations[node.number] = tuple(shared)
        return rows

    def _unnested(self, node: typed_queries.Unnest) -> tuple[Origins, ...]:
        columns: list[Origins] = []
        for item in node.items:
            t = item.type
            width = 2 if t.base == "map" else 1
            if t.base == "array" and t.args[0].base == "row":
                width = len(t.args[0].args)
            columns += [_by(EXPRESSION, self.expression(item, None))] * width
        return (*columns, _NONE) if node.ordinality else tuple(columns)

    # -------------------------------------------------------------------------------------------- expressions
    def expression(self, node: Any, select: Any) -> Origins:
        """Origins of an expression of a SELECT."""
        kind = type(node)
        if kind is typed.ColumnRef:
            return self._column(node)
        if kind is typed.Coerce:
            return self.expression(node.expr, select)
        if kind is typed.KeyRef:
            return self.expression(select.keys[node.position], select)
        if kind is typed.AggregateRef:
            return self._aggregate(select.aggregates[node.position], AGGREGATE, select)
        if kind is typed.WindowRef:
            return self._aggregate(select.windows[node.position], WINDOW, select)
        if kind is Query:
            lineage_of_query = self.query(node)
            return frozenset().union(*lineage_of_query.columns) | _by(FILTER, lineage_of_query.rows)
        below = parts(node)
        return _by(EXPRESSION, _NONE.union(*[self.expression(part, select) for part in below])) if below else _NONE

    def _aggregate(self, node: typed_calls.Aggregate | typed_calls.WindowCall, how: str, select: Any) -> Origins:
        values = [part for part in parts(node) if part is not node.filter]
        origins = _by(how, frozenset().union(*(self.expression(part, select) for part in values)))
        return origins if node.filter is None else origins | _by(FILTER, self.expression(node.filter, select))

    def _column(self, node: typed.ColumnRef) -> Origins:
        columns: Sequence[Origins] = self.relations.get(node.relation, ())
        if 0 <= node.position < len(columns):
            return columns[node.position]
        unknown = frozenset().union(*columns)
        return frozenset(
            origin._replace(column=node.name.lower() or "*") if origin.column == "*" else origin for origin in unknown
        )


def _both(a: Lineage, b: Lineage) -> Lineage:
    """The lineage of rows of both."""
    return Lineage(tuple(x | y for x, y in zip(a.columns, b.columns, strict=False)), a.rows | b.rows)


def _full_name(node: typed_queries.Table) -> tuple[str, ...]:
    relation = node.relation
    assert relation is not None  # noqa: S101 - the caller looked
    return relation.catalog.lower(), relation.database.lower(), relation.name.lower()
