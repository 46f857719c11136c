"""What stands in FROM: tables, views, WITH queries, subqueries, UNNEST, samples and joins.

Each notes what its columns are called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dapflow.trino.analysis.typed import ColumnRef, Literal
from dapflow.trino.analysis.typed_queries import (
    Join,
    Query,
    Sample,
    Source,
    Subquery,
    Table,
    Unnest,
    ViewUse,
    WithUse,
)
from dapflow.trino.analysis.walk import within
from dapflow.trino.duckdb.conversions import coerce
from dapflow.trino.duckdb.drawing import Terms, kept, of_each_pair, sources, terms_of
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import TRUE, Member, Name, Sql, Variable, Word, joined, sql
from dapflow.trino.duckdb.operators import compare
from dapflow.trino.duckdb.tables import NamedTable
from dapflow.trino.duckdb.unnesting import unnest
from dapflow.trino.duckdb.values import Value


def relation(node: Source, lowering: Lowering, beside: frozenset[int] = frozenset()) -> Sql:
    """What stands in FROM. `beside` are the numbers of what stands to the left of it."""
    if isinstance(node, Join):
        return _join(node, lowering, beside)
    return _RELATIONS[type(node)](node, lowering, beside)


def _table(node: Table, lowering: Lowering, _: frozenset[int]) -> Sql:
    known = lowering.notes.tables
    table = known.setdefault(node.number, NamedTable(f"scan_{len(known)}", Variable("r"), node))
    lowering.notes.columns[node.number] = table.columns()
    return sql("$name AS $alias", name=Name(table.name), alias=table.alias)


def _view(node: ViewUse, lowering: Lowering, _: frozenset[int]) -> Sql:
    database = node.relation.view_database or node.relation.database
    text = node.relation.view_sql or ""
    query = replace(lowering, text=text, database=database, placed=False).query(node.query)
    derived = _derived(node, query, lowering)
    # A view's columns are of the types that it declares.
    columns = zip(lowering.notes.columns[node.number], node.query.columns, node.columns, strict=True)
    lowering.notes.columns[node.number] = [
        coerce(Value(member, column.type), declared.type).sql for member, column, declared in columns
    ]
    return derived


def _with_use(node: WithUse, lowering: Lowering, _: frozenset[int]) -> Sql:
    rows = lowering.notes.with_queries.get(id(node.with_query))
    if rows is None:
        assert node.with_query.query is not None  # noqa: S101 - one without a query is a mistake
        return _derived(node, lowering.query(node.with_query.query), lowering)
    alias = Variable("r")
    lowering.notes.columns[node.number] = _members(alias, len(node.columns))
    return sql("$rows AS $alias", rows=rows, alias=alias)


def _subquery(node: Subquery, lowering: Lowering, beside: frozenset[int]) -> Sql:
    return _lateral(node, beside, _derived(node, lowering.query(node.query), lowering))


def _unnest(node: Unnest, lowering: Lowering, beside: frozenset[int]) -> Sql:
    alias = Variable("r")
    lowering.notes.columns[node.number] = _members(alias, len(node.columns))
    rows = unnest(node, [lowering.value(item) for item in node.items])
    return _lateral(node, beside, sql("($rows) AS $alias", rows=rows, alias=alias))


def _lateral(node: Source, beside: frozenset[int], source_sql: Sql) -> Sql:
    """What stands in FROM, as LATERAL if it refers to what stands beside it."""
    return sql("LATERAL $source", source=source_sql) if _refers(node, beside) else source_sql


def _refers(node: Source, numbers: frozenset[int]) -> bool:
    """Whether something in FROM refers to relations of these numbers."""
    for part in within(node):
        if isinstance(part, ColumnRef) and part.relation in numbers:
            return True
        if isinstance(part, Query) and any(ref.relation in numbers for ref in part.outer):
            return True
    return False


def _sample(node: Sample, lowering: Lowering, beside: frozenset[int]) -> Sql:
    """Some of the rows of a relation."""
    source, percentage = relation(node.source, lowering, beside), lowering.sql(node.percentage)
    drawn = sql("random() < CAST($percentage AS DOUBLE) / 100", percentage=percentage)
    return kept(node.source, source, Terms(drawn=drawn), lowering)


def _derived(node: Source, query: Sql, lowering: Lowering) -> Sql:
    alias = Variable("r")
    lowering.notes.columns[node.number] = _members(alias, len(node.columns))
    return sql("($query) AS $alias", query=query, alias=alias)


def _members(alias: Sql, count: int) -> list[Sql]:
    return [Member(alias, Word(f"c{i}")) for i in range(count)]


# ------------------------------------------------------------------------------------------------------ joins
def _join(node: Join, lowering: Lowering, beside: frozenset[int]) -> Sql:
    left = relation(node.left, lowering, beside)
    numbers = frozenset(source.number for source in sources(node.left))
    right = relation(node.right, lowering, beside | numbers)
    if isinstance(node.right, Join):
        right = sql("($right)", right=right)
    lowering.notes.columns[node.number] = ()
    terms = Terms(_using(node, lowering)) if node.using else terms_of(node.on, lowering)
    if node.kind in {"right", "full"} and _is_lateral(node.right, numbers):
        return _outer_lateral(node, left, right, terms.whole() or TRUE, lowering)
    if terms.drawn is None or node.kind == "inner":
        whole = _joined(node.kind, left, right, terms.steady)
        return whole if terms.drawn is None else kept(node, whole, Terms(drawn=terms.drawn), lowering)
    terms = terms._replace(drawn=of_each_pair(node, terms.drawn, lowering))
    return _joined(node.kind, left, right, terms.whole())


def _joined(kind: str, left: Sql, right: Sql, test: Sql | None) -> Sql:
    if kind == "cross":
        return sql("$left CROSS JOIN $right", left=left, right=right)
    return sql("$left $kind JOIN $right ON $test", left=left, kind=Word(kind.upper()), right=right, test=test or TRUE)


def _using(node: Join, lowering: Lowering) -> Sql:
    tests, columns = [], []
    for left, right in node.using:
        x, y = lowering.sql(left), lowering.sql(right)
        tests.append(compare("=", Value(x, left.type), Value(y, right.type), left.type))
        columns.append({"inner": x, "left": x, "right": y}.get(node.kind) or sql("coalesce($x, $y)", x=x, y=y))
    lowering.notes.columns[node.number] = columns
    return joined(" AND ", tests)


def _is_lateral(node: Source, left: frozenset[int]) -> bool:
    return (isinstance(node, Subquery) and node.lateral) or _refers(node, left)


def _outer_lateral(node: Join, left: Sql, right: Sql, test: Sql, lowering: Lowering) -> Sql:
    """RIGHT or FULL JOIN of LATERAL: the join is made anew for each row of the left side."""
    if node.kind == "full":
        return sql("$left LEFT JOIN $right ON TRUE", left=left, right=right)
    if not (isinstance(node.on, Literal) and node.on.value is True):
        for source in sources(node.left):
            lowering.notes.columns[source.number] = [
                sql("CASE WHEN $test THEN $column END", test=test, column=column)
                for column in lowering.notes.columns[source.number]
            ]
    return sql("$left CROSS JOIN $right", left=left, right=right)


_RELATIONS: dict[type, Callable[[Any, Lowering, frozenset[int]], Sql]] = {
    Table: _table,
    ViewUse: _view,
    WithUse: _with_use,
    Subquery: _subquery,
    Unnest: _unnest,
    Sample: _sample,
}
