"""PostgreSQL's `a::text`, as the CAST that it is."""

from __future__ import annotations

from dapflow.errors import Edit
from dapflow.sql.other_dialects import FOREIGN_TYPES, SAME_TYPES
from dapflow.sql.slip import Slip
from dapflow.sql.words import INTEGER, NUMBER, QUOTED, STRING, Words
from dapflow.trino.syntax.reserved_words import RESERVED

_TYPES = frozenset(
    {"bigint", "boolean", "char", "date", "decimal", "double", "int", "integer", "json", "real", "smallint",
     "timestamp", "tinyint", "varchar"}
)  # fmt: skip
# Words of the language that are written as functions are.
_CALLS = frozenset({"CAST", "EXTRACT", "NORMALIZE"})
# Brackets behind them are only a part of a value.
_PARTS = frozenset({"OVER", "FILTER", "GROUP", "EXISTS", "IN", "ANY", "ALL", "SOME"})
# What a text behind them is the value of, or a part.
_LITERALS = frozenset({"DATE", "TIME", "TIMESTAMP", "INTERVAL", "DECIMAL", "CHAR", "VARBINARY", "ZONE"})


def cast_of_colons(slip: Slip) -> tuple[Edit, ...]:
    """`CAST(a AS type)` for the `a::type` whose first colon this is; none where type or value are not sure."""
    words, index = slip.words, slip.index
    if slip.word != ":" or slip.next != ":" or index == 0 or index + 2 >= len(words.kinds):
        return ()
    if slip.text.text[words.ends[index - 1] : words.starts[index + 2]].replace(" ", "") != "::":
        return ()  # a comment stands there
    start = _operand(words, index - 1)
    written = words.kinds[index + 2].lower()
    name = FOREIGN_TYPES[written] if written in SAME_TYPES else written if written in _TYPES else None
    if start is None or name is None:
        return ()
    last = index + 2
    if words.kinds[last + 1] == "(":
        last = words.closes[last + 1]
    elif words.kinds[last + 1] in {"[", "."}:
        return ()
    return (
        Edit(words.starts[start], words.starts[start], "CAST("),
        Edit(words.ends[index - 1], words.ends[index + 2], f" AS {name}"),
        Edit(words.ends[last], words.ends[last], ")"),
    )


def _operand(words: Words, at: int) -> int | None:
    """The first word of the value that ends with a word: a name, a number, a text, a call, or brackets."""
    opened = {close: start for start, close in words.closes.items()}
    while words.kinds[at] == "]" and at in opened:
        at = opened[at] - 1
    kind = words.kinds[at]
    if kind == ")":
        if at not in opened or words.kinds[opened[at] - 1] in _PARTS:
            return None
        at = opened[at]
        if not _is_name(words, at - 1) and words.kinds[at - 1] not in _CALLS:
            return at
        at -= 1
    elif kind in {INTEGER, NUMBER}:
        return at
    elif kind == STRING:
        return None if at and words.kinds[at - 1] in _LITERALS else at
    elif not _is_name(words, at):
        return None
    while at >= 2 and words.kinds[at - 1] == "." and _is_name(words, at - 2):
        at -= 2
    return at


def _is_name(words: Words, at: int) -> bool:
    kind = words.kinds[at] if at >= 0 else ""
    return kind == QUOTED or (kind[:1].isalpha() and kind not in RESERVED)
