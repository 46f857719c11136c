"""The tokens of a text that somebody is in the middle of writing."""

from __future__ import annotations

from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import Token, skipped, tokens

#: So many characters that are no SQL are passed over; a text with more of them is none.
_MOST_PASSED = 20


def written_tokens(text: str) -> list[Token]:
    """The tokens of a text without its end. Characters that begin none are passed over; an open quote ends the text."""
    for _ in range(_MOST_PASSED):
        try:
            return tokens(text)[:-1]
        except QueryError as error:
            at = _offset(text, error)
            if text[at : at + 1] in {"'", '"', "/"}:
                return tokens(text[:at])[:-1] if _is_read(text[:at]) else []
            text = f"{text[:at]} {text[at + 1 :]}"
    return []


def is_in_code(text: str, offset: int) -> bool:
    """Whether a place is neither in a comment nor in a literal or name in quotes."""
    before = written_tokens(text[:offset])
    end = before[-1].end if before else 0
    gap = text[end:offset]
    # An open quote or comment is where the tokens of the text before the place end.
    return not gap.strip() or (skipped(text[:offset], end) == offset and gap.endswith(("\n", "\r", "*/")))


def _is_read(text: str) -> bool:
    try:
        tokens(text)
    except QueryError:
        return False
    return True


def _offset(text: str, error: QueryError) -> int:
    line, column = error.line or 1, error.column or 1
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return start + column - 1
