"""What names mean at a place in a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dapflow.trino.analysis.typed_queries import Source, WithQuery
from dapflow.trino.types import Type


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A column of a relation: its name in lower case and as written, and the relation's number and its place there.

    `qualifier` is the relation's name in parts, outermost first. A field that is `open` stands for all columns of a
    table that is not known.
    """

    name: str | None
    written: str | None
    type: Type
    relation: int
    position: int
    qualifier: tuple[str, ...] = ()
    hidden: bool = False
    open: bool = False


def under(field: Field, name: str) -> Field:
    """A field of a relation that has got a name."""
    return Field(
        field.name, field.written, field.type, field.relation, field.position, (name,), field.hidden, field.open
    )


def named(field: Field, name: str, position: int) -> Field:
    """A column of a table that is not known, by the name that the text gives it."""
    return replace(field, name=name, written=name, position=position, open=False)


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Fields at hand, and the scope around a subquery."""

    fields: tuple[Field, ...] = ()
    parent: Scope | None = None

    def named(self, name: str) -> list[Field]:
        """Fields of a name, in this scope only."""
        found = [one for one in self.fields if one.name == name and not one.open]
        return found or [named(one, name, -1) for one in self.fields if one.open][:1]

    def knows(self, name: str) -> bool:
        """Whether a column of this name is surely here."""
        return any(one.name == name and not one.open for one in self.fields)

    def qualified(self, parts: tuple[str, ...], name: str) -> list[Field]:
        """Fields of a name in relations of a name, which may leave out its first parts."""
        count = len(parts)
        within = [one for one in self.fields if one.qualifier[-count:] == parts]
        found = [one for one in within if one.name == name and not one.open]
        return found or [named(one, name, -1) for one in within if one.open][:1]

    def has_relation(self, parts: tuple[str, ...]) -> bool:
        """Whether a relation of this name is here."""
        count = len(parts)
        return any(one.qualifier[-count:] == parts for one in self.fields)


@dataclass(frozen=True, slots=True, eq=False)
class WithNames:
    """WITH queries by name, innermost first."""

    query: WithQuery | None = None
    parent: WithNames | None = None

    def find(self, name: str) -> WithQuery | None:
        """The WITH query of a name."""
        one: WithNames | None = self
        while one is not None:
            if one.query is not None and one.query.name == name:
                return one.query
            one = one.parent
        return None


@dataclass(frozen=True, slots=True, eq=False)
class ScopedSource:
    """What stands in FROM, with the fields by which it is used."""

    source: Source
    fields: tuple[Field, ...]


def fields_of(source: Source, qualifier: tuple[str, ...] = ()) -> tuple[Field, ...]:
    """The fields of a source that has columns of its own."""
    return tuple(
        Field(
            column.written.lower() if column.written is not None else None,
            column.written,
            column.type,
            source.number,
            -1 if column.open else position,
            qualifier,
            column.hidden,
            column.open,
        )
        for position, column in enumerate(source.columns)
    )


def renamed(fields: Sequence[Field], names: Sequence[str]) -> tuple[Field, ...]:
    """Fields with other names."""
    return tuple(replace(one, name=name.lower(), written=name) for one, name in zip(fields, names, strict=True))
