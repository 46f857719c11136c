"""Where something is written, for errors that are found later."""

from __future__ import annotations

from typing import NamedTuple

from dapflow.errors import DapflowError


class FilePosition(NamedTuple):
    """A place in a file; without a line, the file itself. ``source`` is the text of the line."""

    file: str
    line: int | None = None
    column: int | None = None
    source: str | None = None

    def error(self, code: str, message: str, hint: str | None = None) -> DapflowError:
        """An error that points here."""
        return DapflowError(
            code, message, file=self.file, line=self.line, column=self.column, source=self.source, hint=hint
        )


class PlacedText(NamedTuple):
    """A text, and where it is written."""

    text: str
    place: FilePosition


class PlacedValue(NamedTuple):
    """A value of any kind, and where it is written.

    A scalar is its text, whatever it looks like, and None where it is NULL; a list has its items, a mapping its values.
    """

    content: str | tuple[PlacedValue, ...] | dict[str, PlacedValue] | None
    place: FilePosition
