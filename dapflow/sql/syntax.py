"""What is wrong with a statement that does not parse, in the analyst's words and at the analyst's place."""

from __future__ import annotations

from sqlglot.errors import ParseError
from sqlglot.tokens import Token

from dapflow.errors import DapflowError
from dapflow.sql.text import SqlText


def check_syntax(text: SqlText, tokens: list[Token]) -> None:
    """Refuse what sqlglot lets pass and Athena does not."""


def explain_token_error(text: SqlText) -> DapflowError:
    return text.error("sql-syntax", "a quote or a comment is not closed", 0)


def explain_parse_error(text: SqlText, tokens: list[Token], error: ParseError) -> DapflowError:
    found = error.errors[0]
    at = next((t for t in tokens if (t.line, t.col) == (found["line"], found["col"])), tokens[-1])
    return text.error("sql-syntax", f"unexpected {text.text[at.start : at.end + 1]}", at.start)
