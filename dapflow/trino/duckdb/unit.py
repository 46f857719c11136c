"""What is shared while one statement is compiled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from dapflow.trino.catalogue import Relation
from dapflow.trino.duckdb.model import Catalog, Reading, Scan
from dapflow.trino.duckdb.scope import Field
from dapflow.trino.errors import QueryError, Unsupported
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.lexer import position

#: Trino refuses more than 150 stages, and a table that is read is at least one of them.
_MOST_READINGS = 1_000
_ALIAS = re.compile(r" AS (r\d+)\b")


@dataclass(eq=False)
class ScanBuilder:
    """A table occurrence, while what is read of it becomes known.

    A table in a WITH query that DuckDB runs once has a copy of its builder for each place that names the WITH query.
    """

    name: str
    #: What the place that reads it is called in the SQL, and nothing else is.
    alias: str
    relation: Relation
    used: dict[str, None] = field(default_factory=dict)
    predicates: list[str] = field(default_factory=list)
    #: Set when copies of this builder tell what is read.
    shared: bool = False

    def reading(self) -> Reading:
        """What is read, as far as it is known."""
        columns = tuple(c.name for c in (*self.relation.columns, *self.relation.hidden) if c.name.lower() in self.used)
        return Reading(columns, " AND ".join(self.predicates) or None)

    def copy(self, alias: str) -> ScanBuilder:
        """The same occurrence, read once more."""
        return ScanBuilder(self.name, alias, self.relation, dict(self.used), list(self.predicates))


def _left_in(sql: str, builders: Sequence[ScanBuilder]) -> list[ScanBuilder]:
    """Those of the builders that the SQL reads: some expressions are analysed twice, or for their type only."""
    aliases = set(_ALIAS.findall(sql))
    return [one for one in builders if one.alias in aliases]


def _finished(builders: Sequence[ScanBuilder]) -> Scan:
    """The scan of one table occurrence, as the server wants it. `builders` are its own and their copies."""
    first = builders[0]
    readings = tuple(one.reading() for one in builders if not one.shared)
    whole = ScanBuilder(first.name, first.alias, first.relation)
    for one in builders:
        whole.used.update(one.used)
    conditions = dict.fromkeys(one.predicate for one in readings)
    if len(conditions) == 1:
        whole.predicates = [text for text in conditions if text is not None]
    elif None not in conditions:
        whole.predicates = ["(" + " OR ".join(f"({text})" for text in conditions) + ")"] if conditions else []
    found = whole.reading()
    return Scan(first.name, first.relation, found.columns, found.predicate, readings)


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
    #: SQL of subqueries in expressions, and of aggregates and window functions.
    subqueries: list[str] = field(default_factory=list)
    aggregated: list[str] = field(default_factory=list)
    #: Set when a subquery uses a name of the query around it.
    correlated: bool = False
    #: A view's text has places of its own, which would mislead in the user's text.
    placed: bool = True
    #: Where whole numbers are divided, in the user's text.
    divisions: set[int] = field(default_factory=set)
    #: What is summed in 64 bits though it may have more digits; None where all has to be exact at once.
    short_sums: list[str] | None = None

    def finished(self, sql: str) -> tuple[Scan, ...]:
        """The scans as the server wants them: those that are left in the SQL."""
        found: dict[str, list[ScanBuilder]] = {}
        for one in _left_in(sql, self.scans):
            found.setdefault(one.name, []).append(one)
        return tuple(_finished(builders) for builders in found.values())

    def share(self, start: int, sql: str) -> tuple[ScanBuilder, ...]:
        """Take the scans from number `start` on for a WITH query; each place that names it then has copies of them."""
        found = tuple(one for one in _left_in(sql, self.scans[start:]) if not one.shared)
        for one in found:
            one.shared = True
        return found

    def copies(self, scans: Sequence[ScanBuilder], alias: str, pos: int) -> dict[ScanBuilder, ScanBuilder]:
        """Copies of the scans of a WITH query, for the place `alias`, which names it."""
        if len(self.scans) + len(scans) > _MOST_READINGS:
            self.fail(
                "QUERY_HAS_TOO_MANY_STAGES", pos, "Number of stages in the query exceeds the allowed maximum (150)"
            )
        found = {one: one.copy(alias) for one in scans}
        self.scans += found.values()
        return found

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
        raise Unsupported(construct, *(position(self.text, pos) if self.placed else ()))

    def view(self, relation: Relation) -> Unit:
        """The unit for a view's own text."""
        key = (relation.database, relation.name)
        views = (*self.views, key)
        database = relation.view_database or relation.database
        return Unit(
            relation.view_sql or "",
            self.catalog,
            database,
            (),
            self.scans,
            views,
            placed=False,
            short_sums=self.short_sums,
        )
