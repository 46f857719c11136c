"""What a condition on a table's columns says of single columns, so that partitions and files can be left out."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.trino.analysis.typed import Between, Coerce, ColumnRef, Comparison, Expr, InList, Logical
from dapflow.trino.analysis.typed_queries import Table
from dapflow.trino.analysis.walk import within
from dapflow.trino.coercion import INTEGERS
from dapflow.trino.duckdb.conditions import ColumnBound, ColumnValues, Condition, either, every
from dapflow.trino.duckdb.conversions import same_form
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.operators import plain
from dapflow.trino.duckdb.printer import printed
from dapflow.trino.duckdb.unwrapping import FLIPPED, unwrapped
from dapflow.trino.types import Type


@dataclass(frozen=True, slots=True)
class TableConditions:
    """Conditions on one table. `lowering` gives its columns their bare names."""

    table: Table
    lowering: Lowering

    def condition(self, term: Expr) -> Condition:
        """A condition that is made of the table's columns and of constants."""
        columns = frozenset(self._name(ref) for ref in within(term) if isinstance(ref, ColumnRef))
        return Condition(self._text(term), columns, self._values(term), self._bounds(term))

    def _name(self, ref: ColumnRef) -> str:
        return (self.table.columns[ref.position].written or "").lower()

    def _text(self, expr: Expr) -> str:
        taken = {(column.written or "").lower() for column in self.table.columns}
        return printed(self.lowering.sql(expr), taken)

    def _values(self, term: Expr) -> tuple[ColumnValues, ...]:
        """The values that columns must have for a condition to be true."""
        if isinstance(term, Logical):
            terms = [self._values(inner) for inner in term.terms]
            return either(terms) if term.op == "OR" else every(terms)
        if isinstance(term, InList) and all(map(_is_constant, term.items)):
            column = self._column(term.expr, "=")
            literals = tuple(dict.fromkeys(map(self._text, term.items)))
            return () if column is None else (ColumnValues(column, literals),)
        return tuple(
            ColumnValues(bound.column, (bound.literal,)) for bound in self._bounds(term) if bound.operator == "="
        )

    def _bounds(self, term: Expr) -> tuple[ColumnBound, ...]:
        """The comparisons of a column with a literal that must be true."""
        if isinstance(term, Between):
            low, high = self._compared(">=", term.expr, term.low), self._compared("<=", term.expr, term.high)
            return (*low, *high) if low and high else ()
        if isinstance(term, Comparison) and term.op in FLIPPED:
            return self._compared(term.op, term.left, term.right) or self._compared(
                FLIPPED[term.op], term.right, term.left
            )
        return ()

    def _compared(self, op: str, left: Expr, right: Expr) -> tuple[ColumnBound, ...]:
        if not _is_constant(right):
            return ()
        bare = left.expr if isinstance(left, Coerce) else left
        if isinstance(bare, ColumnRef):
            exact = unwrapped(op, self.lowering.value(bare), self.lowering.value(right))
            if exact is not None:
                return (ColumnBound(self._name(bare), exact.op, printed(exact.number)),)
        column = self._column(left, op)
        return () if column is None else (ColumnBound(column, op, self._text(right)),)

    def _column(self, expr: Expr, op: str) -> str | None:
        """The column that an expression is, if DuckDB compares it as it is stored."""
        while isinstance(expr, Coerce) and _keeps_order(expr.expr.type, expr.type):
            expr = expr.expr
        comparable = plain(expr.type) or expr.type.base in {"double", "real", "json"}
        # Shorter texts of fixed length are padded before their order is told.
        if not comparable or (expr.type.base == "char" and op != "="):
            return None
        return self._name(expr) if isinstance(expr, ColumnRef) else None


def _keeps_order(source: Type, target: Type) -> bool:
    """Whether values as another type compare with literals of that type as they do themselves."""
    return same_form(source, target) or (source.base in INTEGERS and target.base in INTEGERS)


def _is_constant(expr: Expr) -> bool:
    return not any(isinstance(part, ColumnRef) for part in within(expr))
