"""The typed tree: queries, what stands in FROM, and subqueries in expressions."""

from __future__ import annotations

from dataclasses import dataclass, field

from dapflow.trino import catalogue
from dapflow.trino.analysis.findings import Place
from dapflow.trino.analysis.typed import ColumnRef, Expr
from dapflow.trino.analysis.typed_calls import Aggregate, SortKey, WindowCall
from dapflow.trino.types import Type


@dataclass(slots=True, unsafe_hash=True)
class OutputColumn:
    """A column that a query or relation gives. `written` is its name as in the text; None has no name.

    One that is `open` stands for all columns of a table that is not known.
    """

    written: str | None
    type: Type
    hidden: bool = False
    open: bool = False


@dataclass(slots=True, unsafe_hash=True, kw_only=True)
class Source:
    """What stands in FROM. `number` is what `ColumnRef` calls it by; it differs for each use in a statement."""

    number: int
    columns: tuple[OutputColumn, ...]
    place: Place = field(compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class Table(Source):
    """A table of the catalogue; None where it is not known, or is not there."""

    parts: tuple[str, ...]
    relation: catalogue.Relation | None


@dataclass(slots=True, unsafe_hash=True)
class ViewUse(Source):
    """A view of the catalogue, with its query, whose places are in the view's own text.

    Its columns have the types that the view declares, to which the query's are coerced.
    """

    relation: catalogue.Relation
    query: Query


@dataclass(slots=True, unsafe_hash=True)
class WithUse(Source):
    """A WITH query by its name, or the rows so far in the step of a recursive one."""

    with_query: WithQuery


@dataclass(slots=True, unsafe_hash=True)
class Subquery(Source):
    """(SELECT …), LATERAL or not."""

    query: Query
    lateral: bool


@dataclass(slots=True, unsafe_hash=True)
class Unnest(Source):
    """UNNEST(…) of arrays and maps; what it refers to stands beside it. ORDINALITY is the last column."""

    items: tuple[Expr, ...]
    ordinality: bool


@dataclass(slots=True, unsafe_hash=True)
class Sample(Source):
    """TABLESAMPLE; its columns are those of the relation below it, which keeps its number."""

    source: Source
    method: str
    percentage: Expr


@dataclass(slots=True, unsafe_hash=True)
class Join(Source):
    """A join. Columns keep the numbers of their relations, but those of USING are the join's own, from 0.

    `kind` is inner, left, right, full or cross; `using` holds both sides of each shared column, coerced to its type.
    Its value is that of the left side in an inner or left join, of the right side in a right join, and in a full join
    that of the left side or else of the right.
    """

    kind: str
    left: Source
    right: Source
    on: Expr | None = None
    using: tuple[tuple[Expr, Expr], ...] = ()


# ---------------------------------------------------------------------------------------------------- queries
@dataclass(slots=True, unsafe_hash=True, kw_only=True)
class QueryBody:
    """What stands before ORDER BY."""

    columns: tuple[OutputColumn, ...]
    place: Place = field(compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class Select(QueryBody):
    """SELECT: source, where, keys and aggregates, having, windows, items, distinct, and then the query's order.

    `grouped` says whether rows are put together; then `sets` are the grouping sets, by places of keys, and expressions
    behind it use keys and aggregates by reference. They use window functions by reference too.
    """

    source: Source | None
    where: Expr | None
    grouped: bool
    keys: tuple[Expr, ...]
    sets: tuple[tuple[int, ...], ...]
    aggregates: tuple[Aggregate, ...]
    having: Expr | None
    windows: tuple[WindowCall, ...]
    items: tuple[Expr, ...]
    distinct: bool


@dataclass(slots=True, unsafe_hash=True)
class Values(QueryBody):
    """VALUES: rows of one width, each column of one type."""

    rows: tuple[tuple[Expr, ...], ...]


@dataclass(slots=True, unsafe_hash=True)
class SetOperation(QueryBody):
    """UNION, INTERSECT or EXCEPT. `left_items` and `right_items` are the sides' columns as the types of the result."""

    op: str
    all: bool
    left: QueryBody
    right: QueryBody
    left_items: tuple[Expr, ...]
    right_items: tuple[Expr, ...]


@dataclass(slots=True, unsafe_hash=True)
class Nested(QueryBody):
    """A query in parentheses."""

    query: Query


@dataclass(slots=True, unsafe_hash=True, eq=False)
class WithQuery:
    """A WITH query. A recursive one has an anchor and a step as the sides of its query's body."""

    name: str
    query: Query | None
    columns: tuple[OutputColumn, ...]
    recursive: bool
    place: Place = field(compare=False, repr=False)


@dataclass(slots=True, unsafe_hash=True)
class Query:
    """A query. Its order is made of expressions of its SELECT, or of output columns; constants are left out of it.

    `outer` are its correlated references, as seen from within.
    """

    with_queries: tuple[WithQuery, ...]
    body: QueryBody
    order: tuple[SortKey, ...]
    offset: Expr | None
    limit: Expr | None
    ties: bool
    columns: tuple[OutputColumn, ...]
    place: Place = field(compare=False, repr=False)
    outer: tuple[ColumnRef, ...] = ()


# ------------------------------------------------------------------------------------------------- subqueries
@dataclass(slots=True, unsafe_hash=True)
class ScalarQuery(Expr):
    """A subquery that gives one value; of several columns a row."""

    query: Query


@dataclass(slots=True, unsafe_hash=True)
class Quantified(Expr):
    """x = ANY (SELECT …) and its like. The value, and each row of the query, are compared as `common`."""

    op: str
    quantifier: str
    value: Expr
    query: Query
    common: Type


@dataclass(slots=True, unsafe_hash=True)
class Exists(Expr):
    """EXISTS (SELECT …)."""

    query: Query
