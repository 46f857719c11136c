"""The parser's ground: a cursor over tokens, and names."""

from __future__ import annotations

import sys
from typing import NoReturn

from dapflow.trino.errors import Mismatch, TooDeep
from dapflow.trino.syntax.lexer import Token, fail, identifier_value, position, string_value, tokens
from dapflow.trino.syntax.reserved_words import RESERVED

#: Brackets within brackets: more than any person writes. Each takes up to twenty frames of Python's to analyse.
_DEEPEST = 500
_FRAMES = 12_000
_DEPTHS = {"(": 1, "[": 1, ")": -1, "]": -1}


class Cursor:
    """Tokens and a place among them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self._make_room()
        # Some ends more, so that looking ahead needs no care.
        self.tokens += self.tokens[-1:] * 3
        self.at = 0
        self.parameters = 0
        #: Where the statement ends, without the `;` behind it.
        self.end = len(text)
        #: The first construct that Athena knows and the embedded Athena does not, and its place in the text.
        self.refused: tuple[str, int] | None = None
        #: Whether a row pattern's expressions are read: RUNNING, FINAL and `label.*` may stand in them alone.
        self.matching = False

    def _make_room(self) -> None:
        """Refuse brackets within brackets by number, and let Python's stack reach as deep. Raises TooDeep."""
        if sys.getrecursionlimit() < _FRAMES:
            sys.setrecursionlimit(_FRAMES)
        if self.text.count("(") + self.text.count("[") <= _DEEPEST:
            return
        depth = 0
        for token in self.tokens:
            depth += _DEPTHS.get(token.upper, 0)
            if depth > _DEEPEST:
                raise TooDeep

    @property
    def now(self) -> Token:
        """The token at hand."""
        return self.tokens[self.at]

    def ahead(self, count: int = 1) -> Token:
        """A token further on."""
        return self.tokens[self.at + count]

    def peek(self, word: str, *more: str) -> bool:
        """Whether the next tokens are these words or operators."""
        all_tokens, at = self.tokens, self.at
        if all_tokens[at].upper != word:
            return False
        return not more or tuple([token.upper for token in all_tokens[at + 1 : at + 1 + len(more)]]) == more

    def take(self, word: str, *more: str) -> bool:
        """Step over these words if they come next."""
        if self.tokens[self.at].upper != word or (more and not self.peek(word, *more)):
            return False
        self.at += 1 + len(more)
        return True

    def need(self, *words: str) -> Token:
        """Step over these words or fail."""
        for word in words:
            if self.tokens[self.at].upper != word:
                self.mismatch(f"'{word}'")
            self.at += 1
        return self.tokens[self.at - 1]

    def mismatch(self, expected: str = "<expression>") -> NoReturn:
        """Fail at the token at hand."""
        shown = "<EOF>" if self.now.kind == "end" else self.now.text
        raise Mismatch(shown, expected, position(self.text, self.now.start), self.now.start)

    def refuse(self, construct: str, offset: int) -> None:
        """Note that a construct is not carried by the embedded Athena; it is read all the same."""
        if self.refused is None:
            self.refused = construct, offset

    def written(self, first: int) -> str:
        """What was read from a token on, with nothing but spaces between the tokens."""
        return " ".join([token.text for token in self.tokens[first : self.at]])

    # -------------------------------------------------------------------------------------- names
    def is_name(self, token: Token | None = None) -> bool:
        """Whether a token can be an identifier."""
        token = token or self.now
        return token.kind == "quoted" or (token.kind == "word" and token.upper not in RESERVED)

    def name(self) -> str:
        """An identifier, as written."""
        token = self.now
        if not self.is_name(token):
            self.mismatch("<identifier>")
        if token.text == '""':
            fail(self.text, token.start, "Zero-length delimited identifier not allowed")
        self.at += 1
        return identifier_value(token)

    def names(self) -> tuple[str, ...]:
        """Identifiers in parentheses."""
        self.need("(")
        names = [self.name()]
        while self.take(","):
            names.append(self.name())
        self.need(")")
        return tuple(names)

    def string(self) -> str:
        """A string literal."""
        if self.now.kind not in {"string", "unicode"}:
            self.mismatch("<string>")
        self.at += 1
        return string_value(self.tokens[self.at - 1])
