"""Conditions that are drawn for each row, as `random() < 0.5` is.

DuckDB takes a condition down to where its columns come from, and does not ask whether it is another each time: below
UNNEST, DISTINCT, GROUP BY, a set operation or a side of a join, it is drawn for other rows than those behind which it
stands. Trino leaves such a condition in its place, behind the others:
https://github.com/trinodb/trino/blob/400/core/trino-main/src/main/java/io/trino/sql/planner/optimizations/PredicatePushDown.java
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from dapflow.trino.analysis.typed import Expr, Logical
from dapflow.trino.analysis.typed_queries import Join, Sample, Source
from dapflow.trino.duckdb.logic import choosing
from dapflow.trino.duckdb.lowering import Lowering
from dapflow.trino.duckdb.nodes import NOTHING, Filled, Member, Sql, SubquerySql, Variable, Word, sql


class Terms(NamedTuple):
    """A condition in two: what is the same whenever it is asked, and what is drawn for each row."""

    steady: Sql | None = None
    drawn: Sql | None = None

    def whole(self) -> Sql | None:
        """The condition as one; None if there is none."""
        if self.steady is None or self.drawn is None:
            return self.steady or self.drawn
        return sql("($steady) AND $drawn", steady=self.steady, drawn=self.drawn)


def terms_of(condition: Expr | None, lowering: Lowering) -> Terms:
    """The terms of a condition by which rows are chosen."""
    if condition is None:
        return Terms()
    whole = choosing(condition, lowering)
    if not _is_drawn(whole):
        return Terms(whole)
    if not isinstance(condition, Logical) or condition.op != "AND":
        return Terms(None, lowering.sql(condition))
    terms = [(term, _is_drawn(lowering.sql(term))) for term in _conjuncts(condition)]
    steady = tuple(term for term, drawn in terms if not drawn)
    drawn = replace(condition, terms=tuple(term for term, drawn in terms if drawn))
    return Terms(choosing(replace(condition, terms=steady), lowering) if steady else None, lowering.sql(drawn))


def _conjuncts(condition: Expr) -> Iterator[Expr]:
    if isinstance(condition, Logical) and condition.op == "AND":
        for term in condition.terms:
            yield from _conjuncts(term)
    else:
        yield condition


def _is_drawn(node: Sql) -> bool:
    """Whether SQL is another value for each row. A subquery that refers to none is computed once."""
    if not node.is_volatile or isinstance(node, SubquerySql):
        return False
    if isinstance(node, Filled) and node.template.is_volatile:
        return True
    return any(_is_drawn(part) for part, _ in node.parts())


def where(terms: Terms) -> Sql:
    """WHERE, if there is a condition."""
    whole = terms.whole()
    return NOTHING if whole is None else sql(" WHERE $condition", condition=whole)


def kept(node: Source, source: Sql, terms: Terms, lowering: Lowering) -> Sql:
    """What stands in FROM, as `source`, without the rows for which a condition does not hold.

    What is drawn is a column, below which DuckDB takes nothing that asks for it. Notes what the columns are called now.
    """
    assert terms.drawn is not None  # noqa: S101 - else WHERE says it
    alias = Variable("r")
    columns = _passed_on(node, alias, lowering)
    columns.append(sql("$drawn AS kept", drawn=terms.drawn))
    return sql(
        "(SELECT * FROM (SELECT $columns FROM $source$where) AS $inner WHERE kept) AS $alias",
        columns=columns,
        source=source,
        where=where(Terms(terms.steady)),
        inner=Variable("q"),
        alias=alias,
    )


def _passed_on(node: Source, alias: Variable, lowering: Lowering) -> list[Sql]:
    """The columns that something refers to."""
    columns: list[Sql] = []
    for source in sources(node):
        names = [*lowering.notes.columns[source.number]]
        for i, name in enumerate(names):
            if (source.number, i) in lowering.notes.referenced:
                column = Word(f"c{len(columns)}")
                columns.append(sql("$value AS $name", value=name, name=column))
                names[i] = Member(alias, column)
        lowering.notes.columns[source.number] = names
    return columns


def of_each_pair(node: Join, drawn: Sql, lowering: Lowering) -> Sql:
    """A condition of an outer join, which DuckDB keeps where it is as it reads of both sides."""
    held = [column for side in (node.left, node.right) for column in _first_column(side, lowering)]
    return sql("CASE WHEN hash($held) IS NOT NULL THEN $drawn END", held=held, drawn=drawn)


def _first_column(node: Source, lowering: Lowering) -> Sequence[Sql]:
    """A column, if possible one that is read anyhow."""
    columns = [
        ((source.number, i) not in lowering.notes.referenced, name)
        for source in sources(node)
        for i, name in enumerate(lowering.notes.columns[source.number])
    ]
    return [name for _, name in sorted(columns, key=lambda column: column[0])[:1]]


def of_each_group(drawn: Sql) -> Sql:
    """A condition of HAVING, which DuckDB keeps where it is as it reads an aggregate."""
    return sql("CASE WHEN count(*) IS NOT NULL THEN $drawn END", drawn=drawn)


def sources(node: Source) -> Iterator[Source]:
    """What has columns in a part of FROM."""
    if isinstance(node, Sample):
        yield from sources(node.source)
        return
    yield node
    if isinstance(node, Join):
        yield from sources(node.left)
        yield from sources(node.right)
