"""A text in the house style: refused where anything but spaces, ends of lines and capitals would change."""

from __future__ import annotations

from itertools import zip_longest

from dapflow.errors import DapflowError
from dapflow.review.ignored import ignored_lines
from dapflow.sql import SqlText, read_statement
from dapflow.style.documents import DocumentPrinter
from dapflow.style.layout import StatementLayout
from dapflow.style.pieces import pieces
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import comments, tokens
from dapflow.trino.syntax.word_roles import WordRoles, word_roles

#: Words to which no finding points, and which may come to stand in another line.
_MOVABLE = frozenset({",", "SELECT", "WHERE", "HAVING"})
_FAULT = "the file is as it was; please report the text, since this is a fault of dapflow format"
_APART = "the file is as it was; write what is ignored as an item of its own, on a line of its own"


def formatted(text: SqlText) -> str:
    """The text in the house style. Raises DapflowError ``sql-…``, or ``not-formatted`` if it would change."""
    read_statement(text)
    try:
        roles = word_roles(text.text)
        ignored = _ignored(text)
        styled = _laid_out(text, roles, ignored)
        again = word_roles(styled)
        _check_tokens(text, styled)
        if again.query != roles.query:
            raise _refused(text, 0, "it would mean something else")
        if _comments(styled) != _comments(text.text):
            raise _refused(text, 0, "its comments would change")
        result = SqlText(styled, text.file)
        ignored_then = _ignored(result)
        movable = {number for number, token in enumerate(tokens(styled)) if token.upper in _MOVABLE}
        for before, after in zip(ignored, ignored_then, strict=True):
            if not before - movable <= after:
                offset = tokens(text.text)[min(before)].start
                raise _refused(
                    text, offset, "the comment that says what to ignore here would be about another line", _APART
                )
        if _laid_out(result, again, ignored_then) != styled:
            raise _refused(text, 0, "laid out twice it is not what it is when laid out once")
    except QueryError as error:
        raise _refused(text, 0, f"Athena would refuse it: {error}") from None
    except RecursionError:
        raise _refused(text, 0, "it is nested too deeply") from None
    return styled


def _laid_out(text: SqlText, roles: WordRoles, ignored: list[set[int]]) -> str:
    eol = "\r\n" if text.text.partition("\n")[0].endswith("\r") else "\n"
    words = tokens(text.text)
    kept = {words[number].start for numbers in ignored for number in numbers}
    return DocumentPrinter(eol).print(StatementLayout(pieces(text.text, roles, kept)).statement())


def _ignored(text: SqlText) -> list[set[int]]:
    """For each comment that says what ``dapflow check`` is to ignore, the words that it is about, by their numbers."""
    lines = ignored_lines(text)
    if not lines:
        return []
    line_of = [text.place(token.start)[0] for token in tokens(text.text)[:-1]]
    return [{number for number, own in enumerate(line_of) if own == line} for line in lines]


def _comments(text: str) -> list[str]:
    """The comments of a text, without spaces at their ends."""
    return [comment.text.rstrip() for comment in comments(text)]


def _check_tokens(text: SqlText, styled: str) -> None:
    for before, after in zip_longest(tokens(text.text), tokens(styled)):
        same = before and after and before.kind == after.kind
        if not same or (before.text != after.text and (before.kind != "word" or before.upper != after.upper)):
            raise _refused(text, before.start if before else len(text.text), "it would have other words")


def _refused(text: SqlText, offset: int, why: str, hint: str = _FAULT) -> DapflowError:
    return text.error("not-formatted", f"in the house style {why}", offset, hint)
