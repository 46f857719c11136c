"""WITH queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dapflow.trino.analysis.context import AnalysisContext
from dapflow.trino.analysis.scopes import WithNames
from dapflow.trino.analysis.set_operations import combined
from dapflow.trino.analysis.tables import OPEN
from dapflow.trino.analysis.typed_queries import OutputColumn, Query, QueryBody, WithQuery
from dapflow.trino.analysis.walk import outer_references
from dapflow.trino.coercion import common
from dapflow.trino.syntax import tree

AnalyseBody = Callable[[tree.BodyNode, AnalysisContext], QueryBody]


def with_queries(
    ctes: Sequence[tree.Cte], recursive: bool, context: AnalysisContext, body: AnalyseBody
) -> tuple[WithNames, tuple[WithQuery, ...]]:
    """The WITH queries of a query, and the names by which what follows knows them."""
    names, queries = context.names, []
    seen: set[str] = set()
    for cte in ctes:
        here = context._replace(names=names)
        if cte.name in seen:
            problem = f"WITH query name '{cte.name}' specified more than once"
            context.fault("DUPLICATE_NAMED_QUERY", cte.pos, problem)
        seen.add(cte.name)
        with_query = _recursive(cte, here, body) if recursive and _mentions(cte.query, cte.name) else _plain(cte, here)
        queries.append(with_query)
        names = WithNames(with_query, names)
    return names, tuple(queries)


def _plain(cte: tree.Cte, context: AnalysisContext) -> WithQuery:
    query = context.statement.visitor.query(cte.query, context)
    columns = _named(query.columns, cte, context)
    return WithQuery(cte.name, query, columns, False, context.place(cte))


def _named(columns: tuple[OutputColumn, ...], cte: tree.Cte, context: AnalysisContext) -> tuple[OutputColumn, ...]:
    """The columns with the names that WITH gives them."""
    if cte.columns is None:
        return columns
    if any(column.open for column in columns):
        return tuple(replace(OPEN[0], written=name, open=False) for name in cte.columns)
    if len(cte.columns) != len(columns):
        problem = (
            f"WITH column alias list has {len(cte.columns)} entries, but WITH query(columns) has {len(columns)} columns"
        )
        context.fault("MISMATCHED_COLUMN_ALIASES", cte.pos, problem)
        return columns
    return tuple(replace(column, written=name) for column, name in zip(columns, cte.columns, strict=True))


def _recursive(cte: tree.Cte, context: AnalysisContext, body: AnalyseBody) -> WithQuery:
    """A recursive query: an anchor, and a step that reads the rows so far by the query's name."""
    node, place = cte.query.body, context.place(cte)
    problem = None
    if not isinstance(node, tree.SetOperation) or node.op != "UNION":
        problem = ("INVALID_RECURSIVE_REFERENCE", "recursive query must be a UNION of an anchor and a step")
    elif cte.columns is None:
        problem = ("MISSING_COLUMN_ALIASES", "missing column aliases in recursive WITH query")
    if problem is not None or not isinstance(node, tree.SetOperation):
        context.fault(*_placed(problem, cte))
        return WithQuery(cte.name, None, OPEN, True, place)
    anchor = body(node.left, context)
    columns = _named(anchor.columns, cte, context)
    with_query = WithQuery(cte.name, None, columns, True, place)
    step = body(node.right, context._replace(names=WithNames(with_query, context.names)))
    _check_step(columns, step, cte, context)
    operation = combined(columns, node, anchor, step, context)
    with_query.query = Query((), operation, (), None, None, False, columns, place, outer=outer_references((operation,)))
    return with_query


def _placed(problem: tuple[str, str] | None, cte: tree.Cte) -> tuple[str, int, str]:
    assert problem is not None  # noqa: S101 - what is no set operation is one
    return problem[0], cte.pos, problem[1]


def _check_step(columns: Sequence[OutputColumn], step: QueryBody, cte: tree.Cte, context: AnalysisContext) -> None:
    """The step must give what the anchor gives."""
    if any(column.open for column in (*columns, *step.columns)):
        return
    if len(step.columns) != len(columns):
        problem = "base and step relations of recursion have different numbers of fields"
        context.fault("TYPE_MISMATCH", cte.pos, problem)
        return
    for i, (a, b) in enumerate(zip(columns, step.columns, strict=True)):
        if common(a.type, b.type) != a.type and "unchecked" not in {a.type.base, b.type.base}:
            problem = (
                f"recursion step relation output type ({b.type}) is not coercible to recursion base "
                f"relation output type ({a.type}) at column {i + 1}"
            )
            context.fault("TYPE_MISMATCH", cte.pos, problem)
            return


def _mentions(node: Any, name: str) -> bool:
    """Whether a table name is used in a part of a query, inner WITH queries of the same name included."""
    if isinstance(node, tree.TableNode):
        return node.parts == (name,)
    if isinstance(node, tuple):
        return any(_mentions(part, name) for part in node)
    if isinstance(node, tree.Node):
        return any(_mentions(part, name) for part in tree.children(node))
    return False
