"""How the rows and each column of a query derive from tables, as hashes that can be compared.

Two queries whose rows have one hash, over tables that hold the same, give the same rows; two columns of them that have
one hash hold the same values there. So where only one column of a text has changed, only its hash has. What a part
derives from stands beside its hash: of each table whose rows matter, and of each column that does.

It tells more apart than `meaning`, and finds fewer texts different: the order of rows that nothing limits is none of
them, nor is a WITH query that nothing names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dapflow.trino.analysis import typed, typed_queries
from dapflow.trino.analysis.canonical import compared, type_form
from dapflow.trino.analysis.meaning import is_checked
from dapflow.trino.analysis.typed_queries import Join, Query, QueryBody, Select, SetOperation, Source, WithQuery
from dapflow.trino.types import Type


class TablePart(NamedTuple):
    """A column of a table, in lower case, or the table's rows where `column` is None."""

    table: tuple[str, ...]
    column: str | None


@dataclass(frozen=True, slots=True)
class Derivation:
    """How something derives from its inputs: a hash in hexadecimal digits, and those inputs."""

    digest: str
    inputs: frozenset[TablePart]


@dataclass(frozen=True, slots=True)
class Derivations:
    """Those of a query: of its rows, and of each output column in order."""

    rows: Derivation
    columns: tuple[Derivation, ...]


def derivations(query: Query) -> Derivations | None:
    """Those of a query that has no findings; None where something in it could not be checked."""
    return _Deriver().query(query) if is_checked(query) else None


@dataclass(frozen=True, slots=True)
class _DerivedRelation:
    """What stands in FROM: its place among what stands there, and how each of its columns derives."""

    ordinal: int
    column: Callable[[int], Derivation]


_PLAIN = frozenset({str, int, bytes, type(None)})


@dataclass
class _Deriver:
    """Goes from FROM to the output columns. Forms are nested tuples; what they derive from is noted on the way."""

    relations: dict[int, _DerivedRelation] = field(default_factory=dict)
    with_queries: dict[int, Derivations] = field(default_factory=dict)
    #: Parameters of the lambdas around a form, by their numbers.
    _parameters: dict[int, int] = field(default_factory=dict)
    _inputs: set[TablePart] = field(default_factory=set)

    @contextmanager
    def _apart(self) -> Iterator[set[TablePart]]:
        """Note inputs for a form of its own."""
        before, self._inputs = self._inputs, set()
        try:
            yield self._inputs
        finally:
            self._inputs = before

    def _derivation(self, kind: str, make: Callable[[], Any]) -> Derivation:
        with self._apart() as inputs:
            form = make()
        digest = hashlib.sha256(repr((kind, form)).encode()).hexdigest()
        return Derivation(digest, frozenset(inputs))

    def _of(self, derivation: Derivation) -> str:
        """The form of what derives elsewhere."""
        self._inputs |= derivation.inputs
        return derivation.digest

    # -------------------------------------------------------------------------------------------- queries
    def query(self, node: Query) -> Derivations:
        """A query."""
        derived = self._body(node.body)
        if node.limit is None and node.offset is None:
            return derived
        limited = (node.order, node.offset, node.limit, node.ties)
        rows = self._derivation("limit", lambda: (self._of(derived.rows), self._form(limited, node.body)))
        return Derivations(rows, derived.columns)

    def _with_query(self, node: WithQuery) -> Derivations:
        """A WITH query, when it is named."""
        known = self.with_queries.get(id(node))
        if known is None:
            assert node.query is not None  # noqa: S101 - a query that is checked has all its parts
            body = node.query.body
            recursive = node.recursive and isinstance(body, SetOperation)
            known = self._recursive(node) if recursive else self.query(node.query)
            self.with_queries[id(node)] = known
        return known

    def _recursive(self, node: WithQuery) -> Derivations:
        """A recursive one: each step may read all columns of the one before."""
        width = len(node.columns)
        nothing = frozenset[TablePart]()
        step = [Derivation(f"recursive {position}", nothing) for position in range(width)]
        self.with_queries[id(node)] = Derivations(Derivation("recursive", nothing), tuple(step))
        assert node.query is not None  # noqa: S101 - see _with_query
        derived = self.query(node.query)
        rows = self._derivation("recursion", lambda: [self._of(part) for part in (derived.rows, *derived.columns)])
        columns = (
            self._derivation("recursion", lambda position=position: (position, self._of(rows)))  # type: ignore[misc]
            for position in range(width)
        )
        return Derivations(rows, tuple(columns))

    # -------------------------------------------------------------------------------------------- bodies
    def _body(self, node: QueryBody) -> Derivations:
        if isinstance(node, Select):
            return self._select(node)
        if isinstance(node, typed_queries.Nested):
            return self.query(node.query)
        if isinstance(node, SetOperation):
            return self._set_operation(node)
        assert isinstance(node, typed_queries.Values)  # noqa: S101 - no other body exists
        columns = (
            self._derivation("values", lambda i=i: [self._form(row[i], node) for row in node.rows])  # type: ignore[misc]
            for i in range(len(node.columns))
        )
        return Derivations(self._derivation("values", lambda: len(node.rows)), tuple(columns))

    def _select(self, node: Select) -> Derivations:
        def rows() -> Any:
            source = self._sources(node.source) if node.source is not None else None
            groups = (node.grouped, node.keys, node.sets)
            distinct = node.items if node.distinct else None
            return source, self._form((node.where, groups, node.having, distinct), node)

        # Its relations are known from here on.
        derived = self._derivation("select", rows)
        columns = (self._derivation("item", lambda item=item: self._form(item, node)) for item in node.items)  # type: ignore[misc]
        return Derivations(derived, tuple(columns))

    def _set_operation(self, node: SetOperation) -> Derivations:
        left, right = self._body(node.left), self._body(node.right)

        def side(items: tuple[typed.Expr, ...], derived: Derivations, position: int) -> Any:
            return self._form(items[position], derived)

        def column(position: int) -> Any:
            return side(node.left_items, left, position), side(node.right_items, right, position)

        columns = tuple(
            self._derivation("union", lambda position=position: column(position))  # type: ignore[misc]
            for position in range(len(node.columns))
        )

        def rows() -> Any:
            compared = [] if node.op == "UNION" and node.all else [self._of(part) for part in columns]
            return node.op, node.all, self._of(left.rows), self._of(right.rows), compared

        return Derivations(self._derivation("set", rows), columns)

    # -------------------------------------------------------------------------------------------- sources
    def _sources(self, source: Source) -> Any:
        """The form of FROM. Relations are told apart by their order there."""
        count = 0

        def counted() -> int:
            nonlocal count
            count += 1
            return count

        return self._source(source, counted)

    def _source(self, node: Source, counted: Callable[[], int]) -> Any:
        if isinstance(node, Join):
            return self._join(node, counted)
        if isinstance(node, typed_queries.Sample):
            below = self._source(node.source, counted)
            return ("sample", node.method, self._form(node.percentage, None), below)
        if isinstance(node, typed_queries.Table):
            return self._table(node, counted())
        if isinstance(node, typed_queries.Unnest):
            return self._unnest(node, counted())
        if isinstance(node, typed_queries.WithUse):
            derived = self._with_query(node.with_query)
        else:
            assert isinstance(node, typed_queries.ViewUse | typed_queries.Subquery)  # noqa: S101 - no other source exists
            derived = self.query(node.query)
        types = [type_form(column.type) for column in node.columns] if isinstance(node, typed_queries.ViewUse) else []
        self._known(node, counted(), derived.columns.__getitem__)
        return ("query", types, self._of(derived.rows))

    def _known(self, node: Source, ordinal: int, column: Callable[[int], Derivation]) -> None:
        self.relations[node.number] = _DerivedRelation(ordinal, column)

    def _table(self, node: typed_queries.Table, ordinal: int) -> Any:
        relation = node.relation
        assert relation is not None  # noqa: S101 - a query that is checked reads tables that are known
        table = (relation.catalog.lower(), relation.database.lower(), relation.name.lower())

        def column(position: int) -> Derivation:
            read = node.columns[position]
            name = (read.written or "").lower()
            digest = hashlib.sha256(repr((table, name, type_form(read.type))).encode()).hexdigest()
            return Derivation(digest, frozenset({TablePart(table, name)}))

        self._known(node, ordinal, column)
        self._inputs.add(TablePart(table, None))
        return ("table", table)

    def _unnest(self, node: typed_queries.Unnest, ordinal: int) -> Any:
        whole = self._derivation("unnest", lambda: (node.ordinality, self._form(node.items, None)))

        def column(position: int) -> Derivation:
            return self._derivation("unnested", lambda: (position, self._of(whole)))

        self._known(node, ordinal, column)
        return ("unnest", self._of(whole))

    def _join(self, node: Join, counted: Callable[[], int]) -> Any:
        left, right = self._source(node.left, counted), self._source(node.right, counted)

        def column(position: int) -> Derivation:
            return self._derivation("using", lambda: (node.kind, self._form(node.using[position], None)))

        if node.using:
            self._known(node, counted(), column)
        return ("join", node.kind, left, right, self._form((node.on, node.using), None))

    # -------------------------------------------------------------------------------------------- expressions
    def _form(self, node: Any, around: Any) -> Any:
        """The form of an expression of a query's body, or of what holds expressions."""
        cls = type(node)
        if cls in _PLAIN:
            return node
        if cls is tuple:
            return tuple([self._form(part, around) for part in node])
        if cls is Type:
            return type_form(node)
        if cls is bool or cls is float:
            # True equals 1 in Python, and 1.0 too.
            return (cls.__name__, node)
        special = _SPECIAL.get(cls)
        if special is not None:
            return special(self, node, around)
        return (cls.__name__, *(self._form(part, around) for part in compared(node)))

    def _column(self, node: typed.ColumnRef, around: Any) -> Any:
        del around
        relation = self.relations[node.relation]
        return ("column", node.outer, relation.ordinal, self._of(relation.column(node.position)))

    def _output(self, node: typed.OutputRef, around: Any) -> Any:
        if isinstance(around, Derivations):
            return ("output", type_form(node.type), self._of(around.columns[node.position]))
        if isinstance(around, Select):
            return self._form(around.items[node.position], around)
        return ("output", self._of(self._body(around).columns[node.position]))

    def _key(self, node: typed.KeyRef, around: Any) -> Any:
        return ("key", node.position, self._form(around.keys[node.position], around))

    def _aggregate(self, node: typed.AggregateRef, around: Any) -> Any:
        return self._form(around.aggregates[node.position], around)

    def _window(self, node: typed.WindowRef, around: Any) -> Any:
        return self._form(around.windows[node.position], around)

    def _subquery(self, node: Query, around: Any) -> Any:
        del around
        derived = self.query(node)
        return ("query", [self._of(part) for part in (derived.rows, *derived.columns)])

    def _lambda(self, node: typed.Lambda, around: Any) -> Any:
        for parameter in node.parameters:
            self._parameters[parameter.number] = len(self._parameters)
        form = ("lambda", [type_form(parameter.type) for parameter in node.parameters], self._form(node.body, around))
        for parameter in node.parameters:
            del self._parameters[parameter.number]
        return form

    def _parameter(self, node: typed.LambdaParameter, around: Any) -> Any:
        del around
        return ("parameter", self._parameters[node.number])


_SPECIAL: dict[type, Any] = {
    typed.ColumnRef: _Deriver._column,
    typed.OutputRef: _Deriver._output,
    typed.KeyRef: _Deriver._key,
    typed.AggregateRef: _Deriver._aggregate,
    typed.WindowRef: _Deriver._window,
    typed.Lambda: _Deriver._lambda,
    typed.LambdaParameter: _Deriver._parameter,
    Query: _Deriver._subquery,
}
