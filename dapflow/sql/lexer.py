"""Athena's words: what its lexer makes of a text. Exact where sqlglot's is generous."""

from __future__ import annotations

import re

from dapflow.errors import DapflowError
from dapflow.sql.text import SqlText

# Brackets within brackets; more than any person writes, and less than exhausts Python's stack.
DEEPEST = 150
QUOTED, STRING, INTEGER, NUMBER, END = '"', "'", "0", "0.0", ""


def word_set(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Words that name nothing unless they are quoted.
RESERVED = word_set(
    """
    ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE CURRENT_PATH
    CURRENT_ROLE CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE
    DISTINCT DROP ELSE END ESCAPE EXCEPT EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN
    INNER INSERT INTERSECT INTO IS JOIN JSON_ARRAY JSON_EXISTS JSON_OBJECT JSON_QUERY JSON_TABLE JSON_VALUE
    LEFT LIKE LISTAGG LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE
    RIGHT ROLLUP SELECT TABLE THEN TRIM TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WITH
    """
)

# One group matches at a time; its number is the kind of word. Spaces and comments before it belong to no group.
# Nothing is tried twice (`++`, `*+`, `(?>`): a text that is no SQL must not take for ever, nor fail at a later place.
_WORD = re.compile(
    r"""(?>[ \t\r\n]+|--[^\r\n]*|/\*.*?\*/)*+
    (?:([xX]?'(?:[^']++|'')*+'|[uU]&'(?:[^']++|'')*+')
    |("(?:[^"]++|"")*+"|[uU]&"(?:[^"]++|"")*+")
    |([A-Za-z_][A-Za-z0-9_]*)
    |(<=|>=|<>|!=|\|\||->|=>|(?!/\*)[-+*/%=<>,()\[\];?|^$:{}]|\.(?!\d))
    |((?:\d+(?:_\d+)*\.?\d*|\.\d+)[eE][+-]?\d+(?![A-Za-z0-9_])|(?:\d+(?:_\d+)*\.\d*|\.\d+)(?![A-Za-z_]))
    |(0[xX][0-9A-Fa-f_]+|0[oO][0-7_]+|0[bB][01_]+)
    |(\d+[A-Za-z0-9_]*)
    |(\Z))
    """,
    re.VERBOSE | re.DOTALL,
)
_TEXT, _QUOTED, _NAME, _OPERATOR, _NUMBER, _RADIX, _DIGITS, _END = range(1, 9)
_KINDS = {_TEXT: STRING, _QUOTED: QUOTED, _NUMBER: NUMBER, _RADIX: NUMBER, _DIGITS: INTEGER}
_SKIPPED = re.compile(r"(?>[ \t\r\n]+|--[^\r\n]*|/\*.*?\*/)*+", re.DOTALL)
_OPENED = {'"': "a quoted name", "'": "a text", "/": "a comment"}
_LOOKALIKES = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\uff0c": ",",
    "\uff08": "(",
    "\uff09": ")",
    "\u037e": ";",
}


class Words:
    """The words of a text, in parallel lists; END follows the last.

    ``kinds`` holds a plain word in upper case, an operator as it is, and QUOTED, STRING, INTEGER or NUMBER.
    ``closes`` maps each opening bracket to the closing one, or to END where it has none. ``numbers`` are the numbers
    that sqlglot does not know: ``1_000``, ``0b1``.
    """

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.closes: dict[int, int] = {}
        self.numbers: list[tuple[int, int]] = []


def read_words(text: SqlText, words: Words) -> None:
    """Cut a text into words. Raises DapflowError ``sql-syntax`` where Athena's lexer would refuse it."""
    source = text.text
    kinds, starts, ends = words.kinds, words.starts, words.ends
    next_word = _WORD.scanner(source).match  # type: ignore[attr-defined]
    while (match := next_word()) is not None:
        group = match.lastindex
        start, end = match.span(group)
        if group == _NAME:
            kinds.append(source[start:end].upper())
        elif group == _OPERATOR:
            kinds.append(source[start:end])
        elif group == _END:
            break
        else:
            kinds.append(_KINDS[group])
            _check_literal(text, words, group, start, end)
        starts.append(start)
        ends.append(end)
    else:
        raise _refusal(text, _SKIPPED.match(source, ends[-1] if ends else 0).end())  # type: ignore[union-attr]
    size = len(source)
    # Several, so that looking ahead needs no care.
    kinds.extend([END] * 4)
    starts.extend([size] * 4)
    ends.extend([size] * 4)


def _check_literal(text: SqlText, words: Words, group: int, start: int, end: int) -> None:
    word = text.text[start:end]
    if group == _DIGITS and not word.replace("_", "").isdecimal():
        raise text.error("sql-syntax", f"a name cannot begin with a digit: {word}", start, f'write it as "{word}"')
    if group == _QUOTED and end - start == 2:
        raise text.error("sql-syntax", 'a name in double quotes is empty: ""', start, "a text is written ''")
    if group == _RADIX or (group in {_NUMBER, _DIGITS} and "_" in word):
        words.numbers.append((start, end))


def match_brackets(text: SqlText, words: Words) -> None:
    """Fill ``words.closes``. Raises DapflowError ``sql-syntax`` for a closing bracket that closes nothing."""
    closing = {"(": ")", "[": "]", "{": "}"}
    opened: list[int] = []
    for index, kind in enumerate(words.kinds):
        if kind in closing and kind:
            opened.append(index)
            if len(opened) > DEEPEST:
                raise text.error("sql-syntax", "the statement is nested too deeply", words.starts[0])
        elif kind in {")", "]", "}"}:
            if not opened:
                raise text.error(
                    "sql-syntax", f"this {kind} closes nothing", words.starts[index], "delete it, or open it"
                )
            last = opened.pop()
            if closing[words.kinds[last]] != kind:
                line, column = text.place(words.starts[last])
                raise text.error(
                    "sql-syntax",
                    f"{kind} cannot close the {words.kinds[last]} of line {line}, column {column}",
                    words.starts[index],
                )
            words.closes[last] = index
    for index in opened:
        words.closes[index] = words.kinds.index(END)


def _refusal(text: SqlText, position: int) -> DapflowError:
    character = text.text[position]
    if text.text.startswith("/*", position) or character in {'"', "'"}:
        return text.error(
            "sql-syntax", f"{_OPENED[character]} begins here and never ends", position, _closing_hint(character)
        )
    if character == "`":
        hint = 'Athena\'s queries put names into double quotes: "name"'
        return text.error("sql-syntax", "a backquote (`) cannot stand in a query", position, hint)
    if character in _LOOKALIKES:
        plain = _LOOKALIKES[character]
        message = f"{character} is a typographic character that only looks like {plain}"
        return text.error(
            "sql-syntax", message, position, f"type {plain} instead; a word processor may have replaced it"
        )
    if character.isspace() or not character.isprintable():
        message = f"an invisible character (U+{ord(character):04X}) stands here"
        hint = "replace it by a plain space" if character.isspace() else "delete it"
        return text.error("sql-syntax", message, position, hint)
    if character.isalpha():
        message = f"{character} cannot stand in a name that is not quoted"
        return text.error("sql-syntax", message, position, "put the whole name into double quotes")
    hints = {
        "#": "a comment begins with --",
        "@": "there are no variables; write the value",
        "!": "write NOT, or <> for not equal",
        "&": "write AND, or || to join texts",
        "\\": r"a backslash is plain text inside '…' only",
    }
    return text.error("sql-syntax", f"{character} cannot stand in a query", position, hints.get(character))


def _closing_hint(character: str) -> str:
    return {"'": "a quote inside a text is doubled: 'it''s'", '"': 'close it with "', "/": "close it with */"}[
        character
    ]
