"""Hive's words: names in backticks, strings in either quote."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dapflow.trino.duckdb import QueryError

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | `(?P<name>(?:[^`]|``)+)`
  | '(?P<single>(?:[^'\\]|\\.|'')*)'
  | "(?P<double>(?:[^"\\]|\\.|"")*)"
  | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w]))
  | (?P<word>\w+)
  | (?P<symbol><>|<=|>=|!=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "Z": "\x1a"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-3][0-7]{2}|.)", re.DOTALL)


@dataclass(frozen=True)
class HiveToken:
    """A word, ``name`` (in backticks), string, number, symbol or end. ``value`` is what it stands for."""

    kind: str
    text: str
    value: str
    start: int

    @property
    def upper(self) -> str:
        """The word in upper case, empty for what is quoted."""
        return self.text.upper() if self.kind in {"word", "symbol"} else ""


def tokens(text: str) -> list[HiveToken]:
    """All tokens and the end. Raises QueryError for an unclosed quote."""
    all_tokens: list[HiveToken] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            break
        kind = match.lastgroup or ""
        if kind in {"single", "double"}:
            all_tokens.append(HiveToken("string", match[0], _unescaped(match[kind], match[0][0]), at))
        elif kind == "name":
            all_tokens.append(HiveToken("name", match[0], match["name"].replace("``", "`"), at))
        elif kind != "space":
            if match[0] in {"'", '"', "`"}:
                raise failure(text, at, f"unclosed quote {match[0]}")
            all_tokens.append(HiveToken(kind, match[0], match[0], at))
        at = match.end()
    all_tokens.append(HiveToken("end", "<EOF>", "", len(text.rstrip())))
    return all_tokens


def _unescaped(body: str, mark: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "u" and len(code) == 5:
            return chr(int(code[1:], 16))
        if len(code) == 3:
            return chr(int(code, 8))
        if code in {"%", "_"}:
            return match[0]
        return _ESCAPES.get(code, code)

    return _ESCAPE.sub(replace, body.replace(mark * 2, mark))


def failure(text: str, at: int, message: str) -> QueryError:
    """A syntax error at a place of the text."""
    before = text[:at]
    line = before.count("\n") + 1
    column = at - (before.rfind("\n") + 1) + 1
    return QueryError("SYNTAX_ERROR", message, line, column)
