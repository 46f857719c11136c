"""Changes that mend what Athena refuses, where there is no doubt what was meant."""

from __future__ import annotations

import re

from dapflow.errors import Edit
from dapflow.sql.colon_casts import cast_of_colons
from dapflow.sql.other_dialects import SAME_FUNCTIONS
from dapflow.sql.slip import Slip
from dapflow.trino.syntax.quoting import name_text

_BACKQUOTED = re.compile(r"`([^`\"\r\n]+)`")
_WORD = re.compile(r"\w+")
#: MySQL's test of one value; with two it is coalesce.
_NULL_TEST = re.compile(r"isnull\s*\([^(),]*\)", re.IGNORECASE)
_UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
_OF_UNITS = re.compile(r"\b(?:date_?add|date_?diff|date_trunc)\s*\(\s*\Z", re.IGNORECASE)


def requoted(text: str, offset: int) -> tuple[Edit, ...]:
    """Double quotes for the backquotes of the name that begins at a place."""
    name = _BACKQUOTED.match(text, offset)
    return () if name is None else (Edit(name.start(), name.end(), f'"{name[1]}"'),)


def renamed_function(text: str, offset: int) -> tuple[Edit, ...]:
    """Athena's name for the function of another dialect that is called at a place, where both do the same."""
    word = _WORD.match(text, offset)
    if _NULL_TEST.match(text, offset):
        return ()
    name = SAME_FUNCTIONS.get(word[0].lower()) if word is not None else None
    return () if word is None or name is None else (Edit(word.start(), word.end(), name),)


def quoted_unit(text: str, offset: int) -> tuple[Edit, ...]:
    """Quotes around the unit of time that is the first argument of a function of dates."""
    word = _WORD.match(text, offset)
    unit = word is not None and word[0].lower() in _UNITS and _OF_UNITS.search(text[max(0, offset - 40) : offset])
    return (Edit(word.start(), word.end(), f"'{word[0].lower()}'"),) if word is not None and unit else ()


def quoted_name(slip: Slip) -> tuple[Edit, ...]:
    """Quotes around the name that a hyphen cuts in two."""
    words, first, last = slip.words, slip.index, slip.index
    while first > 0 and words.ends[first - 1] == words.starts[first] and _in_name(slip, first - 1):
        first -= 1
    while last + 1 < len(words.kinds) and words.ends[last] == words.starts[last + 1] and _in_name(slip, last + 1):
        last += 1
    start, end = words.starts[first], words.ends[last]
    name = slip.text.text[start:end]
    if name.startswith("-") or name.endswith("-"):
        return ()
    return (Edit(start, end, name_text(name)),)


def _in_name(slip: Slip, index: int) -> bool:
    word = slip.text.text[slip.words.starts[index] : slip.words.ends[index]]
    return word == "-" or re.fullmatch(r"\w+", word) is not None


def plainer(slip: Slip) -> tuple[Edit, ...]:
    """What is to go, or to be called otherwise: a second `=`, a comma before FROM, Oracle's MINUS."""
    words, before = slip.words, slip.index - 1
    if before < 0:
        return ()
    if slip.word == slip.previous == "=" and words.ends[before] == words.starts[slip.index]:
        return (Edit(words.starts[slip.index], words.ends[slip.index], ""),)
    if slip.previous == "," and slip.word in {"FROM", "WHERE", ")"}:
        return (Edit(words.starts[before], words.ends[before], ""),)
    if slip.previous == "MINUS" and slip.word == "SELECT":
        return (Edit(words.starts[before], words.ends[before], "EXCEPT"),)
    return _null_test(slip) or cast_of_colons(slip) or _safe_cast(slip)


def _null_test(slip: Slip) -> tuple[Edit, ...]:
    """PostgreSQL's tests behind a value: `a NOTNULL`, `a NOT NULL`."""
    start, end = slip.words.starts[slip.index], slip.words.ends[slip.index]
    if slip.word == "NOTNULL":
        return (Edit(start, end, "IS NOT NULL"),)
    return (Edit(start, start, "IS "),) if slip.word == "NOT" and slip.next == "NULL" else ()


def _safe_cast(slip: Slip) -> tuple[Edit, ...]:
    """BigQuery's SAFE_CAST(a AS …)."""
    opener = slip.opener
    if slip.word != "AS" or not opener or slip.words.kinds[opener - 1] not in {"SAFE_CAST", "TRYCAST"}:
        return ()
    return (Edit(slip.words.starts[opener - 1], slip.words.ends[opener - 1], "try_cast"),)
