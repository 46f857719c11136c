"""How rows are shown to people: as a table where it fits the terminal, else row by row or without some columns.

Numbers, dates and booleans are never cut, text is where room is short. Where the output is no terminal nothing is cut.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# What no terminal is as wide as: where the output is a file or a pipe, nothing is cut.
_NO_LIMIT = 100_000
_GAP = 2
_NUMBERS = ("tinyint", "smallint", "integer", "int", "bigint", "float", "real", "double", "decimal")
_WHOLE = (*_NUMBERS, "boolean", "date", "time", "timestamp", "timestamp with time zone")
# What is left of text and of names at least where columns share too little room.
_LEAST_TEXT, _LEAST_NAME, _LEAST_NOTE = 12, 8, 3
# So many rows are shown one below the other where their columns do not fit beside each other.
_MOST_VERTICAL = 5
# Text that would be taken for a NULL, or for such a text.
_LIKE_NULL = re.compile(r"'*NULL'*")
_NUMBER = re.compile(r"[+-]?[\d.,]+([eE][+-]?\d+)?")
_DIM, _BOLD, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[0m"

Rows = Iterable[Sequence[str | None]]


@dataclass(frozen=True)
class Heading:
    """Of a column: its name and below it a ``note``, such as its type. Numbers stand to the right.

    ``whole``: no value of it is cut. That is so for numbers in any case.
    """

    name: str
    note: str = ""
    number: bool = False
    whole: bool = False

    @classmethod
    def of_type(cls, name: str, kind: str) -> Heading:
        """The heading of a column of a result; ``kind`` in Athena's words."""
        plain = kind.partition("(")[0].strip()
        return cls(name, kind, plain in _NUMBERS, plain in _WHOLE)


def console() -> Console:
    """Standard output, for headings and sentences."""
    from rich.console import Console  # noqa: PLC0415 (takes a tenth of a second)

    return Console(width=None if sys.stdout.isatty() else _NO_LIMIT, highlight=False, emoji=False, soft_wrap=False)


def print_rows(headings: Sequence[Heading], rows: Rows) -> None:
    """Print rows on standard output, as wide as it is."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else _NO_LIMIT
    styled = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    sys.stdout.writelines(f"{line}\n" for line in lines_of(headings, rows, width, styled=styled))
    sys.stdout.flush()


def lines_of(headings: Sequence[Heading], rows: Rows, width: int, *, styled: bool = False) -> Iterator[str]:
    """The lines that show rows on a terminal of a width."""
    cells = [[_shown(value) for value in row] for row in rows]
    columns = [
        _ColumnWidth(heading, _name(heading.name), *_content([row[index] for row in cells], heading))
        for index, heading in enumerate(headings)
    ]
    fitting = _fitting(columns, width)
    if fitting < len(columns) and len(cells) <= _MOST_VERTICAL:
        yield from _vertical(columns, cells, width, styled=styled)
        return
    yield from _table(columns[:fitting], cells, width, styled=styled)
    if fitting < len(columns):
        left_out = ", ".join(column.name for column in columns[fitting:])
        yield from textwrap.wrap(f"Left out for lack of room: {left_out}", width, break_on_hyphens=False)


def size_text(count: int) -> str:
    """``9.3 MB``, as Athena's console writes sizes."""
    size, unit = float(count), "bytes"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def about_usd(usd: float, scanned: int | None = None) -> str:
    """``about $0.0061``: what something costs in dollars, as far as it can be foretold.

    With ``scanned``, where nothing is, it says why that costs something.
    """
    written = f"{usd:.4f}"
    least = ", the least that queries cost," if usd and scanned == 0 else ""
    return f"less than $0.0001{least}" if usd and not float(written) else f"about ${written}{least}"


@dataclass(frozen=True)
class _ColumnWidth:
    """A column with what it needs. ``content``: cells of its widest value. ``whole``: none of them may be cut."""

    heading: Heading
    name: str
    content: int
    whole: bool

    @property
    def wanted(self) -> int:
        return max(self.content, _length(self.name))

    @property
    def least(self) -> int:
        return max(self.content if self.whole else min(self.content, _LEAST_TEXT), min(_length(self.name), _LEAST_NAME))


def _content(cells: Sequence[str], heading: Heading) -> tuple[int, bool]:
    """How wide the values of a column are, and whether they may not be cut: numbers may stand in text, too."""
    widest = max((_length(cell) for cell in cells), default=0)
    if heading.number or heading.whole or widest <= _LEAST_TEXT:
        return widest, True
    return widest, all(_NUMBER.fullmatch(cell) for cell in cells if len(cell) > _LEAST_TEXT)


def _fitting(columns: Sequence[_ColumnWidth], width: int) -> int:
    """How many columns, from the left, have their least room; one at least."""
    used = -_GAP
    for index, column in enumerate(columns):
        used += _GAP + column.least
        if used > width and index:
            return index
    return len(columns)


def _widths(columns: Sequence[_ColumnWidth], width: int) -> list[int]:
    """Room for each column: what it wants, or less for those that want most."""
    room = width - _GAP * (len(columns) - 1)
    # First the notes give way: a type may be far longer than its values.
    with_notes = [max(column.wanted, _length(column.heading.note)) for column in columns]
    if sum(with_notes) <= room:
        return with_notes
    widths = [column.wanted for column in columns]
    while sum(widths) > room:
        most = max((given for given, column in zip(widths, columns, strict=True) if given > column.least), default=0)
        if not most:
            break  # one column alone, of numbers
        index = next(i for i, column in enumerate(columns) if widths[i] == most and widths[i] > column.least)
        widths[index] = max(columns[index].least, most - max(1, (sum(widths) - room) // len(widths)))
    return widths


def _table(columns: Sequence[_ColumnWidth], rows: Sequence[list[str]], width: int, *, styled: bool) -> Iterator[str]:
    widths = _widths(columns, width)
    rights = [column.heading.number for column in columns]

    def line(cells: Sequence[str]) -> str:
        parts = (_padded(*cell) for cell in zip(cells, widths, rights, strict=True))
        return (" " * _GAP).join(parts).rstrip()

    yield _styled(line([column.name for column in columns]), _BOLD, styled)
    if any(column.heading.note for column in columns):
        # A letter and a sign that it was cut say nothing.
        notes = [column.heading.note for column in columns]
        fitting = [
            note if _length(note) <= room or room > _LEAST_NOTE else ""
            for note, room in zip(notes, widths, strict=True)
        ]
        yield _styled(line(fitting), _DIM, styled)
    if styled:
        faint = [f"{_DIM}NULL{_PLAIN}"] * len(columns)
        gap = " " * _GAP
        for row in rows:
            parts = (_padded(*cell) for cell in zip(row[: len(columns)], widths, rights, strict=True))
            shown = (p.replace("NULL", f) if c == "NULL" else p for p, c, f in zip(parts, row, faint, strict=False))
            yield gap.join(shown).rstrip()
        return
    for row in rows:
        yield line(row[: len(columns)])


def _vertical(columns: Sequence[_ColumnWidth], rows: Sequence[list[str]], width: int, *, styled: bool) -> Iterator[str]:
    """Each row as lines of a name and its value; a long value goes on below its beginning."""
    names = min(max(_length(column.name) for column in columns), width // 2)
    room = width - names - _GAP
    for number, row in enumerate(rows, 1):
        yield _styled(f"row {number}", _BOLD, styled)
        for column, value in zip(columns, row, strict=True):
            pieces = [value] if column.whole or _length(value) <= room else list(_pieces(value, room))
            label = _padded(column.name, names, right=False)
            shown = _styled(pieces[0], _DIM, styled and value == "NULL")
            yield f"{label}{' ' * _GAP}{shown}".rstrip()
            yield from (f"{' ' * (names + _GAP)}{piece}" for piece in pieces[1:])


def _pieces(value: str, room: int) -> Iterator[str]:
    from rich.cells import chop_cells  # noqa: PLC0415

    yield from chop_cells(value, room)


def _styled(text: str, style: str, styled: bool) -> str:
    return f"{style}{text}{_PLAIN}" if styled else text


def _padded(text: str, width: int, right: bool) -> str:
    if text.isascii():
        if len(text) > width:
            text = f"{text[: width - 1]}…"
        return text.rjust(width) if right else text.ljust(width)
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415

    if cell_len(text) > width:
        text = f"{set_cell_size(text, width - 1)}…"
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def _length(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415

    return cell_len(text)


def _shown(value: str | None) -> str:
    if value is None:
        return "NULL"
    if "NULL" in value and _LIKE_NULL.fullmatch(value):
        return f"'{value}'"
    return _name(value)


def _name(value: str) -> str:
    """On one line, whatever it holds."""
    if value.isprintable():
        return value
    return "".join(character if character.isprintable() else "␤" if character == "\n" else " " for character in value)
