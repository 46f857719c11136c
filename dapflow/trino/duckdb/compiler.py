"""From a Trino query to a DuckDB query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dapflow.trino.analysis import Analysed, analyse, analyse_constant, typed, typed_queries
from dapflow.trino.catalogue import Catalogue
from dapflow.trino.duckdb.conversions import print_sql
from dapflow.trino.duckdb.depth import check_depth
from dapflow.trino.duckdb.expressions import expression
from dapflow.trino.duckdb.lowering import Lowering, Notes
from dapflow.trino.duckdb.model import CompiledQuery
from dapflow.trino.duckdb.nodes import Member, Name, Sql, Word, sql
from dapflow.trino.duckdb.printer import Printer
from dapflow.trino.duckdb.queries import is_ordered, query
from dapflow.trino.duckdb.scans import counts_of_readings, scans
from dapflow.trino.duckdb.storage import literal
from dapflow.trino.duckdb.values import Value, cast
from dapflow.trino.errors import QueryError, TooDeep
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.parser import parse_expression
from dapflow.trino.types import Type

#: What a query is called in the one around it.
_OUTER = Word("o")


def compile_query(
    text: str,
    catalogue: Catalogue,
    database: str | None,
    *,
    parameters: Sequence[str] = (),
    replacing: tuple[str, str] | None = None,
    short: bool = False,
) -> CompiledQuery:
    """Compile a query. Raises QueryError. For what it is given see `analyse`, and for `short` see `compile_analysed`.

    The catalogue knows all of its tables.
    """
    analysed = analyse(text, catalogue, database, parameters=parameters, replacing=replacing)
    return compile_analysed(analysed, text, database, short=short)


def compile_analysed(analysed: Analysed, text: str, database: str | None, *, short: bool = False) -> CompiledQuery:
    """Compile what was analysed, and all of which is known. Raises QueryError, first for what was found.

    With `short`, sums of long decimals may be computed in 64 bits (see `CompiledQuery.short`).
    """
    try:
        return _compiled(_lowered(analysed, text, database, short=short), analysed)
    except RecursionError:
        raise TooDeep from None


def check_analysed(analysed: Analysed, text: str, database: str | None) -> None:
    """Raise the QueryError with which `compile_analysed` would refuse a query, without writing out any SQL."""
    try:
        lowered = _lowered(analysed, text, database)
        _outputs(lowered, stored)
        counts_of_readings(lowered.node, lowered.lowering)
        _outputs(lowered, print_sql)
    except RecursionError:
        raise TooDeep from None


class _LoweredQuery(NamedTuple):
    node: typed_queries.Query
    inner: Sql
    lowering: Lowering


def _lowered(analysed: Analysed, text: str, database: str | None, *, short: bool = False) -> _LoweredQuery:
    for finding in analysed.findings:
        raise finding.error()
    assert analysed.query is not None and analysed.columns is not None  # noqa: S101 - else something was found
    lowering = Lowering(text, database, _Lowerer(), Notes(short_sums=short, statement=analysed.query))
    return _LoweredQuery(analysed.query, lowering.query(analysed.query), lowering)


def _compiled(lowered: _LoweredQuery, analysed: Analysed) -> CompiledQuery:
    node, inner, lowering = lowered
    printer = Printer(lowering.notes.column_names())
    # Both forms hold the same text, which is written once.
    whole = Word(printer.text(inner))
    return CompiledQuery(
        printer.text(_outer(whole, analysed, lowered, stored)),
        analysed.columns or (),
        scans(node, lowering, printer.columns),
        printer.text(_outer(whole, analysed, lowered, print_sql)),
        is_ordered(node),
        lowering.notes.short_summed,
        analysed.divisions,
    )


def _outer(inner: Sql, analysed: Analysed, lowered: _LoweredQuery, given: Callable[[Sql, Type], Sql]) -> Sql:
    """A query whose columns have the names of the user's, and the form in which they are given to somebody."""
    named = zip(analysed.columns or (), _outputs(lowered, given), strict=True)
    parts = [sql("$value AS $name", value=value, name=Name(column.name)) for column, value in named]
    return sql("SELECT $parts FROM ($inner) AS $outer", parts=parts, inner=inner, outer=_OUTER)


def _outputs(lowered: _LoweredQuery, given: Callable[[Sql, Type], Sql]) -> list[Sql]:
    """The output columns in that form. Raises QueryError."""
    values: list[Sql] = []
    for i, column in enumerate(lowered.node.columns):
        value = given(Member(_OUTER, Word(f"c{i}")), column.type)
        check_depth(value, column.type, None, lowered.lowering)
        values.append(value)
    return values


def stored(value: Sql, t: Type) -> Sql:
    """A value as files and clients get it."""
    if t.base == "char":
        return sql("rpad($value, $length, ' ')", value=value, length=t.length or 0)
    if t.base == "timestamp_tz":
        return sql("timezone('UTC', ($value).u)", value=value)
    if t.base in {"time_tz", "interval_ds", "interval_ym"}:
        return print_sql(value, t)
    return cast(value, t)


class _Lowerer:
    """Where the lowering of expressions and of queries meet."""

    def expression(self, node: typed.Expr, lowering: Lowering) -> Value:
        """An expression."""
        return expression(node, lowering)

    def query(self, node: typed_queries.Query, lowering: Lowering) -> Sql:
        """A query."""
        return query(node, lowering)


def parameter_sql(text: str) -> str:
    """The expression that a parameter of StartQueryExecution stands for: itself, or else its text as a string.

    Athena takes `abc` and `two words` for strings, while `1 + 1` is 2 and `'it''s'` is a string already.
    """
    try:
        analyse_constant(text, parse_expression(text))
    except RecursionError:
        raise TooDeep from None
    except QueryError as error:
        if error.error_name in {"SYNTAX_ERROR", "COLUMN_NOT_FOUND"}:
            return literal(text)
    return text


def constant_sql(text: str, node: tree.Expr) -> Sql:
    """DuckDB's SQL for an expression of `text` that names no column. Raises QueryError."""
    return Lowering(text, None, _Lowerer()).sql(analyse_constant(text, node))
