"""Trino's tokens, with their places in the user's text."""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from dapflow.sql.trino.errors import QueryError

_TOKEN = re.compile(
    r"""
    (?P<space>(?:[ \t\r\n\f]+|--[^\n]*(?:\n|$)|/\*.*?\*/)+)
  | (?P<unicode>[Uu]&'(?:[^']|'')*')
  | (?P<string>'(?:[^']|'')*')
  | (?P<binary>[Xx]'[^']*')
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<double>(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)[Ee][+-]?\d+)
  | (?P<decimal>\d[\d_]*\.[\d_]*|\.\d[\d_]*)
  | (?P<integer>0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*)
  | (?P<word>[^\W\d]\w*)
  | (?P<op><=|>=|<>|!=|\|\||->|=>|\{-|-\}|[-+*/%=<>(),.\[\]?;:{}|^$])
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """One token. `kind` is the group of the pattern; `upper` is the word in capitals, or the operator."""

    kind: str
    text: str
    upper: str
    start: int

    @property
    def end(self) -> int:
        """Where the token ends in the text."""
        return self.start + len(self.text)


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, as Trino counts them."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def fail(text: str, offset: int, message: str) -> NoReturn:
    """Raise a syntax error at a place in the text."""
    line, column = position(text, offset)
    raise QueryError("SYNTAX_ERROR", message, line, column)


def tokens(text: str) -> list[Token]:
    """Cut the text into tokens; the last is of kind `end`."""
    found: list[Token] = []
    at, match = 0, _TOKEN.match
    length = len(text)
    while at < length:
        m = match(text, at)
        if m is None:
            _refuse(text, at)
        kind = m.lastgroup or ""
        if kind == "word":
            word = m[0]
            found.append(Token(kind, word, word.upper(), at))
        elif kind == "op":
            found.append(Token(kind, m[0], m[0], at))
        elif kind != "space":
            if (
                kind in {"integer", "decimal"}
                and m.end() < length
                and (text[m.end()].isalpha() or text[m.end()] == "_")
            ):
                fail(text, at, "identifiers must not start with a digit; surround the identifier with double quotes")
            found.append(Token(kind, m[0], "", at))
        at = m.end()
    found.append(Token("end", "", "", length))
    return found


def _refuse(text: str, at: int) -> NoReturn:
    character = text[at]
    if character == "`":
        fail(text, at, "backquoted identifiers are not supported; use double quotes to quote identifiers")
    if character in "'\"":
        fail(text, at, f"mismatched input '{character}'")
    fail(text, at, f"mismatched input '{character}'")


def string_value(token: Token) -> str:
    """What a string token stands for."""
    if token.kind == "unicode":
        return _unicode(token.text[3:-1].replace("''", "'"), "\\")
    return token.text[1:-1].replace("''", "'")


def _unicode(body: str, escape: str) -> str:
    e = re.escape(escape)
    pattern = re.compile(rf"{e}{e}|{e}\+([0-9a-fA-F]{{6}})|{e}([0-9a-fA-F]{{4}})|{e}")

    def replace(m: re.Match[str]) -> str:
        code = m[1] or m[2]
        if code is None:
            if len(m[0]) == 1:
                raise QueryError("SYNTAX_ERROR", "Incomplete escape sequence: ")
            return escape
        number = int(code, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise QueryError("SYNTAX_ERROR", f"Invalid escaped character: {code}")
        return chr(number)

    return pattern.sub(replace, body)


def identifier_value(token: Token) -> str:
    """The name that an identifier token stands for, as written."""
    return token.text[1:-1].replace('""', '"') if token.kind == "quoted" else token.text
