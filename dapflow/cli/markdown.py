"""Text of others in Markdown: shown as it is, and nothing more than shown.

GitHub renders Markdown first, and then makes links of `@name` and `#12` in what came of it, which tells people and
other issues; no backslash prevents that, a character between the two does.
https://github.github.com/gfm/#backslash-escapes
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dapflow.cli.result_table import Heading

# A long text in one cell would push all others off a page.
_MOST_OF_A_CELL = 300
_NO_WIDTH = "&#8203;"
_SPECIAL = {letter: f"\\{letter}" for letter in "\\`*_<>|[]~&"}
_SPECIAL |= {"@": f"@{_NO_WIDTH}", "#": f"#{_NO_WIDTH}", "$": "&#36;"}
# Line ends, and what would change the direction of all that follows.
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def escaped(text: str) -> str:
    """The text as Markdown shows it, on one line."""
    return "".join(_SPECIAL.get(letter, letter) for letter in _NO_TEXT.sub(" ", text))


def table(headings: Sequence[Heading], rows: Sequence[Sequence[str | None]]) -> Iterator[str]:
    """The lines of a table; NULL for None."""
    yield _line([heading.name for heading in headings])
    yield "|" + "|".join(" ---: " if heading.number else " --- " for heading in headings) + "|"
    for row in rows:
        yield _line(["NULL" if value is None else value for value in row])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(escaped(_shortened(cell)) for cell in cells)} |"


def _shortened(cell: str) -> str:
    return cell if len(cell) <= _MOST_OF_A_CELL else f"{cell[: _MOST_OF_A_CELL - 1]}…"
