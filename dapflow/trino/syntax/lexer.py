"""Trino's tokens, with their places in the user's text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple, NoReturn

from dapflow.trino.errors import QueryError

# Spaces and comments before a token belong to no group. Nothing is tried twice (`++`, `*+`, `(?>`): a text that is no
# SQL must not take for ever, nor fail at a later place.
_TOKEN = re.compile(
    r"""
    (?>[ \t\r\n]+|--[^\r\n]*|/\*.*?\*/)*+
    (?:
        (?P<unicode>[Uu]&'(?:[^']++|'')*+')
      | (?P<binary>[Xx]'[^']*+')
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*+)
      | (?P<op><=|>=|<>|!=|\|\||->|=>|\{-|-\}|(?!/\*)[-+*/%=<>(),\[\]?;:{}|^$]|\.(?![0-9]))
      | (?P<string>'(?:[^']++|'')*+')
      | (?P<quoted>"(?:[^"]++|"")*+")
      | (?P<double>(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)[Ee][+-]?[0-9]++)
      | (?P<decimal>[0-9]++(?:_[0-9]++)*+\.(?:[0-9]++(?:_[0-9]++)*+)?|\.[0-9]++(?:_[0-9]++)*+)
      | (?P<integer>0[xX](?:_?[0-9a-fA-F])++|0[oO](?:_?[0-7])++|0[bB](?:_?[01])++|[0-9]++(?:_[0-9]++)*+)
      | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = ("", *_TOKEN.groupindex)
_WORD, _OP, _DECIMAL, _END = (_TOKEN.groupindex[kind] for kind in ("word", "op", "decimal", "end"))
_COMMENT = re.compile(r"--[^\r\n]*|/\*.*?\*/", re.DOTALL)
_SKIPPED = re.compile(r"(?>[ \t\r\n]+|--[^\r\n]*|/\*.*?\*/)*+", re.DOTALL)


class Token(NamedTuple):
    """One token. `kind` is the group of the pattern; `upper` is the word in capitals, or the operator."""

    kind: str
    text: str
    upper: str
    start: int
    end: int


#: Makes a token without the detour of a constructor of Python's own; there are many.
_token: Callable[[tuple[str, str, str, int, int]], Token] = partial(tuple.__new__, Token)


def position(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1, as Trino counts them."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1


def fail(text: str, offset: int, message: str) -> NoReturn:
    """Raise a syntax error at a place in the text."""
    line, column = position(text, offset)
    raise QueryError("SYNTAX_ERROR", message, line, column)


def tokens(text: str) -> list[Token]:
    """Cut the text into tokens; the last is of kind `end`."""
    return [*_tokens(text)]


# A text is looked at by several readers in turn.
@lru_cache(maxsize=4)
def _tokens(text: str) -> tuple[Token, ...]:
    read_tokens: list[Token] = []
    at, match, group = 0, _TOKEN.match, 0
    while group != _END:
        m = match(text, at)
        if m is None:
            _refuse(text, at)
        group = m.lastindex or _END
        start, at = m.span(group)
        word = m[group]
        if group == _WORD:
            upper = word.upper()
        elif group == _OP:
            upper = word
        else:
            upper = ""
            if group >= _DECIMAL and (text[at : at + 1].isalpha() or text[at : at + 1] == "_"):
                fail(text, start, "identifiers must not start with a digit; surround the identifier with double quotes")
        read_tokens.append(_token((_KINDS[group], word, upper, start, at)))
    return tuple(read_tokens)


def skipped(text: str, at: int) -> int:
    """Where the spaces and comments end that begin at a place."""
    match = _SKIPPED.match(text, at)
    return at if match is None else match.end()


def comments(text: str) -> list[Token]:
    """The comments of a text, in its order, as tokens of kind `comment`. Raises as `tokens` does."""
    between: list[Token] = []
    before = 0
    for token in _tokens(text):
        between += [
            Token("comment", comment[0], "", *comment.span())
            for comment in _COMMENT.finditer(text, before, token.start)
        ]
        before = token.end
    return between


def _refuse(text: str, at: int) -> NoReturn:
    at = skipped(text, at)
    character = text[at]
    if character == "`":
        fail(text, at, "backquoted identifiers are not supported; use double quotes to quote identifiers")
    fail(text, at, f"mismatched input '{character}'")


def string_value(token: Token, escape: str = "\\") -> str:
    """What a string token stands for; `escape` starts the code of a character after U&."""
    if token.kind == "unicode":
        return _unicode(token.text[3:-1].replace("''", "'"), escape)
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
