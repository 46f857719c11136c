"""Columns as far as they can be known from SQL alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple


class SqlColumn(NamedTuple):
    """A column of a table or of a query.

    ``name`` is None for an expression without a name. ``generation`` says which generation column of a dataset it
    passes through unchanged: ``year``, ``month``, ``day`` or ``date``. ``item`` counts the items of the SELECT list:
    a star is one item for all of its columns.
    """

    name: str | None
    generation: str | None = None
    item: int = 0


class Columns:
    """Columns in order. Where ``rest`` is an index, columns that nobody knows may stand before it."""

    def __init__(self, known: tuple[SqlColumn, ...] = (), rest: int | None = None) -> None:
        self.known = known
        self.rest = rest

    @property
    def complete(self) -> bool:
        """Whether every column is known."""
        return self.rest is None

    @cached_property
    def names(self) -> dict[str, SqlColumn]:
        """The first column of each name."""
        names: dict[str, SqlColumn] = {}
        for column in self.known:
            if column.name is not None:
                names.setdefault(column.name, column)
        return names

    @property
    def listed(self) -> list[str]:
        """The names that are known, in order."""
        return list(self.names)

    def named(self, name: str) -> SqlColumn | None:
        """The first column with this name."""
        return self.names.get(name)

    def renamed(self, names: Sequence[str]) -> Columns:
        """The columns under an alias's names: ``t AS x (a, b)``."""
        if self.complete and len(names) == len(self.known):
            return Columns(tuple(column._replace(name=name) for column, name in zip(self.known, names, strict=True)))
        return Columns(tuple(SqlColumn(name) for name in names))

    def without(self, names: Iterable[str]) -> Columns:
        """The columns but for the named ones."""
        dropped = set(names)
        rest = self.rest
        if rest is not None:
            rest -= sum(column.name in dropped for column in self.known[:rest])
        return Columns(tuple(column for column in self.known if column.name not in dropped), rest)


UNKNOWN = Columns((), 0)


def concatenated(parts: Iterable[Columns]) -> Columns:
    """The columns of several side by side.

    Of several unknown stretches the last is remembered: what stands behind it is not in doubt.
    """
    known: list[SqlColumn] = []
    rest = None
    for part in parts:
        if part.rest is not None:
            rest = len(known) + part.rest
        known.extend(part.known)
    return Columns(tuple(known), rest)


class VisibleRelation(NamedTuple):
    """What a FROM clause offers under one name.

    ``path`` qualifies its columns: an alias, or database and table. ``hidden`` is the name that an alias hides.
    """

    path: tuple[str, ...]
    columns: Columns
    hidden: str | None = None

    def is_called(self, qualifier: Sequence[str]) -> bool:
        """Whether ``a.b`` in ``a.b.column`` means this relation."""
        return bool(qualifier) and self.path[-len(qualifier) :] == tuple(qualifier)


@dataclass
class RelationScope:
    """The relations that a query's expressions see; ``parent`` is that of the query around it.

    ``aliases`` are names of the SELECT list and where their items stand, for hints. ``exclusive`` says that a bare name
    which two relations have is a mistake: no USING made the two one.
    """

    relations: list[VisibleRelation] = field(default_factory=list)
    parent: RelationScope | None = None
    aliases: Mapping[str, range] = field(default_factory=dict)
    exclusive: bool = False

    def __iter__(self) -> Iterator[VisibleRelation]:
        scope: RelationScope | None = self
        while scope is not None:
            yield from scope.relations
            scope = scope.parent

    def find(self, name: str) -> SqlColumn | None:
        """A column by its bare name."""
        return next((column for relation in self if (column := relation.columns.named(name)) is not None), None)
