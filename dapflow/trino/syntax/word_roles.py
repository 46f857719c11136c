"""What each word of a statement is: most of Trino's keywords are names as well, and only its grammar tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dapflow.trino.errors import TooDeep
from dapflow.trino.syntax import tree
from dapflow.trino.syntax.parser import Parser
from dapflow.trino.types import Type

#: What is none of these is a keyword.
Role = Literal["name", "function", "type"]


@dataclass(frozen=True)
class WordRoles:
    """The roles of words by where they begin; ``verbatim`` are those that a tree holds as they are written."""

    query: tree.QueryNode
    roles: dict[int, Role]
    verbatim: frozenset[int]


def word_roles(text: str) -> WordRoles:
    """Read a query for the roles of its words. Raises QueryError."""
    parser = _RoleParser(text)
    try:
        query = parser.statement()
    except RecursionError:
        raise TooDeep from None
    return WordRoles(query, parser.roles, frozenset(parser.verbatim))


class _RoleParser(Parser):
    """The parser, noting what it takes each word for."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.roles: dict[int, Role] = {}
        self.verbatim: set[int] = set()

    def name(self) -> str:
        start = self.now.start
        name = super().name()
        self.roles[start] = "name"
        return name

    def type(self) -> Type:
        first = self.at
        t = super().type()
        for token in self.tokens[first : self.at]:
            if token.kind == "word":
                self.roles.setdefault(token.start, "type")
        return t

    def written(self, first: int) -> str:
        self.verbatim.update([token.start for token in self.tokens[first : self.at]])
        return super().written(first)

    def _call(self, start: int, name: str, written: str) -> tree.Expr:
        self.roles[start] = "function"
        return super()._call(start, name, written)

    def _lambda_names(self) -> tuple[str, ...] | None:
        first = self.at
        names = super()._lambda_names()
        if names is not None:
            for token in self.tokens[first : self.at]:
                if token.kind == "word":
                    self.roles[token.start] = "name"
        return names
