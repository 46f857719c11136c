"""What names mean at a place in a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dapflow.trino.analysis.typed_queries import Source, WithQuery
from dapflow.trino.types import Type


# Not frozen, which would take three times as long to make, and a query makes one for every column in its reach.
@dataclass(slots=True, eq=False)
class Field:
    """A column of a relation: its name in lower case and as written, and the relation's number and its place there.

    `qualifier` is the relation's name in parts, outermost first. A field that is `open` stands for all columns of a
    table that is not known. None is changed after it was made.
    """

    name: str | None
    written: str | None
    type: Type
    relation: int
    position: int
    qualifier: tuple[str, ...] = ()
    hidden: bool = False
    open: bool = False


def with_qualifier(field: Field, name: str) -> Field:
    """A field of a relation that has got a name."""
    return Field(
        field.name, field.written, field.type, field.relation, field.position, (name,), field.hidden, field.open
    )


def named(field: Field, name: str, position: int) -> Field:
    """A column of a table that is not known, by the name that the text gives it."""
    return replace(field, name=name, written=name, position=position, open=False)


class Scope:
    """Fields at hand, and the scope around a subquery."""

    __slots__ = ("_by_name", "_open", "fields", "parent")

    def __init__(self, fields: tuple[Field, ...] = (), parent: Scope | None = None) -> None:
        self.fields = fields
        self.parent = parent
        self._open: list[Field] = []
        #: Those that are not open, in their order.
        self._by_name: dict[str | None, list[Field]] = {}
        for field in fields:
            if field.open:
                self._open.append(field)
            else:
                self._by_name.setdefault(field.name, []).append(field)

    def is_around(self) -> bool:
        """Whether there is a column that a query which stands here may refer to."""
        return bool(self.fields) or (self.parent is not None and self.parent.is_around())

    def named(self, name: str) -> list[Field]:
        """Fields of a name, in this scope only."""
        return self._by_name.get(name) or [named(field, name, -1) for field in self._open[:1]]

    def knows(self, name: str) -> bool:
        """Whether a column of this name is surely here."""
        return name in self._by_name

    def qualified(self, parts: tuple[str, ...], name: str) -> list[Field]:
        """Fields of a name in relations of a name, which may leave out its first parts."""
        count = len(parts)
        closed = [field for field in self._by_name.get(name, ()) if field.qualifier[-count:] == parts]
        if closed:
            return closed
        fields = [field for field in self._open if field.qualifier[-count:] == parts]
        return [named(field, name, -1) for field in fields[:1]]

    def has_relation(self, parts: tuple[str, ...]) -> bool:
        """Whether a relation of this name is here."""
        count = len(parts)
        return any(field.qualifier[-count:] == parts for field in self.fields)


@dataclass(frozen=True, slots=True, eq=False)
class WithNames:
    """WITH queries by name, innermost first."""

    query: WithQuery | None = None
    parent: WithNames | None = None

    def find(self, name: str) -> WithQuery | None:
        """The WITH query of a name."""
        names: WithNames | None = self
        while names is not None:
            if names.query is not None and names.query.name == name:
                return names.query
            names = names.parent
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
    return tuple(replace(field, name=name.lower(), written=name) for field, name in zip(fields, names, strict=True))
