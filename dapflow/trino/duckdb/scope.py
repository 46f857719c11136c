"""What names mean at a place in a query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dapflow.trino.types import Type

if TYPE_CHECKING:
    from dapflow.trino.duckdb.unit import ScanBuilder


@dataclass(slots=True, eq=False)
class Field:
    """A column of a relation. `qualifier` is the relation's name in parts, outermost first.

    `origin` is the table column that the field passes on unchanged, when a literal condition on it may be used to
    leave out files of that table.
    """

    name: str | None
    type: Type
    sql: str
    qualifier: tuple[str, ...] = ()
    hidden: bool = False
    origin: tuple[ScanBuilder, str] | None = None
    written: str | None = None
    #: Table columns that are read when the field is used.
    deps: frozenset[tuple[ScanBuilder, str]] = frozenset()


@dataclass(slots=True)
class Scope:
    """Fields at hand, and the scope around a subquery."""

    fields: list[Field] = field(default_factory=list)
    parent: Scope | None = None
    #: Set when fields of this scope were used by a subquery inside it.
    _names: dict[str, list[Field]] | None = None

    def named(self, name: str) -> list[Field]:
        """Fields of a name, in this scope only."""
        if self._names is None:
            self._names = {}
            for one in self.fields:
                if one.name is not None:
                    self._names.setdefault(one.name.lower(), []).append(one)
        return self._names.get(name, [])

    def qualified(self, parts: tuple[str, ...], name: str) -> list[Field]:
        """Fields of a name in relations of a name, which may leave out its first parts."""
        count = len(parts)
        return [one for one in self.named(name) if one.qualifier[-count:] == parts]

    def has_relation(self, parts: tuple[str, ...]) -> bool:
        """Whether a relation of this name is here."""
        count = len(parts)
        return any(one.qualifier[-count:] == parts for one in self.fields)
