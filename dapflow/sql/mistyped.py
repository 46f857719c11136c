"""Words that look like one of the language, where that one may stand: FORM for FROM."""

from __future__ import annotations

import difflib

from dapflow.sql.foreign_forms import BY_PREVIOUS, BY_WORD
from dapflow.sql.slip import clause_of
from dapflow.sql.words import END, Words
from dapflow.trino.syntax.reserved_words import RESERVED

_OF_VALUES = ("CASE", "WHEN", "THEN", "ELSE", "END", "AND", "BETWEEN", "LIKE", "NULL", "EXISTS", "OVER")
_BEHIND_FROM = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT")
_OF_TABLES = ("JOIN", "INNER", "LEFT", "RIGHT", "OUTER", "CROSS", "USING", "AND")
_FIRST = ("SELECT", "WITH", "VALUES", "DISTINCT", "PARTITION")
#: The words that may be meant, by the clause that a word stands in; elsewhere all of them.
_IN_CLAUSE: dict[str | None, tuple[str, ...]] = {
    "SELECT": ("FROM", *_OF_VALUES),
    "FROM": (*_OF_TABLES, *_BEHIND_FROM),
    "WHERE": (*_OF_VALUES, *_BEHIND_FROM),
    "HAVING": (*_OF_VALUES, *_BEHIND_FROM),
    "GROUP": (*_OF_VALUES, *_BEHIND_FROM),
    "ORDER": (*_OF_VALUES, *_BEHIND_FROM, "DESC"),
}
_KEYWORDS = (*_FIRST, "FROM", *_OF_VALUES, *_OF_TABLES, *_BEHIND_FROM, "DESC")
#: What a name follows, whatever it looks like.
_BEFORE_NAMES = frozenset({".", "AS", "FROM", "JOIN"})


def mistyped(words: Words, index: int) -> tuple[int, str] | None:
    """A plain word here, or just before, that looks like a keyword but is none: its place, and the keyword."""
    for at in (index, index - 1):
        kind = words.kinds[at] if at >= 0 else END
        known = kind in RESERVED or kind in _KEYWORDS or kind in BY_WORD or kind in BY_PREVIOUS
        before = words.kinds[at - 1] if at > 0 else END
        if known or not kind[:1].isalpha() or len(kind) < 3 or words.kinds[at + 1] == "." or before in _BEFORE_NAMES:
            continue
        meant = _IN_CLAUSE.get(clause_of(words, at), _KEYWORDS)
        if before == "SELECT":
            meant = (*meant, "DISTINCT")
        near = difflib.get_close_matches(kind, meant, n=1, cutoff=0.75)
        # Many a table is called orders, or groups.
        if near and kind != f"{near[0]}S":
            return at, near[0]
    return None
