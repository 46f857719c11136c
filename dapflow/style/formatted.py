"""A text in the house style: refused where anything but spaces, ends of lines and capitals would change."""

from __future__ import annotations

from itertools import zip_longest

from dapflow.errors import DapflowError
from dapflow.sql import SqlText, read_statement
from dapflow.style.documents import DocumentPrinter
from dapflow.style.layout import StatementLayout
from dapflow.style.pieces import pieces
from dapflow.trino.errors import QueryError
from dapflow.trino.syntax.lexer import comments, tokens
from dapflow.trino.syntax.word_roles import WordRoles, word_roles


def formatted(text: SqlText) -> str:
    """The text in the house style. Raises DapflowError ``sql-…``, or ``not-formatted`` if it would change."""
    read_statement(text)
    try:
        roles = word_roles(text.text)
        styled = _laid_out(text.text, roles)
        again = word_roles(styled)
        _check_tokens(text, styled)
        if again.query != roles.query:
            raise _refused(text, 0, "it would mean something else")
        if _comments(styled) != _comments(text.text):
            raise _refused(text, 0, "its comments would change")
        if _laid_out(styled, again) != styled:
            raise _refused(text, 0, "laid out twice it is not what it is when laid out once")
    except QueryError as error:
        raise _refused(text, 0, f"Athena would refuse it: {error}") from None
    except RecursionError:
        raise _refused(text, 0, "it is nested too deeply") from None
    return styled


def _laid_out(text: str, roles: WordRoles) -> str:
    eol = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return DocumentPrinter(eol).print(StatementLayout(pieces(text, roles)).statement())


def _comments(text: str) -> list[str]:
    """The comments of a text, without spaces at their ends."""
    return [comment.text.rstrip() for comment in comments(text)]


def _check_tokens(text: SqlText, styled: str) -> None:
    for before, after in zip_longest(tokens(text.text), tokens(styled)):
        same = before and after and before.kind == after.kind
        if not same or (before.text != after.text and (before.kind != "word" or before.upper != after.upper)):
            raise _refused(text, before.start if before else len(text.text), "it would have other words")


def _refused(text: SqlText, offset: int, why: str) -> DapflowError:
    return text.error(
        "not-formatted",
        f"in the house style {why}",
        offset,
        "the file is as it was; please report the text, since this is a fault of dapflow format",
    )
