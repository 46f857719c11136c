"""Athena's words and the text that they are about, as the rules of the remedies look at them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from dapflow.trino.syntax.lexer import Token

TEXTS = ("varchar", "char")
NUMBERS = ("tinyint", "smallint", "integer", "bigint", "real", "double", "decimal")


@dataclass(frozen=True)
class Said:
    """Athena's words, and the text that they are about: all of it, and what follows the place, without comments."""

    name: str
    message: str
    before: list[Token]
    after: list[Token]
    functions: Collection[str]

    @property
    def source(self) -> str:
        """The text without comments."""
        return " ".join(token.text for token in (*self.before, *self.after))

    @property
    def rest(self) -> str:
        """What follows the place."""
        return " ".join(token.text for token in self.after)

    @property
    def argument_count(self) -> int:
        """How many arguments the function is given that is called at the place."""
        inside = [token.upper for token in _outermost(self.after[2:], "(", ")")]
        return inside.count(",") + 1 if inside else 0

    @property
    def grouped(self) -> bool:
        """Whether the SELECT around the place has a GROUP BY: a word between the brackets that stand around it."""
        return "GROUP" in _level(self.after, "(", ")") or "GROUP" in _level(self.before[::-1], ")", "(")

    def match(self, pattern: str) -> re.Match[str] | None:
        """What a pattern finds in the message."""
        return re.search(pattern, self.message)


def is_of(kind: str, bases: tuple[str, ...]) -> bool:
    """Whether a type is of one of these; of any where none is named."""
    return not bases or kind.partition("(")[0].partition(" ")[0] in bases


def _level(following: Sequence[Token], opening: str, closing: str) -> set[str]:
    """The words from a place on, up to the bracket that closes what stands around it; none of brackets inside."""
    return {token.upper for token in _outermost(following, opening, closing) if token.kind == "word"}


def _outermost(following: Sequence[Token], opening: str, closing: str) -> Iterator[Token]:
    """What stands from a place on, up to the bracket that closes what stands around it; nothing of brackets inside."""
    depth = 0
    for token in following:
        depth += (token.upper == opening) - (token.upper == closing)
        if depth < 0:
            return
        if depth == 0:
            yield token
