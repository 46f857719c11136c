"""What is shared while one statement is lowered, and where in it an expression stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, Protocol

from dapflow.trino.analysis.findings import Place
from dapflow.trino.analysis.typed import ColumnRef, Expr
from dapflow.trino.analysis.typed_queries import Query
from dapflow.trino.analysis.walk import deep
from dapflow.trino.duckdb.nodes import Sql
from dapflow.trino.duckdb.tables import NamedTable
from dapflow.trino.errors import QueryError, Unsupported
from dapflow.trino.syntax.lexer import position

if TYPE_CHECKING:
    from dapflow.trino.duckdb.values import Value


class LoweringVisitor(Protocol):
    """What lowers the nodes of a typed tree, of whatever kind; expressions and queries meet here."""

    def expression(self, node: Expr, lowering: Lowering) -> Value:
        """An expression."""
        ...

    def query(self, node: Query, lowering: Lowering) -> Sql:
        """A query whose columns are named c0, c1, …"""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """What references within one query mean, by their places."""

    keys: Sequence[Sql] = ()
    #: What rows are grouped by, where it is not the key itself: values may be equal though they look different.
    key_forms: Sequence[Sql] = ()
    aggregates: Sequence[Sql] = ()
    windows: Sequence[Sql] = ()
    outputs: Sequence[Sql] = ()


@dataclass
class Notes:
    """What is found out on the way."""

    #: Whether sums of long decimals may be computed in 64 bits, and whether one is.
    short_sums: bool = False
    short_summed: bool = False
    #: What columns are called, by the number of their relation and their place.
    columns: dict[int, Sequence[Sql]] = field(default_factory=dict)
    #: What stands for parameters of lambdas, by their number.
    parameters: dict[int, Sql] = field(default_factory=dict)
    #: Tables by the number of their place in FROM.
    tables: dict[int, NamedTable] = field(default_factory=dict)
    #: What stands for WITH queries that are named more than once, by their identity.
    with_queries: dict[int, Sql] = field(default_factory=dict)
    #: The whole statement.
    statement: Query | None = None

    @cached_property
    def referenced(self) -> frozenset[tuple[int, int]]:
        """The columns to which something refers, by the number of their relation and their place."""
        refs = (node for node in deep(self.statement) if isinstance(node, ColumnRef))
        return frozenset((ref.relation, ref.position) for ref in refs)

    def column_names(self) -> frozenset[str]:
        """The names of columns, in lower case: where one is called `r_1`, DuckDB takes `r_1.c0` for a field of it."""
        return frozenset(
            (column.written or "").lower() for named in self.tables.values() for column in named.table.columns
        )


@dataclass(frozen=True)
class Lowering:
    """A place in one statement, or in a view's text in it."""

    text: str
    database: str | None
    visitor: LoweringVisitor
    notes: Notes = field(default_factory=Notes)
    frame: Frame = field(default_factory=Frame)
    #: A view's text has places of its own, which would mislead in the user's text.
    placed: bool = True

    def value(self, node: Expr) -> Value:
        """Lower an expression."""
        return self.visitor.expression(node, self)

    def sql(self, node: Expr) -> Sql:
        """Lower an expression whose type is known to the caller."""
        return self.visitor.expression(node, self).sql

    def query(self, node: Query) -> Sql:
        """Lower a query that stands here."""
        return self.visitor.query(node, self)

    def within(self, frame: Frame) -> Lowering:
        """The same statement, where references mean something else."""
        return Lowering(self.text, self.database, self.visitor, self.notes, frame, self.placed)

    def fail(self, error_name: str, place: Place | None, message: str) -> NoReturn:
        """Raise an error at a place in the text."""
        if place is None or not self.placed:
            raise QueryError(error_name, message)
        raise QueryError(error_name, message, *position(self.text, place.at))

    def unsupported(self, construct: str, place: Place | None) -> NoReturn:
        """Refuse by name what Athena may know and DuckDB cannot be made to compute."""
        raise Unsupported(construct, *(position(self.text, place.at) if place is not None and self.placed else ()))
