"""The tokens of a statement, and what statements are made of: names, texts, properties, and queries left unread."""

from __future__ import annotations

from typing import NoReturn

from dapflow.trino.syntax.lexer import Token, fail, identifier_value, string_value


class TokenReader:
    """Tokens and a place among them."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.at = 0

    @property
    def now(self) -> Token:
        """The token at hand."""
        return self.tokens[self.at]

    def peek(self, *words: str) -> bool:
        """Whether the next tokens are these words or operators."""
        return all(
            token.upper == word for token, word in zip(self.tokens[self.at : self.at + len(words)], words, strict=False)
        ) and self.at + len(words) <= len(self.tokens)

    def take(self, *words: str) -> bool:
        """Step over these words if they come next."""
        if self.peek(*words):
            self.at += len(words)
            return True
        return False

    def need(self, word: str) -> Token:
        """Step over a word or fail."""
        if self.now.upper != word:
            self.mismatch(f"'{word}'")
        self.at += 1
        return self.tokens[self.at - 1]

    def one_of(self, *words: str) -> str:
        """Step over one of these words or fail; which it is, in capitals."""
        if self.now.upper not in words:
            self.mismatch(", ".join(f"'{word}'" for word in words))
        self.at += 1
        return self.tokens[self.at - 1].upper

    def mismatch(self, expected: str) -> NoReturn:
        """Fail at the token at hand. Raises QueryError."""
        shown = "<EOF>" if self.now.kind == "end" else self.now.text
        fail(self.text, self.now.start, f"mismatched input '{shown}'. Expecting: {expected}")

    def name(self) -> str:
        """An identifier, in lower case."""
        token = self.now
        if token.kind not in {"word", "quoted"}:
            self.mismatch("<identifier>")
        self.at += 1
        return identifier_value(token).lower()

    def qualified(self) -> tuple[str, ...]:
        """Names between dots."""
        parts = [self.name()]
        while self.take("."):
            parts.append(self.name())
        return tuple(parts)

    def string(self) -> str:
        """A string literal."""
        if self.now.kind not in {"string", "unicode"}:
            self.mismatch("<string>")
        self.at += 1
        return string_value(self.tokens[self.at - 1])

    def value(self) -> object:
        """The value of a property: a text, a whole number, a boolean or an array of these."""
        token = self.now
        if token.kind in {"string", "unicode"}:
            return self.string()
        if token.kind == "integer":
            self.at += 1
            return int(token.text.replace("_", ""))
        if token.upper in {"TRUE", "FALSE"}:
            self.at += 1
            return token.upper == "TRUE"
        if self.take("ARRAY", "["):
            items: list[object] = []
            while not self.take("]"):
                items.append(self.value())
                if not self.peek("]"):
                    self.need(",")
            return items
        self.mismatch("<expression>")

    def properties(self) -> dict[str, object]:
        """Properties in parentheses, by name."""
        self.need("(")
        properties: dict[str, object] = {}
        while True:
            key = self.name()
            self.need("=")
            properties[key] = self.value()
            if self.take(")"):
                return properties
            self.need(",")

    def rest(self, end: int | None = None) -> tuple[str, int]:
        """Text from here up to the end of the statement or to the token at `end`."""
        start = self.now.start
        last = self.tokens[(len(self.tokens) - 1 if end is None else end) - 1]
        if last.end <= start:
            self.mismatch("<query>")
        return self.text[start : last.end], start

    def closing(self) -> int:
        """Index of the parenthesis that closes the one just taken."""
        depth = 1
        for i in range(self.at, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[i].upper, 0)
            if depth == 0:
                return i
        self.at = len(self.tokens) - 1
        self.mismatch("')'")
