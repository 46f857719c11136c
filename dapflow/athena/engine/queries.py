"""A statement's query, made ready to run."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import replace
from typing import Any

from dapflow.athena.catalog.session_catalog import SessionCatalog
from dapflow.athena.engine.context import Context
from dapflow.athena.engine.errors import QueryFailed
from dapflow.athena.engine.session import Work
from dapflow.athena.storage.object_store import Listings
from dapflow.trino.duckdb import CompiledQuery, QueryError, Statement, compile_query
from dapflow.trino.duckdb.storage import quote
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.statements import parse


def compiled(context: Context, work: Work, statement: Statement, *, short: bool = False) -> CompiledQuery:
    """The query, compiled, and its scans ready to be read. ``short``: see ``CompiledQuery.short``."""
    with work.execution.timed("planning"):
        catalog = _catalog(context, work, statement)
        # S3 lists while the compiler works; which of the listings are read is the compiler's to say.
        with contextlib.closing(Listings(context.store)) as listings:
            listings.begin(catalog.whole_tables())
            query = _compiled(work, statement, catalog, short=short)
            relations = context.scanner.prepare(work, query, listings)
    return _over(query, relations)


def _over(query: CompiledQuery, relations: dict[str, str]) -> CompiledQuery:
    """The query with the relations that it scans written into it. As views DuckDB would bind each of them twice."""
    if not relations:
        return query
    scans = ", ".join(f"{quote(name)} AS NOT MATERIALIZED ({sql})" for name, sql in relations.items())
    return replace(query, sql=f"WITH {scans} {query.sql}", text_sql=f"WITH {scans} {query.text_sql}")


def analysed(
    context: Context, work: Work, statement: Statement, *, replacing: tuple[str, str] | None = None
) -> CompiledQuery:
    """The query, compiled; nothing is read but the catalog. ``replacing`` is the view that it will be, if any."""
    return _compiled(work, statement, _catalog(context, work, statement), replacing=replacing)


def _catalog(context: Context, work: Work, statement: Statement) -> SessionCatalog:
    catalog = SessionCatalog(context.metastore, work.execution.database)
    catalog.look_up(_named_tables(statement.padded(work.text)), context.store.submit)
    return catalog


def _compiled(
    work: Work,
    statement: Statement,
    catalog: SessionCatalog,
    *,
    replacing: tuple[str, str] | None = None,
    short: bool = False,
) -> CompiledQuery:
    execution = work.execution
    text, arguments = statement.padded(work.text), execution.arguments
    return compile_query(text, catalog, execution.database, parameters=arguments, replacing=replacing, short=short)


def _named_tables(text: str) -> set[tuple[str, ...]]:
    """Names of tables and views in a query, so that Glue can be asked for all of them at once."""
    if "from" not in text.lower():
        return set()
    try:
        pending: list[Any] = [parse(text)]
    except (QueryError, RecursionError):
        # The compiler will say so.
        return set()
    names: set[tuple[str, ...]] = set()
    own: set[tuple[str, ...]] = set()
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending += node
        elif isinstance(node, tree.Node):
            if isinstance(node, tree.TableNode):
                names.add(node.parts)
            elif isinstance(node, tree.Cte):
                own.add((node.name,))
            pending += tree.children(node)
    return names - own


def check_syntax(statement: Statement, text: str) -> None:
    """Refuse a query that does not parse. Raises QueryError."""
    parse(statement.padded(text))


def check_named(query: CompiledQuery) -> None:
    """Refuse a query that gives no name to a column that will be stored. Such a column is called after its place."""
    for index, column in enumerate(query.columns):
        if column.name == f"_col{index}":
            raise QueryFailed("MISSING_COLUMN_NAME", f"line 1:1: Column name not specified at position {index + 1}")
    doubled = [name for name, count in Counter(column.name.lower() for column in query.columns).items() if count > 1]
    if doubled:
        raise QueryFailed("DUPLICATE_COLUMN_NAME", f"line 1:1: Column name '{doubled[0]}' specified more than once")
