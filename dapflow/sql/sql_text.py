"""The text of a ``.sql`` file, and places in it as people count them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property

from dapflow.errors import DapflowError, Edit


class SqlText:
    """What a ``.sql`` file holds. Offsets count characters of ``text``; lines and columns count from 1.

    ``file`` is how the file is named in errors.
    """

    def __init__(self, text: str, file: str | None = None) -> None:
        self.text = text
        self.file = file

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        position = self.text.find("\n")
        while position >= 0:
            starts.append(position + 1)
            position = self.text.find("\n", position + 1)
        return starts

    @property
    def lines(self) -> int:
        """How many lines there are."""
        return len(self._line_starts)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character."""
        line = bisect_right(self._line_starts, offset)
        return line, offset - self._line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a place."""
        return self._line_starts[line - 1] + column - 1

    def line(self, number: int) -> str:
        """The text of one line, without its end."""
        start = self._line_starts[number - 1]
        end = self.text.find("\n", start)
        return self.text[start : end if end >= 0 else len(self.text)].rstrip("\r")

    def error(
        self, code: str, message: str, offset: int, hint: str | None = None, fix: Sequence[Edit] = ()
    ) -> DapflowError:
        """An error that points at a character."""
        line, column = self.place(offset)
        source = self.line(line)
        return DapflowError(code, message, file=self.file, line=line, column=column, hint=hint, source=source, fix=fix)
