"""What is replaced in a text before Athena has it, and which place in the file a place in the text that was sent is."""

from __future__ import annotations

from collections.abc import Iterable

# Start and end in the file's text, and what is sent instead of what stands there.
Edit = tuple[int, int, str]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with its edits made, which do not overlap."""
    for start, end, instead in sorted(edits, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def place_before(text: str, edits: Iterable[Edit], line: int, column: int) -> tuple[int, int] | None:
    """Line and column in ``text`` of a place in what was made of it; both count from 1.

    Where the place is within what was put in, it is where that begins. None for a place that is not there.
    """
    offset = _offset(edited(text, edits), line, column)
    if offset is None:
        return None
    for start, end, instead in sorted(edits):
        if offset < start:
            break
        # From here on, ``offset`` counts in the text with the edits before this one undone.
        offset = start if offset < start + len(instead) else offset - len(instead) + (end - start)
    return place_at(text, offset)


def place_at(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset; both count from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _offset(text: str, line: int, column: int) -> int | None:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if not start:
            return None
    return min(start + column - 1, len(text)) if line >= 1 and column >= 1 else None
