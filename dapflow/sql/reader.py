"""The reading of words, for the grammars of types, calls, expressions and queries."""

from __future__ import annotations

from dapflow.sql.lexer import QUOTED, RESERVED, Words

VALUE = "a column or a value"


class Unexpected(Exception):
    """The word at ``index`` cannot stand there; ``expected`` says what can."""

    def __init__(self, index: int, expected: str) -> None:
        super().__init__(expected)
        self.index = index
        self.expected = expected


class Reader:
    """A reader of words. ``at`` is the index of the next one.

    It also notes what sqlglot may stumble over, so that it can be painted over: ``blanks`` are pieces of the text that
    are free of names, ``commas`` and ``zeros`` places where a comma or a number says enough, ``functions`` the names
    of functions (sqlglot knows some by other arguments) and ``types`` the types of casts. ``painted_functions`` and
    ``numbers`` are those that it never reads as Athena does.
    """

    def __init__(self, words: Words) -> None:
        self.kinds = words.kinds
        self.starts = words.starts
        self.ends = words.ends
        self.closes = words.closes
        self.at = 0
        self.blanks: list[tuple[int, int]] = []
        self.commas: list[int] = []
        self.zeros: list[int] = []
        self.functions: list[tuple[int, int]] = []
        self.types: list[tuple[int, int]] = []
        self.painted_functions: list[tuple[int, int]] = []
        self.numbers = words.numbers

    def query(self) -> None:
        """A whole query."""
        raise NotImplementedError

    def expression(self) -> None:
        """A boolean expression: values, predicates, NOT, AND, OR."""
        raise NotImplementedError

    def value(self) -> None:
        """A value: operands joined by arithmetic."""
        raise NotImplementedError

    def expressions(self) -> None:
        """``a, b``: one at least."""
        self.expression()
        while self.kinds[self.at] == ",":
            self.at += 1
            self.expression()

    def take(self, kind: str) -> None:
        """Step over a word that must be there."""
        if self.kinds[self.at] != kind:
            raise Unexpected(self.at, kind)
        self.at += 1

    def skip(self, kind: str) -> bool:
        """Step over a word that may be there."""
        if self.kinds[self.at] == kind:
            self.at += 1
            return True
        return False

    def is_name(self, index: int) -> bool:
        """Whether the word can be the name of something."""
        kind = self.kinds[index]
        return kind == QUOTED or (kind not in RESERVED and (kind[:1].isalpha() or kind[:1] == "_"))

    def name(self, what: str = "a name") -> None:
        """Step over a name."""
        if not self.is_name(self.at):
            raise Unexpected(self.at, what)
        self.at += 1

    def names(self, what: str) -> None:
        """``(a, b)``."""
        self.take("(")
        self.name(what)
        while self.skip(","):
            self.name(what)
        self.take(")")

    def blank(self, first: int, last: int) -> None:
        """Hide the words from ``first`` to before ``last`` from sqlglot."""
        if first < last:
            self.blanks.append((self.starts[first], self.ends[last - 1]))
