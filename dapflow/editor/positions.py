"""Places in a text as editors count them: lines, and units of an encoding within the line, both from 0.

Source: https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#position
"""

from __future__ import annotations

import re
from bisect import bisect_right

from lsprotocol.types import Position, PositionEncodingKind, Range

_EOL = re.compile(r"\r\n|\n|\r")


class Positions:
    """The places of one text, in the units that the editor and the server agreed upon."""

    def __init__(self, text: str, encoding: PositionEncodingKind | str = PositionEncodingKind.Utf16) -> None:
        self.text = text
        self._encoding = encoding
        self._starts = [0, *(match.end() for match in _EOL.finditer(text))]

    def offset(self, position: Position) -> int:
        """The character at a position; the end of its line, or of the text, where the position is beyond it."""
        if position.line >= len(self._starts):
            return len(self.text)
        start = self._starts[position.line]
        line = self._line(position.line)
        units = 0
        for column, character in enumerate(line):
            if units >= position.character:
                return start + column
            units += self._units(character)
        return start + len(line)

    def position(self, offset: int) -> Position:
        """The position of a character."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self._starts, offset) - 1
        return Position(line, self._units(self.text[self._starts[line] : offset]))

    def range(self, start: int, end: int) -> Range:
        """From a character to before another one."""
        return Range(self.position(start), self.position(end))

    def whole(self) -> Range:
        """All of the text."""
        return self.range(0, len(self.text))

    def _line(self, number: int) -> str:
        end = self._starts[number + 1] if number + 1 < len(self._starts) else len(self.text)
        return self.text[self._starts[number] : end].rstrip("\r\n")

    def _units(self, text: str) -> int:
        if text.isascii() or self._encoding == PositionEncodingKind.Utf32:
            return len(text)
        if self._encoding == PositionEncodingKind.Utf8:
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
