"""Tables, views and WITH queries by their names."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from dapflow.trino import catalogue
from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.scopes import ScopedSource, fields_of
from dapflow.trino.analysis.typed_queries import OutputColumn, Query, Source, Table, ViewUse, WithUse
from dapflow.trino.coercion import common
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.statements import parse
from dapflow.trino.types import UNCHECKED, Type, parse_type

#: All columns of a table that is not known.
OPEN = (OutputColumn(None, UNCHECKED, open=True),)


def table(node: tree.TableNode, context: AnalysisContext) -> ScopedSource:
    """What a name in FROM means."""
    named = context.names.find(node.parts[0]) if len(node.parts) == 1 else None
    number, place = context.statement.number(), context.place(node)
    if named is not None:
        use = WithUse(number=number, columns=named.columns, place=place, with_query=named)
        return ScopedSource(use, fields_of(use, (named.name,)))
    catalog, database, name = (None, None, *node.parts)[-3:]
    assert name is not None  # noqa: S101 - the parser gives one part at least
    known = context.statement.catalogue.relation(catalog, database or context.statement.database, name)
    if known is None:
        _missing(node, catalog, database, name, context)
    if known is None or isinstance(known, catalogue.NotKnown):
        unknown = Table(number=number, columns=OPEN, place=place, parts=node.parts, relation=None)
        return ScopedSource(unknown, fields_of(unknown, node.parts))
    columns = _columns(known.columns, known.hidden)
    source: Source = Table(number=number, columns=columns, place=place, parts=node.parts, relation=known)
    if known.view_sql is not None:
        source = _view(known, source, node, context)
    return ScopedSource(source, fields_of(source, _qualifier(known)))


@lru_cache(maxsize=256)  # a project's transforms read the same tables
def _columns(
    listed: tuple[catalogue.ColumnMetadata, ...], hidden: tuple[catalogue.ColumnMetadata, ...]
) -> tuple[OutputColumn, ...]:
    return (
        *[OutputColumn(column.name, _type(column.type)) for column in listed],
        *[OutputColumn(column.name, _type(column.type), hidden=True) for column in hidden],
    )


def _type(text: str) -> Type:
    return UNCHECKED if text == catalogue.UNCHECKED else parse_type(text)


def _qualifier(relation: catalogue.Relation) -> tuple[str, ...]:
    return relation.catalog.lower(), relation.database.lower(), relation.name.lower()


def _missing(
    node: tree.TableNode, catalog: str | None, database: str | None, name: str, context: AnalysisContext
) -> None:
    place = database or context.statement.database
    known = context.statement.catalogue
    if place is None:
        problem = "Schema must be specified when session schema is not set"
        context.fault("MISSING_SCHEMA_NAME", node, problem)
    elif catalog not in {None, "awsdatacatalog"}:
        context.fault("CATALOG_NOT_FOUND", node, f"Catalog '{catalog}' does not exist")
    elif not known.has_database(place):
        context.fault("SCHEMA_NOT_FOUND", node, f"Schema '{place}' does not exist")
    else:
        shown = f"{catalog or 'awsdatacatalog'}.{place}.{name}"
        context.fault("TABLE_NOT_FOUND", node, f"Table '{shown}' does not exist")


# ------------------------------------------------------------------------------------------------------ views
def _view(relation: catalogue.Relation, declared: Source, node: tree.TableNode, context: AnalysisContext) -> Source:
    """A view with its query; where that has mistakes, just what the view declares."""
    statement = context.statement
    key = (relation.database, relation.name)
    shown = f"{relation.catalog}.{relation.database}.{relation.name}"
    unknown = declared if declared.columns else replace(declared, columns=OPEN)
    if key in statement.views:
        problem = f"Statement would create a recursive view: {shown}"
        context.fault("VIEW_IS_RECURSIVE", node, problem)
        return unknown
    inner = replace(
        statement,
        text=relation.view_sql or "",
        database=relation.view_database or relation.database,
        parameters=(),
        findings=[],
        views=(*statement.views, key),
        placed=False,
    )
    try:
        query = statement.visitor.query(parse(inner.text), AnalysisContext(inner))
        problems = [finding.error() for finding in inner.findings]
    except QueryError as error:
        problems = [error]
    if problems:
        first = problems[0]
        name = "INVALID_VIEW" if first.error_name != "NOT_SUPPORTED" else "NOT_SUPPORTED"
        context.fault(name, node, f"Failed analyzing stored view '{shown}': {first.message}")
        return unknown
    if declared.columns and not _is_up_to_date(declared, query, shown, node, context):
        return unknown
    columns = tuple(map(_as_declared, declared.columns, query.columns)) or query.columns
    return ViewUse(number=declared.number, columns=columns, place=declared.place, relation=relation, query=query)


def _as_declared(declared: OutputColumn, actual: OutputColumn) -> OutputColumn:
    converted = common(declared.type, actual.type) == declared.type
    return OutputColumn(declared.written, declared.type if converted else actual.type)


def _is_up_to_date(declared: Source, query: Query, shown: str, node: tree.TableNode, context: AnalysisContext) -> bool:
    """Whether a view's query still gives what the view declares; if not, that is noted."""
    what = f"View '{shown}' is stale or in invalid state:"
    if any(column.open for column in query.columns):
        return True
    if len(declared.columns) != len(query.columns):
        context.fault(
            "VIEW_IS_STALE",
            node,
            f"{what} stored view column count ({len(declared.columns)}) does not match column count derived from the "
            f"view query analysis ({len(query.columns)})",
        )
        return False
    for i, (column, actual) in enumerate(zip(declared.columns, query.columns, strict=True)):
        if common(column.type, actual.type) != column.type and not _same_as_stored(column.type, actual.type):
            context.fault(
                "VIEW_IS_STALE",
                node,
                f"{what} column [{column.written}] of type {actual.type} projected from query view at position {i} "
                f"cannot be coerced to column [{column.written}] of type {column.type} stored in view definition",
            )
            return False
    return True


def _same_as_stored(declared: Type, actual: Type) -> bool:
    """Whether two types differ only in a way that stored views lose, such as a bound of varchar."""
    return declared.base == actual.base and declared.base in {"varchar", "row", "array", "map", "timestamp", "char"}
