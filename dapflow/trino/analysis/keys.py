"""Which output columns tell the rows of a query apart, because of how it is made.

Known are the keys of GROUP BY, DISTINCT and set operations, keys that tables are said to have, and what becomes of them
in joins: a row of the left side stays one where the whole key of the right side is compared with it. What is not known
has no key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from dapflow.trino.analysis.typed import ColumnRef, Comparison, Expr, KeyRef, Logical
from dapflow.trino.analysis.typed_queries import (
    Join,
    Nested,
    Query,
    QueryBody,
    Sample,
    Select,
    SetOperation,
    Source,
    Subquery,
    Table,
    ViewUse,
    WithUse,
)

#: By which columns, in lower case, the rows of a table of this name are told apart; none if by no known ones.
KeyOfTable = Callable[[tuple[str, ...]], Sequence[str]]
#: A column of FROM: the number of its relation, and its place there.
_Column = tuple[int, int]
_Pair = tuple[_Column, _Column]


@dataclass(frozen=True, slots=True)
class _JoinedSource:
    """What stands in FROM: the numbers of its relations, and its key if one is known.

    Each part of the key is a column, with others that hold the same in every row.
    """

    numbers: frozenset[int]
    key: tuple[frozenset[_Column], ...]


@dataclass(frozen=True, slots=True)
class UniqueColumns:
    """What is known of tables, to find the keys of queries by."""

    key_of_table: KeyOfTable
    #: Of each WITH query, however often it is named.
    _with_queries: dict[int, tuple[int, ...]] = field(default_factory=dict, init=False)

    def of(self, query: Query) -> tuple[int, ...]:
        """The places of the output columns that tell the rows of a query apart; empty where none are known to."""
        return self._body(query.body)

    def _body(self, node: QueryBody) -> tuple[int, ...]:
        if isinstance(node, Nested):
            return self.of(node.query)
        whole = tuple(range(len(node.columns)))
        if isinstance(node, SetOperation):
            # INTERSECT and EXCEPT give rows of the left side.
            left = self._body(node.left) if node.op != "UNION" else ()
            return left or (() if node.all else whole)
        if not isinstance(node, Select):
            return ()
        key = _of_groups(node) if node.grouped else self._of_rows(node)
        return key or (whole if node.distinct else ())

    def _of_rows(self, node: Select) -> tuple[int, ...]:
        if node.source is None:
            return ()
        places: dict[_Column, int] = {}
        for place, item in enumerate(node.items):
            if (column := _column(item)) is not None:
                places.setdefault(column, place)
        key = self._source(node.source, list(_equal(node.where))).key
        listed = [next((places[column] for column in sorted(part) if column in places), None) for part in key]
        return tuple(sorted({place for place in listed if place is not None})) if None not in listed else ()

    def _source(self, node: Source, equal: Sequence[_Pair]) -> _JoinedSource:
        """`equal` are pairs of columns that hold the same in every row that stays."""
        if isinstance(node, Sample):
            return self._source(node.source, equal)
        if isinstance(node, Join):
            return self._join(node, equal)
        places: Iterable[int] = ()
        if isinstance(node, Table):
            names = [(column.written or "").lower() for column in node.columns]
            key = self.key_of_table(node.parts)
            places = [names.index(name) for name in key] if set(key) <= set(names) else ()
        elif isinstance(node, WithUse) and not node.with_query.recursive and node.with_query.query is not None:
            named = id(node.with_query)
            if named not in self._with_queries:
                self._with_queries[named] = self.of(node.with_query.query)
            places = self._with_queries[named]
        elif isinstance(node, ViewUse) or (isinstance(node, Subquery) and not node.lateral):
            places = self.of(node.query)
        return _JoinedSource(frozenset({node.number}), tuple(frozenset({(node.number, place)}) for place in places))

    def _join(self, node: Join, equal: Sequence[_Pair]) -> _JoinedSource:
        using = [(a, b) for a, b in map(_columns, node.using) if a is not None and b is not None]
        joined = [*equal, *_equal(node.on), *using]
        # A left join keeps the rows of the left side for which its condition does not hold.
        left = self._source(node.left, joined if node.kind == "inner" else equal)
        right = self._source(node.right, joined)
        numbers = left.numbers | right.numbers | {node.number}
        # A row that is joined with none has NULL for the other side: in a left join it is there once.
        if node.kind not in {"inner", "cross", "left"} or not left.key or not right.key:
            return _JoinedSource(numbers, ())
        met = {b for a, b in [*joined, *((b, a) for a, b in joined)] if a[0] in left.numbers}
        key = left.key if all(part & met for part in right.key) else (*left.key, *right.key)
        # A column of USING is that of the left side.
        shared = {_column(a): (node.number, place) for place, (a, _) in enumerate(node.using)}
        return _JoinedSource(
            numbers, tuple(part | {shared[column] for column in part if column in shared} for part in key)
        )


def _of_groups(node: Select) -> tuple[int, ...]:
    if len(node.sets) != 1:
        return ()
    places = {item.position: place for place, item in enumerate(node.items) if isinstance(item, KeyRef)}
    grouped = set(node.sets[0])
    return tuple(sorted(places[key] for key in grouped)) if grouped <= places.keys() else ()


def _equal(condition: Expr | None) -> Iterator[_Pair]:
    """Columns that are equal where a condition holds."""
    if isinstance(condition, Logical) and condition.op == "AND":
        for term in condition.terms:
            yield from _equal(term)
    elif isinstance(condition, Comparison) and condition.op == "=":
        a, b = _columns((condition.left, condition.right))
        if a is not None and b is not None:
            yield a, b


def _columns(pair: tuple[Expr, Expr]) -> tuple[_Column | None, _Column | None]:
    return _column(pair[0]), _column(pair[1])


def _column(expr: Expr) -> _Column | None:
    """The column of FROM that an expression is."""
    return (expr.relation, expr.position) if isinstance(expr, ColumnRef) and expr.outer == 0 else None
