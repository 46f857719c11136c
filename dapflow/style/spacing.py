"""Where a space stands between two tokens of a line."""

from __future__ import annotations

from dapflow.style.pieces import Piece

_OPENING = frozenset({"(", "["})
#: Keywords that end a value.
VALUES = frozenset(
    [
        "END",
        "NULL",
        "TRUE",
        "FALSE",
        "CURRENT_DATE",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "DAY",
        "HOUR",
        "MINUTE",
        "MONTH",
        "SECOND",
        "YEAR",
    ]
)
_TIGHT_BEFORE = frozenset({")", "]", ",", ";", ".", "["})
_OPERATORS = frozenset({"+", "-", "*", "/", "%", "||", "=", "<>", "!=", "<", "<=", ">", ">=", "->", "=>"})
#: Keywords whose parenthesis belongs to them as that of a function does.
_CALLED = frozenset(
    [
        "CAST",
        "TRY_CAST",
        "EXTRACT",
        "TRIM",
        "SUBSTRING",
        "POSITION",
        "NORMALIZE",
        "LISTAGG",
        "GROUPING",
        "ROW",
        "JSON_ARRAY",
        "JSON_EXISTS",
        "JSON_OBJECT",
        "JSON_QUERY",
        "JSON_TABLE",
        "JSON_VALUE",
        "UNNEST",
        "ROLLUP",
        "CUBE",
        "CURRENT_TIMESTAMP",
        "CURRENT_TIME",
        "LOCALTIME",
        "LOCALTIMESTAMP",
    ]
)


def is_spaced(before: Piece | None, left: Piece, right: Piece) -> bool:
    """Whether a space stands between two pieces; ``before`` is the one to the left of both."""
    if right.word == "(":
        return not (left.role in {"function", "type"} or left.word in {*_CALLED, *_OPENING} or is_sign(before, left))
    if right.word in _TIGHT_BEFORE or left.word in _OPENING or left.word == ".":
        return False
    if is_sign(before, left):
        # Two of `-` in a row begin a comment.
        return right.word == left.word
    return True


def is_sign(before: Piece | None, piece: Piece) -> bool:
    """Whether `+` or `-` is no operator between two values."""
    if piece.word not in {"+", "-"}:
        return False
    if before is None or before.word in {*_OPENING, ",", *_OPERATORS}:
        return True
    return before.token.kind == "word" and bool(before.word) and before.word not in VALUES
