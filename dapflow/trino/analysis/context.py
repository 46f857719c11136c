"""Where an expression stands: what names mean there, and what may not be there."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple, Protocol

from dapflow.trino.analysis import typed
from dapflow.trino.analysis.findings import Finding, Place
from dapflow.trino.analysis.places import Places
from dapflow.trino.analysis.scopes import Field, Scope, ScopedSource, WithNames
from dapflow.trino.analysis.typed import LambdaParameter, Unchecked
from dapflow.trino.analysis.typed_queries import Query
from dapflow.trino.catalogue import Catalogue
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import position
from dapflow.trino.types import UNCHECKED


class AnalysisVisitor(Protocol):
    """What analyses the nodes of a tree, of whatever kind; expressions and queries meet here."""

    def expression(self, node: tree.Expr, context: AnalysisContext) -> typed.Expr:
        """An expression."""
        ...

    def query(self, node: tree.QueryNode, context: AnalysisContext) -> Query:
        """A query; the context's scope is what stands around it."""
        ...

    def relation(self, node: tree.RelationNode, context: AnalysisContext, beside: tuple[Field, ...]) -> ScopedSource:
        """What stands in FROM; `beside` are the fields to the left of it."""
        ...


@dataclass
class StatementAnalysis:
    """What is shared while one statement is analysed."""

    text: str
    catalogue: Catalogue
    database: str | None
    parameters: Sequence[tree.Expr]
    visitor: AnalysisVisitor
    findings: list[Finding] = field(default_factory=list)
    #: Views that are being analysed, by database and name.
    views: tuple[tuple[str, str], ...] = ()
    numbers: Iterator[int] = field(default_factory=itertools.count)
    places: Places = field(default_factory=Places)
    #: A view's text has places of its own, which would mislead in the user's text.
    placed: bool = True

    def record(self, error_name: str, message: str, place: Place | None, severity: str) -> None:
        """Note a finding."""
        if place is None or not self.placed:
            self.findings.append(Finding(error_name, message, severity=severity))
            return
        line, column = position(self.text, place.at)
        self.findings.append(Finding(error_name, message, line, column, place, severity))

    def number(self) -> int:
        """A number that nothing else in the statement has."""
        return next(self.numbers)


class AnalysisContext(NamedTuple):
    """The place of an expression or query."""

    statement: StatementAnalysis
    scope: Scope = Scope()
    names: WithNames = WithNames()
    #: The clause at hand, where it may hold no aggregates.
    plain_clause: str | None = None
    #: Whether the query puts rows together.
    grouped: bool = False
    in_aggregate: bool = False
    in_window: bool = False
    windows: Mapping[str, tree.Window] = MappingProxyType({})
    #: Output columns, which ORDER BY looks at first; None where several have the name.
    outputs: Mapping[str, typed.Expr | None] = MappingProxyType({})
    lambdas: tuple[Mapping[str, LambdaParameter], ...] = ()

    def visit(self, node: tree.Expr) -> typed.Expr:
        """Analyse an expression that stands here."""
        return self.statement.visitor.expression(node, self)

    def place(self, node: tree.Node) -> Place:
        """Where a node stands."""
        return self.statement.places.of(node)

    def fault(self, error_name: str, at: tree.Node | int | None, message: str, severity: str = "error") -> Unchecked:
        """Note a mistake at a node or offset, or nowhere, and give what stands for what cannot be analysed."""
        place = self.place(at) if isinstance(at, tree.Node) else None if at is None else Place(at, at, at)
        self.statement.record(error_name, message, place, severity)
        return Unchecked(type=UNCHECKED, place=place or Place(0, 0, 0))

    def limit(self, construct: str, at: tree.Node | int) -> Unchecked:
        """Note what Athena may know and the embedded Athena cannot run."""
        return self.fault("NOT_SUPPORTED", at, f"{construct} is not supported", "limit")

    def bare(self) -> AnalysisContext:
        """The same statement without names of columns."""
        return AnalysisContext(self.statement, names=self.names)

    def inside(self, scope: Scope) -> AnalysisContext:
        """A query's own place, in which nothing of the place around it counts but names."""
        return AnalysisContext(self.statement, scope, self.names)

    def trial(self) -> AnalysisContext:
        """The same place, where findings are kept apart."""
        return self._replace(statement=replace(self.statement, findings=[]))
