"""What may be written on one line or on several, and how it is printed within a width.

The algorithm is Wadler's ("A prettier printer", 2003): a group stands on one line where it fits, else each of its own
lines breaks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

WIDTH = 100
_INDENT = "  "
#: What stands behind a comment without a space.
_TIGHT = frozenset({",", ";", ")", "]"})


@dataclass(frozen=True, slots=True)
class Document:
    """``hard``: it cannot stand on one line. ``tail``: it ends with a comment, behind which a line must end.

    ``kept``: it stands on one line whatever its width.
    """

    hard: bool
    tail: bool
    kept: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Phrase(Document):
    """A text, never broken."""

    text: str


@dataclass(frozen=True, slots=True)
class Break(Document):
    """The end of a line, or ``flat`` where its group stands on one."""

    flat: str


@dataclass(frozen=True, slots=True)
class Remark(Document):
    """A comment; on a line of its own, or behind what stands before it."""

    text: str
    own_line: bool


@dataclass(frozen=True, slots=True)
class Blank(Document):
    """An empty line, where a line begins."""


@dataclass(frozen=True, slots=True)
class Row(Document):
    """Parts one after the other, further to the right where ``indented``; ``group``: on one line where it fits."""

    parts: tuple[Document, ...]
    indented: bool
    group: bool


LINE = Break(False, False, " ")
SOFT = Break(False, False, "")
HARD = Break(True, False, "")
SPACE = Phrase(False, False, " ")
BLANK = Blank(False, False)


def written(text: str, *, kept: bool = False) -> Phrase:
    """A text."""
    return Phrase(False, False, text, kept=kept)


def remark(text: str, *, own_line: bool) -> Remark:
    """A comment. One that goes over lines, or has its own, lets nothing else stand on its line."""
    line = text.startswith("--")
    return Remark(own_line or "\n" in text, line, text, own_line)


def row(parts: Iterable[Document], *, indented: bool = False, group: bool = False) -> Row:
    """Parts one after the other."""
    listed = tuple(parts)
    hard = any(part.hard for part in listed) or any(part.tail for part in listed[:-1])
    words = [part for part in listed if isinstance(part, Phrase | Row) and part is not SPACE]
    kept = bool(words) and all(part.kept for part in words)
    return Row(hard, bool(listed) and listed[-1].tail, listed, indented, group, kept=kept)


def group(*parts: Document) -> Row:
    """Parts that stand on one line where they fit."""
    return row(parts, group=True)


def indent(*parts: Document) -> Row:
    """Parts whose lines begin further to the right."""
    return row(parts, indented=True)


class DocumentPrinter:
    """Prints a document with a text's ends of lines."""

    def __init__(self, eol: str) -> None:
        self._eol = eol
        self._out: list[str] = []
        self._column = 0
        #: Whether nothing but spaces stands on the line; whether it has to end before anything else; whether a space
        #: has to stand before a word; whether an empty line is before this one.
        self._fresh = True
        self._ends = False
        self._spaced = False
        self._blank = False

    def print(self, document: Document) -> str:
        """The text of a document."""
        stack: list[tuple[int, bool, Document]] = [(0, False, document)]
        while stack:
            depth, flat, part = stack.pop()
            if isinstance(part, Row):
                depth += part.indented
                if part.group and not flat:
                    flat = not part.hard and (part.kept or self._fits(part, stack))
                stack.extend([(depth, flat, inner) for inner in reversed(part.parts)])
            elif isinstance(part, Break):
                if flat and not part.hard:
                    self._write(part.flat, depth)
                else:
                    self._newline(depth)
            elif isinstance(part, Phrase):
                self._write(part.text, depth)
            elif isinstance(part, Remark):
                self._remark(part, depth)
            elif self._fresh and self._out and not self._blank:
                self._out.insert(len(self._out) - 1, self._eol)
                self._blank = True
        return "".join(self._out).rstrip(" ")

    def _newline(self, depth: int) -> None:
        """Begin a line, unless one has just begun."""
        if self._fresh:
            self._out = self._out[:-1]
        else:
            self._out.append(self._eol)
            self._blank = False
        if self._out:
            self._out.append(_INDENT * depth)
        self._column = len(_INDENT) * depth
        self._fresh, self._ends, self._spaced = True, False, False

    def _write(self, text: str, depth: int) -> None:
        if not text.strip(" "):
            if self._fresh or self._ends:
                return
        elif self._ends:
            self._newline(depth)
        elif self._spaced and not self._fresh and text not in _TIGHT:
            text = f" {text}"
        if text:
            self._out.append(text)
            self._column += len(text)
            self._fresh, self._spaced = False, False

    def _remark(self, part: Remark, depth: int) -> None:
        if self._ends or (part.own_line and not self._fresh):
            self._newline(depth)
        self._out.append(part.text if self._fresh else f" {part.text}")
        self._column += len(part.text)
        self._fresh, self._ends, self._spaced = False, part.own_line or part.tail, True

    def _fits(self, part: Document, rest: list[tuple[int, bool, Document]]) -> bool:
        """Whether a part fits on the line, with what follows it up to where a line may end."""
        room = WIDTH - self._column
        stack = [(True, part)]
        at = len(rest)
        while room >= 0:
            if not stack:
                if not at:
                    return True
                at -= 1
                _, flat, following = rest[at]
                stack.append((flat, following))
            flat, current = stack.pop()
            if isinstance(current, Row):
                stack.extend([(flat, inner) for inner in reversed(current.parts)])
            elif isinstance(current, Break):
                if not flat or current.hard:
                    return True
                room -= len(current.flat)
            elif isinstance(current, Phrase):
                head, newline, _ = current.text.partition("\n")
                room -= len(head)
                if newline:
                    return room >= 0
            elif isinstance(current, Remark) and (current.own_line or current.tail):
                return True
        return False
