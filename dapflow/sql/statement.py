"""Reading a ``.sql`` file: one SELECT, as Athena takes it inside ``UNLOAD (…)``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import Dialect, exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import Token, TokenType

from dapflow.errors import DapflowError
from dapflow.sql.syntax import check_syntax, explain_parse_error, explain_token_error
from dapflow.sql.text import SqlText

QUERY_STARTS = {"SELECT", "WITH", "VALUES", "TABLE"}
# Athena takes 262,144 bytes a statement. The UNLOAD around the SELECT carries an S3 URI, which may hold 1,024 bytes.
MAX_BYTES = 262_144 - 1_280
_OTHER_STATEMENTS = {
    "ALTER", "ANALYZE", "CALL", "COMMENT", "COMMIT", "CREATE", "DEALLOCATE", "DELETE", "DENY", "DESC", "DESCRIBE",
    "DROP", "EXECUTE", "EXPLAIN", "GRANT", "INSERT", "MERGE", "MSCK", "OPTIMIZE", "PREPARE", "REFRESH", "REVOKE",
    "ROLLBACK", "SET", "SHOW", "START", "TRUNCATE", "UNLOAD", "UPDATE", "USE", "VACUUM",
}  # fmt: skip
_TRINO = Dialect.get_or_raise("trino")


@dataclass(frozen=True)
class Statement:
    """One query.

    ``sql`` is the file's text up to the ``;`` that ends it, so that offsets in ``sql`` and in ``text`` are the same.
    """

    text: SqlText
    sql: str
    tree: exp.Query


def read_statement(text: SqlText) -> Statement:
    """Parse the one query of a file. Raises DapflowError ``sql-…``."""
    tokens = _tokens(text)
    sql, tokens = _one_statement(text, tokens)
    _check_kind(text, tokens)
    check_syntax(text, tokens)
    size = len(sql.encode())
    if size > MAX_BYTES:
        raise text.error(
            "sql-too-long",
            f"the statement has {size:,} bytes; Athena takes {MAX_BYTES:,} inside UNLOAD",
            tokens[0].start,
            "split it into two transforms, one reading the other",
        )
    return Statement(text, sql, _parse(text, sql, tokens))


def _tokens(text: SqlText) -> list[Token]:
    # sqlglot ends a line comment at \n only, Trino at \r too; the replacement keeps every offset.
    flat = re.sub("\r(?!\n)", "\n", text.text) if "\r" in text.text else text.text
    try:
        return _TRINO.tokenize(flat)
    except TokenError as error:
        raise explain_token_error(text) from error


def _one_statement(text: SqlText, tokens: list[Token]) -> tuple[str, list[Token]]:
    """Cut at the first ``;``; what follows it may only be comments and more of them."""
    if not tokens:
        if text.text.strip():
            raise text.error("sql-empty", "there are only comments in the file", 0, "write one SELECT")
        raise DapflowError("sql-empty", "the file is empty", file=text.file, line=1, column=1, hint="write one SELECT")
    end = next((i for i, token in enumerate(tokens) if token.token_type is TokenType.SEMICOLON), None)
    if end is None:
        return text.text, tokens
    if end == 0:
        raise text.error("sql-syntax", "a ; stands before the statement", tokens[0].start, "delete it")
    after = next((token for token in tokens[end:] if token.token_type is not TokenType.SEMICOLON), None)
    if after is not None:
        raise text.error(
            "sql-two-statements",
            "a second statement starts here",
            after.start,
            "a transform is one SELECT: put each statement into a file of its own, or use WITH",
        )
    return text.text[: tokens[end].start], tokens[:end]


def _check_kind(text: SqlText, tokens: list[Token]) -> None:
    first = next((token for token in tokens if token.token_type is not TokenType.L_PAREN), tokens[0])
    word = text.text[first.start : first.end + 1].split()[0].upper()
    if word in _OTHER_STATEMENTS:
        raise _not_a_select(text, first, _statement_name(text, first))


def _statement_name(text: SqlText, first: Token) -> str:
    """``CREATE TABLE``, ``INSERT INTO``: the words in which the statement is known."""
    words = re.match(r"([a-z]+)(?:\s+(or\s+replace\s+)?([a-z]+))?", text.text[first.start :], re.IGNORECASE)
    assert words is not None
    verb, noun = words[1].upper(), (words[3] or "").upper()
    return f"{verb} {noun}" if noun in {"TABLE", "VIEW", "INTO", "FROM", "DATABASE", "SCHEMA", "EXTERNAL"} else verb


def _not_a_select(text: SqlText, first: Token, name: str) -> DapflowError:
    article = "an" if name[0] in "AEIOU" else "a"
    hint = "a transform is one SELECT; dapflow creates and fills the table itself"
    if name in {"CREATE TABLE", "CREATE VIEW", "INSERT INTO", "UNLOAD"}:
        hint = f"keep the SELECT alone and delete the {name} around it: dapflow creates and fills the table itself"
    return text.error("sql-not-a-select", f"this is {article} {name} statement", first.start, hint)


def _parse(text: SqlText, sql: str, tokens: list[Token]) -> exp.Query:
    try:
        trees = _TRINO.parser().parse(tokens, sql)
    except ParseError as error:
        raise explain_parse_error(text, tokens, error) from error
    except RecursionError as error:
        raise text.error("sql-syntax", "the statement is nested too deeply", tokens[0].start) from error
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        # sqlglot fails this way at the end of some unfinished clauses.
        raise text.error("sql-syntax", "the statement cannot be read", tokens[-1].start) from error
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        kind = tree.key.upper() if tree is not None else "other"
        first = tokens[0]
        if isinstance(tree, exp.DML | exp.DDL):
            raise _not_a_select(text, first, kind)
        raise text.error("sql-syntax", "this is not a SELECT statement", first.start, "a transform is one SELECT")
    return tree
