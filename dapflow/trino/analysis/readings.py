"""How often Trino reads each table of a query, which columns, and what holds for every row that it needs.

Trino runs a WITH query anew for each place that names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.column_reader import ColumnReader
from dapflow.trino.analysis.conversions import coerce
from dapflow.trino.analysis.findings import Place
from dapflow.trino.analysis.typed import ColumnRef, Expr
from dapflow.trino.analysis.typed_calls import Call
from dapflow.trino.analysis.typed_queries import Join, Query, Select, Source, Table, ViewUse, WithQuery, WithUse
from dapflow.trino.analysis.walk import parts, rebuilt, within
from dapflow.trino.functions import FUNCTIONS


@dataclass(frozen=True, slots=True)
class TableReading:
    """One reading of a table. Columns are in lower case.

    `conditions` are made of columns of this table and of constants, and hold for every row that is needed.
    """

    table: Table
    columns: frozenset[str]
    conditions: tuple[Expr, ...]


class TooManyReadings(Exception):
    """A query that reads tables more often than is allowed, from a place in the text on."""

    def __init__(self, place: Place | None) -> None:
        super().__init__(place)
        self.place = place


def count_readings(query: Query, most: int) -> dict[int, int]:
    """How many tables each WITH query reads, by its identity. Raises TooManyReadings where all is more than `most`."""
    counter = _Counter(most)
    counter.of(query)
    return counter.counts


def readings(query: Query, counts: dict[int, int]) -> Iterator[TableReading]:
    """The readings of a query's tables, which were counted."""
    reader = _QueryReader(counts=counts)
    reader.whole(query)
    return reader.table_readings()


class _Counter:
    """Counts the tables that are read."""

    def __init__(self, most: int) -> None:
        #: By the identity of WITH queries.
        self.counts: dict[int, int] = {}
        self._most = most
        self._place: Place | None = None

    def of(self, node: Any, *, placed: bool = True) -> int:
        """How many tables are read for a node."""
        if isinstance(node, Table):
            return 1
        if isinstance(node, WithUse):
            # What a view's text says has no place in the user's.
            self._place = node.place if placed else None
            return self.counts.get(id(node.with_query), 0)
        count = 0
        for part in parts(node):
            count += self.of(part, placed=placed and not isinstance(node, ViewUse))
            if count > self._most:
                raise TooManyReadings(self._place)
        if isinstance(node, WithQuery):
            self.counts[id(node)] = count
            return 0
        return count


class _BaseColumn(NamedTuple):
    """The column of a table that a column passes on, and who reads it."""

    reader: _QueryReader
    table: int
    expr: Expr


@dataclass(eq=False)
class _QueryReader(ColumnReader):
    """Reads one query, or one WITH query for one place that names it."""

    counts: dict[int, int] = field(default_factory=dict)
    parent: _QueryReader | None = None
    with_query: WithQuery | None = None
    conditions: dict[int, list[Expr]] = field(default_factory=dict)
    inner: dict[int, _QueryReader] = field(default_factory=dict)
    #: What a join may have filled up with NULL, by the numbers of relations.
    optional: set[int] = field(default_factory=set)

    def table_readings(self) -> Iterator[TableReading]:
        """What was read."""
        for number, source in self.sources.items():
            if isinstance(source, Table):
                columns = frozenset(self.used.get(number, ()))
                yield TableReading(source, columns, tuple(self.conditions.get(number, ())))
        for reader in self.inner.values():
            yield from reader.table_readings()

    def of(self, use: WithUse) -> _QueryReader:
        """See ColumnReader."""
        reader: _QueryReader | None = self
        while reader is not None:
            if reader.with_query is use.with_query:
                # The step of a recursive query, which reads the rows so far.
                return reader
            reader = reader.parent
        if not self.counts.get(id(use.with_query)):
            return self
        if use.number not in self.inner:
            self.inner[use.number] = _QueryReader(counts=self.counts, parent=self, with_query=use.with_query)
        return self.inner[use.number]

    def owner(self, number: int) -> _QueryReader | None:
        """See ColumnReader."""
        if number in self.sources:
            return self
        return None if self.parent is None else self.parent.owner(number)

    def joined(self, join: Join) -> None:
        """See ColumnReader."""
        if join.kind in {"left", "full"}:
            self.optional.update(_numbers(join.right))
        if join.kind in {"right", "full"}:
            self.optional.update(_numbers(join.left))

    # ----------------------------------------------------------------------------------------- conditions
    def condition(self, term: Expr) -> None:
        """Note a condition where the table is read that all of its columns come from."""
        if not _is_of_constants(term):
            return
        origins = {node: self._origin(node) for node in within(term) if isinstance(node, ColumnRef)}
        tables = {(id(origin.reader), origin.table) for origin in origins.values() if origin is not None}
        if len(tables) != 1 or None in origins.values():
            return
        origin = next(candidate for candidate in origins.values() if candidate is not None)
        changes = {ref: base.expr for ref, base in origins.items() if base is not None}
        origin.reader.conditions.setdefault(origin.table, []).append(_replaced(term, changes))

    def _origin(self, ref: ColumnRef) -> _BaseColumn | None:
        source = self.sources.get(ref.relation)
        if source is None or ref.outer or ref.relation in self.optional:
            return None
        if isinstance(source, Table):
            return _BaseColumn(self, source.number, ref)
        if isinstance(source, Join):
            left = source.using[ref.position][0]
            kept = source.kind in {"inner", "left"} and isinstance(left, ColumnRef)
            return self._origin(left) if kept and isinstance(left, ColumnRef) else None
        if isinstance(source, typed_queries.Subquery):
            return self._of_output(source.query, ref.position)
        if isinstance(source, ViewUse):
            origin = self._of_output(source.query, ref.position)
            return origin and origin._replace(expr=coerce(origin.expr, ref.type))
        if isinstance(source, WithUse) and source.with_query.query is not None and not source.with_query.recursive:
            return self.of(source)._of_output(source.with_query.query, ref.position)
        return None

    def _of_output(self, query: Query, position: int) -> _BaseColumn | None:
        """The same for an output column; None where a condition on it is none on the rows that are read."""
        body = query.body
        if query.limit is not None or query.offset is not None:
            return None
        if isinstance(body, typed_queries.Nested):
            return self._of_output(body.query, position)
        if not isinstance(body, Select) or body.grouped or body.windows:
            return None
        item = body.items[position]
        return self._origin(item) if isinstance(item, ColumnRef) else None


def _numbers(source: Source) -> Iterator[int]:
    return (node.number for node in within(source) if isinstance(node, Source))


_MADE_OF = (
    typed.Literal, typed.ColumnRef, typed.Coerce, typed.Cast, typed.Arithmetic, typed.Negate, typed.Concat,
    typed.Comparison, typed.Logical, typed.Between, typed.InList, typed.Like, typed.NullIf, typed.SessionValue, Call,
)  # fmt: skip


def _is_of_constants(term: Expr) -> bool:
    """Whether a condition is made of columns and constants, is never true of NULL, and the same each time."""
    return all(map(_is_deterministic, within(term)))


def _is_deterministic(node: Any) -> bool:
    if isinstance(node, Call):
        return FUNCTIONS[node.name].deterministic
    if isinstance(node, typed.Comparison):
        return node.op != "IS DISTINCT FROM"
    # Each text, of the user or of a view, has its own schema.
    return isinstance(node, _MADE_OF) and not (isinstance(node, typed.SessionValue) and node.name == "CURRENT_SCHEMA")


def _replaced(node: Any, changes: dict[ColumnRef, Expr]) -> Any:
    if isinstance(node, ColumnRef):
        return changes[node]
    return rebuilt(node, lambda part: _replaced(part, changes))
