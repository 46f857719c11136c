"""What is shared while one statement is compiled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from dapflow.local.athena.trino.model import Catalog, Relation, Scan
from dapflow.local.athena.trino.scope import Field
from dapflow.sql.trino import tree
from dapflow.sql.trino.errors import QueryError
from dapflow.sql.trino.lexer import position


@dataclass(eq=False)
class ScanBuilder:
    """A table occurrence, while what is read of it becomes known."""

    name: str
    relation: Relation
    used: dict[str, None] = field(default_factory=dict)
    predicates: list[str] = field(default_factory=list)

    def finished(self) -> Scan:
        """The scan as the server wants it."""
        columns = tuple(c.name for c in (*self.relation.columns, *self.relation.hidden) if c.name.lower() in self.used)
        return Scan(self.name, self.relation, columns, " AND ".join(self.predicates) or None)


@dataclass
class Unit:
    """The statement's text, the catalog, and what was found so far."""

    text: str
    catalog: Catalog
    database: str | None
    parameters: Sequence[tree.Expr] = ()
    scans: list[ScanBuilder] = field(default_factory=list)
    views: tuple[tuple[str, str], ...] = ()
    #: Table columns and fields that the expression at hand was seen to use.
    deps: set[tuple[ScanBuilder, str]] = field(default_factory=set)
    seen: list[Field] = field(default_factory=list)
    #: Set when a subquery uses a name of the query around it.
    correlated: bool = False
    #: A view's text has places of its own, which would mislead in the user's text.
    placed: bool = True

    def use(self, one: Field) -> None:
        """Note that a field is used."""
        self.deps.update(one.deps)
        self.seen.append(one)

    def read(self, deps: Iterable[tuple[ScanBuilder, str]]) -> None:
        """Note that table columns are read."""
        for scan, column in deps:
            scan.used[column] = None

    def fail(self, error_name: str, pos: int, message: str) -> NoReturn:
        """Raise an error at a place in the text."""
        if not self.placed:
            raise QueryError(error_name, message)
        line, column = position(self.text, pos)
        raise QueryError(error_name, message, line, column)

    def unsupported(self, construct: str, pos: int) -> NoReturn:
        """Refuse a construct by name."""
        self.fail("NOT_SUPPORTED", pos, f"{construct} is not supported")

    def view(self, relation: Relation) -> Unit:
        """The unit for a view's own text."""
        key = (relation.database, relation.name)
        views = (*self.views, key)
        return Unit(relation.view_sql or "", self.catalog, relation.database, (), self.scans, views, placed=False)
