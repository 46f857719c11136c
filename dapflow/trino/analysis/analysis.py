"""The analysis of one statement: text in, typed tree and findings out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dapflow.trino.analysis import expressions, literals, names, subqueries, typed
from dapflow.trino.analysis.aggregates import at_time_zone, call
from dapflow.trino.analysis.context import AnalysisContext, StatementAnalysis
from dapflow.trino.analysis.conversions import cast
from dapflow.trino.analysis.findings import Finding
from dapflow.trino.analysis.json_calls import json_call
from dapflow.trino.analysis.meaning import all_checked
from dapflow.trino.analysis.queries import query
from dapflow.trino.analysis.relations import relation
from dapflow.trino.analysis.scopes import Field, ScopedSource
from dapflow.trino.analysis.typed import Arithmetic
from dapflow.trino.analysis.typed_queries import Query
from dapflow.trino.analysis.walk import deep
from dapflow.trino.catalogue import UNCHECKED, Catalogue, ColumnMetadata
from dapflow.trino.coercion import INTEGERS
from dapflow.trino.errors import Limit, QueryError, TooDeep
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.parser import parse_expression
from dapflow.trino.syntax.statements import parse


@dataclass(frozen=True)
class Analysed:
    """A typed query and the tree of its text, None where it could not be read, and all findings, in Trino's order."""

    query: Query | None
    findings: tuple[Finding, ...]
    node: tree.QueryNode | None = None

    @cached_property
    def columns(self) -> tuple[ColumnMetadata, ...] | None:
        """The output columns; None where they cannot be told."""
        if self.query is None or any(column.open for column in self.query.columns):
            return None
        return tuple(
            ColumnMetadata(column.written or f"_col{i}", UNCHECKED if column.type.is_unchecked else str(column.type))
            for i, column in enumerate(self.query.columns)
        )

    @property
    def is_checked(self) -> bool:
        """Whether all of the text was checked and nothing was found."""
        return self.query is not None and not self.findings and all_checked(self._nodes)

    @property
    def divisions(self) -> frozenset[int]:
        """Offsets of the operators that divide whole numbers, of which people may expect a rest."""
        divided = (node for node in self._nodes if isinstance(node, Arithmetic) and node.op in {"/", "%"})
        return frozenset(node.place.at for node in divided if node.type.base in INTEGERS)

    @cached_property
    def _nodes(self) -> tuple[Any, ...]:
        return tuple(deep(self.query)) if self.query is not None else ()


def analyse(
    text: str,
    catalogue: Catalogue,
    database: str | None,
    *,
    parameters: Sequence[str] = (),
    replacing: tuple[str, str] | None = None,
) -> Analysed:
    """Analyse a query. Names without a database are looked up in `database`; parameters are texts of expressions.

    `replacing` is the database and name of a view that the query will be the text of; it may not read itself.
    """
    statement = StatementAnalysis(
        text, catalogue, database, (), _Analyser(), views=() if replacing is None else (replacing,)
    )
    context = AnalysisContext(statement)
    node = typed_query = None
    try:
        statement.parameters = [parse_expression(parameter) for parameter in parameters]
        node = parse(text)
        if node.parameters != len(parameters):
            problem = f"Incorrect number of parameters: expected {node.parameters} but found {len(parameters)}"
            context.fault("INVALID_PARAMETER_USAGE", 0, problem)
        typed_query = query(node, context)
        _check_outputs(typed_query, context)
    except RecursionError:
        statement.findings.append(_finding(TooDeep()))
    except QueryError as error:
        statement.findings.append(_finding(error))
    # What a named window holds is said once, however many refer to it.
    return Analysed(typed_query, tuple(dict.fromkeys(statement.findings)), node)


def _check_outputs(typed_query: Query, context: AnalysisContext) -> None:
    for column in typed_query.columns:
        if column.type.base == "HyperLogLog":
            context.limit(f"A result of type {column.type}", 0)
            return


def _finding(error: QueryError) -> Finding:
    severity = "limit" if isinstance(error, Limit) else "error"
    return Finding(error.error_name, error.message, error.line, error.column, severity=severity)


def analyse_constant(text: str, node: tree.Expr) -> typed.Expr:
    """Analyse an expression of a text that names no column. Raises QueryError for the first mistake in it."""
    statement = StatementAnalysis(text, _NoTables(), None, (), _Analyser())
    expr = AnalysisContext(statement).visit(node)
    for finding in statement.findings:
        raise finding.error()
    return expr


class _NoTables:
    def relation(self, catalog: str | None, database: str | None, name: str) -> None:
        return None

    def has_database(self, database: str) -> bool:
        return False


class _Analyser:
    """Calls for each node what analyses its kind."""

    def expression(self, node: tree.Expr, context: AnalysisContext) -> typed.Expr:
        """An expression."""
        return _EXPRESSIONS[type(node)](node, context)

    def query(self, node: tree.QueryNode, context: AnalysisContext) -> Query:
        """A query."""
        return query(node, context)

    def relation(self, node: tree.RelationNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
        """What stands in FROM."""
        return relation(node, context, beside)


def _loose_lambda(node: tree.Lambda, context: AnalysisContext) -> typed.Expr:
    return context.fault("SYNTAX_ERROR", node, "Lambda expression should always be used inside a function")


_EXPRESSIONS: dict[type, Callable[..., typed.Expr]] = {
    tree.Literal: literals.literal,
    tree.TypedLiteral: literals.typed_literal,
    tree.IntervalLiteral: literals.interval,
    tree.Parameter: expressions.parameter,
    tree.Special: expressions.session,
    tree.Given: names.expanded_column,
    tree.Ident: names.ident,
    tree.Deref: names.deref,
    tree.Binary: expressions.binary,
    tree.Unary: expressions.unary,
    tree.Logical: expressions.logical,
    tree.Not: expressions.negation,
    tree.Between: expressions.between,
    tree.InList: expressions.in_list,
    tree.InQuery: subqueries.in_query,
    tree.Quantified: subqueries.quantified,
    tree.Exists: subqueries.exists,
    tree.ScalarQuery: subqueries.scalar_query,
    tree.Like: expressions.like,
    tree.IsNull: expressions.is_null,
    tree.Case: expressions.case,
    tree.Cast: cast,
    tree.ArrayNode: expressions.array_of,
    tree.RowNode: expressions.row_of,
    tree.Subscript: expressions.subscript,
    tree.Lambda: _loose_lambda,
    tree.AtTimeZone: at_time_zone,
    tree.JsonCall: json_call,
    tree.Call: call,
}
