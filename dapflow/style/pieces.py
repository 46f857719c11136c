"""A statement as what is laid out: its tokens, each with the comments that belong to it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from dapflow.trino.syntax.lexer import Token, tokens
from dapflow.trino.syntax.word_roles import WordRoles

_GAP = re.compile(r"(?P<comment>--[^\r\n]*|/\*.*?\*/)|(?P<newline>\r\n|\r|\n)", re.DOTALL)
#: Forms that look like functions, and are written as such.
_LIKE_FUNCTIONS = frozenset({"TRIM", "SUBSTRING", "POSITION", "NORMALIZE", "LISTAGG"})


@dataclass(frozen=True)
class Comment:
    """A comment; ``blank`` where an empty line stands before it."""

    text: str
    own_line: bool
    blank: bool


@dataclass
class Piece:
    """A token as it will be written. ``word`` is a keyword in capitals or an operator, else empty.

    What is ``kept`` together in a line stays in one.
    """

    token: Token
    text: str
    word: str
    role: str
    before: list[Comment] = field(default_factory=list)
    after: list[Comment] = field(default_factory=list)
    blank: bool = False
    kept: bool = False

    @property
    def is_keyword(self) -> bool:
        """Whether it is a word of the language's own here."""
        return self.token.kind == "word" and bool(self.word)


def pieces(text: str, roles: WordRoles, kept: Collection[int] = ()) -> list[Piece]:
    """The pieces of a text; the last is its end. ``kept`` are the tokens that stay in one line, by where they begin."""
    laid: list[Piece] = []
    end = 0
    carried: list[Comment] = []
    for token in tokens(text):
        piece = _piece(token, roles)
        piece.kept = token.start in kept
        comments, piece.blank, broken = _gap(text, end, token.start, first=not laid)
        glued = [comment for comment in comments if not comment.own_line]
        own = [comment for comment in comments if comment.own_line]
        if token.upper == "," and broken:
            # A comma that begins a line goes to the end of the one before, and what was said there stays behind it.
            piece.after, carried = [*carried, *glued], own
            piece.blank = False
        else:
            if laid:
                laid[-1].after += glued
            piece.before, carried = [*carried, *own], []
        laid.append(piece)
        end = token.end
    return laid


def _piece(token: Token, roles: WordRoles) -> Piece:
    role: str = roles.roles.get(token.start, "")
    text = token.text
    word = token.upper if not role else ""
    if token.kind == "word" and token.start not in roles.verbatim:
        if role in {"function", "type"} or (not role and token.upper in _LIKE_FUNCTIONS):
            text = text.lower()
        elif not role:
            text = token.upper
    return Piece(token, text, word, role)


def _gap(text: str, start: int, end: int, *, first: bool) -> tuple[list[Comment], bool, bool]:
    """The comments between two tokens, whether an empty line stands before the second, and whether a line ends."""
    comments: list[Comment] = []
    newlines, own_line, broken = 0, first, False
    for match in _GAP.finditer(text, start, end):
        if match["newline"]:
            newlines += 1
            own_line = broken = True
            continue
        comments.append(Comment(match[0].rstrip(), own_line, newlines > 1))
        newlines = 0
    return comments, newlines > 1, broken
