"""The outline of a query: which tables and columns it names where, and what it puts out. No tree, no expressions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class TableName(NamedTuple):
    """A table as the text names it; ``text[start:end]`` is the name with its database and catalog.

    The parts are in lower case, because Athena's names are. ``alias`` says whether the text gives the table an alias.
    ``query`` is where the word TABLE stands that makes a query of the name: ``TABLE t``.
    """

    catalog: str | None
    database: str | None
    name: str
    start: int
    end: int
    alias: bool
    query: int | None = None


class ColumnName(NamedTuple):
    """A column as an expression names it: ``f.year`` has two parts. ``offsets`` are their places in the text."""

    parts: tuple[str, ...]
    offsets: tuple[int, ...]


@dataclass(slots=True)
class Expressions:
    """What expressions name: columns, tables whose star they use, and queries inside them."""

    columns: list[ColumnName] = field(default_factory=list)
    stars: list[ColumnName] = field(default_factory=list)
    queries: list[QueryOutline] = field(default_factory=list)


class OutlineItem(NamedTuple):
    """One item of a SELECT list.

    ``column`` are the parts of a plain column, ``star`` the qualifier of a star (empty for ``*`` itself), ``opaque`` a
    star over something else than a table. ``names`` are what ``t.* AS (a, b)`` calls the columns.
    """

    name: str | None = None
    column: tuple[str, ...] | None = None
    star: tuple[str, ...] | None = None
    opaque: bool = False
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class FromItem:
    """One item of FROM. ``alias`` and ``columns`` are what the text calls it and its columns.

    One of ``table``, ``cte``, ``query`` is set at most; none for what only Athena knows the columns of.
    ``reads`` are the names in the arguments of UNNEST and table functions, which see the sources before this one.
    """

    alias: str = ""
    columns: tuple[str, ...] = ()
    table: TableName | None = None
    cte: str | None = None
    query: QueryOutline | None = None
    lateral: bool = False
    reads: Expressions | None = None


class JoinCondition(NamedTuple):
    """The ON of a join; it sees the sources from ``first`` to before ``last``."""

    first: int
    last: int
    names: Expressions


@dataclass(slots=True)
class From:
    """FROM with its joins. ``merges`` holds, for each source but the first, the names that USING makes one.

    A source that NATURAL joins has None. ``flat`` is False when joins stand inside joins.
    """

    sources: list[FromItem] = field(default_factory=list)
    conditions: list[JoinCondition] = field(default_factory=list)
    merges: list[tuple[str, ...] | None] = field(default_factory=list)
    flat: bool = True

    @property
    def merging(self) -> bool:
        """Whether any join makes columns one."""
        return any(names != () for names in self.merges)


@dataclass(slots=True)
class CommonTableExpression:
    """A query of WITH. ``recursive`` says that it reads itself."""

    name: str
    columns: tuple[str, ...]
    query: QueryOutline
    recursive: bool


@dataclass(slots=True)
class QueryOutline:
    """A query: a SELECT with ``items``, or ``branches`` that UNION and its likes join, or VALUES of ``width`` columns.

    ``order`` are the names in ORDER BY, which sees the output as well. ``aliases`` are the names that the SELECT list
    gives, and where in the text the item stands that has the name.
    """

    ctes: list[CommonTableExpression] = field(default_factory=list)
    items: list[OutlineItem] | None = None
    source: From = field(default_factory=From)
    names: Expressions = field(default_factory=Expressions)
    order: Expressions | None = None
    aliases: dict[str, range] = field(default_factory=dict)
    branches: list[QueryOutline] = field(default_factory=list)
    width: int | None = None
