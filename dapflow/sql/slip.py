"""A word that cannot stand where it stands, as the rules for hints look at it."""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.sql.sql_text import SqlText
from dapflow.sql.words import END, QUOTED, STRING, Words

CLAUSES = ("SELECT", "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "OFFSET", "LIMIT")
# What is expected, in plain words.
VALUE = "a column or a value"
AN_OPERATOR = "an operator or a comma"
NOTHING_MORE = "the end of the statement"


@dataclass(frozen=True)
class Slip:
    """A word that cannot stand where it stands, and its surroundings."""

    text: SqlText
    words: Words
    index: int
    expected: str

    @property
    def word(self) -> str:
        """The word, or what kind it is of."""
        return self.words.kinds[self.index]

    @property
    def previous(self) -> str:
        """The word before it."""
        return self.words.kinds[self.index - 1] if self.index else END

    @property
    def next(self) -> str:
        """The word behind it."""
        return self.words.kinds[self.index + 1] if self.word != END else END

    @property
    def clause(self) -> str | None:
        """The clause that it stands in."""
        return clause_of(self.words, self.index)

    @property
    def opener(self) -> int | None:
        """The innermost bracket that is open here and has not been closed before."""
        return max((start for start, close in self.words.closes.items() if start < self.index <= close), default=None)

    def before(self, count: int) -> list[str]:
        """The words before this one, the nearest last."""
        return self.words.kinds[max(0, self.index - count) : self.index]

    def shown(self, index: int) -> str:
        """A word as it stands in the text."""
        if self.words.kinds[index] == END:
            return "the end of the statement"
        word = self.text.text[self.words.starts[index] : self.words.ends[index]]
        word = word if len(word) <= 40 else f"{word[:39]}…"
        return word if self.words.kinds[index] in {STRING, QUOTED} else f"'{word}'"


def clause_of(words: Words, index: int) -> str | None:
    """The clause that a word stands in, at its own depth of parentheses."""
    closing = {close: start for start, close in words.closes.items()}
    at = index - 1
    while at >= 0:
        if at in closing:
            at = closing[at]
        elif words.kinds[at] in CLAUSES or words.kinds[at] == "JOIN":
            return "FROM" if words.kinds[at] == "JOIN" else words.kinds[at]
        elif words.kinds[at] == "(":
            return None
        at -= 1
    return None
