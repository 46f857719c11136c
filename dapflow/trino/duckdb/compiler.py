"""From a Trino query to a DuckDB query."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.trino.catalogue import Column
from dapflow.trino.duckdb.analyser import Analyser
from dapflow.trino.duckdb.conversion_text import print_sql
from dapflow.trino.duckdb.model import Catalog, Query
from dapflow.trino.duckdb.queries import QueryCompiler
from dapflow.trino.duckdb.scope import Field, Scope
from dapflow.trino.duckdb.storage import duck_type, literal, quote
from dapflow.trino.duckdb.unit import Unit
from dapflow.trino.errors import QueryError, TooDeep
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.parser import Parser, parse
from dapflow.trino.types import Type


def compile_query(
    text: str,
    catalog: Catalog,
    database: str | None,
    *,
    parameters: Sequence[str] = (),
    replacing: tuple[str, str] | None = None,
    short: bool = False,
) -> Query:
    """Compile a query. Names without a database are looked up in `database`; parameters are texts of expressions.

    With `short`, sums of long decimals may be computed in 64 bits (see `Query.short`).
    `replacing` is the database and name of a view that the query will be the text of; it may not read itself.
    """
    try:
        values = [_parameter(p) for p in parameters]
        node = parse(text)
        views = () if replacing is None else (replacing,)
        unit = Unit(text, catalog, database, values, views=views, short_sums=[] if short else None)
        if node.parameters != len(values):
            problem = f"Incorrect number of parameters: expected {node.parameters} but found {len(values)}"
            unit.fail("INVALID_PARAMETER_USAGE", 0, problem)
        found = QueryCompiler(unit).query(node, None)
    except RecursionError:
        raise TooDeep from None
    for one in found.fields:
        if one.type.base == "HyperLogLog":
            unit.unsupported(f"A result of type {one.type}", 0)
        unit.read(one.deps)
    names = [one.written or f"_col{i}" for i, one in enumerate(found.fields)]
    typed = _outer(found.sql, found.fields, names, text=False)
    printed = _outer(found.sql, found.fields, names, text=True)
    columns = tuple(Column(n, str(one.type)) for n, one in zip(names, found.fields, strict=True))
    scans = unit.finished(found.sql)
    return Query(typed, columns, scans, printed, found.ordered, bool(unit.short_sums), frozenset(unit.divisions))


class _NoTables:
    def relation(self, catalog: str | None, database: str | None, name: str) -> None:
        return None

    def has_database(self, database: str) -> bool:
        return False


def parameter_sql(text: str) -> str:
    """The expression that a parameter of StartQueryExecution stands for: itself, or else its text as a string.

    Athena takes `abc` and `two words` for strings, while `1 + 1` is 2 and `'it''s'` is a string already.
    """
    try:
        constant_sql(text, _parameter(text))
    except RecursionError:
        raise TooDeep from None
    except QueryError as error:
        if error.error_name in {"SYNTAX_ERROR", "COLUMN_NOT_FOUND"}:
            return literal(text)
    return text


def constant_sql(text: str, node: tree.Expr) -> str:
    """DuckDB's SQL for an expression of `text` that names no column."""
    return Analyser(QueryCompiler(Unit(text, _NoTables(), None)), Scope()).top(node).sql


def _parameter(text: str) -> tree.Expr:
    parser = Parser(text)
    found = parser.expression()
    if parser.now.kind != "end":
        parser.mismatch("<EOF>")
    return found


def _outer(sql: str, fields: Sequence[Field], names: Sequence[str], *, text: bool) -> str:
    parts = []
    for i, (one, name) in enumerate(zip(fields, names, strict=True)):
        held = f"o.c{i}"
        value = print_sql(held, one.type) if text else _stored(held, one.type)
        parts.append(f"{value} AS {quote(name)}")
    return f"SELECT {', '.join(parts)} FROM ({sql}) AS o"


def _stored(sql: str, t: Type) -> str:
    """A value as files and clients get it."""
    if t.base == "char":
        return f"rpad({sql}, {t.length}, ' ')"
    if t.base == "timestamp_tz":
        return f"timezone('UTC', ({sql}).u)"
    if t.base in {"time_tz", "interval_ds", "interval_ym"}:
        return print_sql(sql, t)
    return f"CAST({sql} AS {duck_type(t)})"
