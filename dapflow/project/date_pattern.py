"""Patterns of dates in landing files: those of Athena's ``date_parse``, which are MySQL's.

https://trino.io/docs/current/functions/datetime.html#mysql-date-functions
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_KNOWN = frozenset("abcdefHhIijklMmprSsTvWxYy%")
# Letters of Java's patterns (SimpleDateFormat, DateTimeFormatter), the longest of a kind first.
_JAVA = (
    ("yyyy", "%Y"), ("uuuu", "%Y"), ("YYYY", "%Y"), ("yy", "%y"), ("YY", "%y"),
    ("MMMM", "%M"), ("MMM", "%b"), ("MM", "%m"), ("M", "%c"),
    ("DD", "%d"), ("dd", "%d"), ("d", "%e"), ("EEEE", "%W"), ("EEE", "%a"),
    ("HH", "%H"), ("H", "%k"), ("hh", "%h"), ("h", "%l"), ("mm", "%i"), ("ss", "%s"),
    ("SSSSSS", "%f"), ("SSS", "%f"), ("SS", "%f"), ("S", "%f"), ("a", "%p"),
)  # fmt: skip
_JAVA_TOKEN = re.compile("'([^']*)'|" + "|".join(letters for letters, _ in _JAVA) + "|.", re.DOTALL)
# What Python's and other strptime write otherwise than date_parse.
_STRPTIME = {"B": "%M", "A": "%W", "R": "%H:%i", "F": "%Y-%m-%d", "D": "%m/%d/%y", "n": "a line break"}
# An offset from UTC, or the name of a zone, behind a time.
_OFFSET = r"[-+](?!00:?(?:00)?$)[0-9]{2}(?::?[0-9]{2})?"
_NAMES = r"BST|[CEW]ES?T|[CEMP][SD]T|MES?Z|MSK|IST|JST|AE[SD]T|[A-Z]\w+/\w+"
_ZONE = re.compile(rf"(?:%[HhkIlTrisSfp]\S*?) ?(?:{_OFFSET}|{_NAMES})$")
_ZONE_HINT = (
    "leave `format` out where the export writes 2024-06-01 12:00:00+01:00, which becomes the moment in UTC; "
    "else make the column a string, and let a transform convert it"
)
# The zone or offset of a Java pattern, outside its quotes.
_JAVA_ZONE = re.compile(r"^(?:[^']|'[^']*')*?[SsmHhka] ?(?:[XxZzO]+|VV)")
_JAVA_ZONE_HINT = f"date_parse has no time zones: {_ZONE_HINT}"
_MINUTES = re.compile(r"(%[HhkIl][^%]?)%M")


@dataclass(frozen=True)
class PatternProblem:
    """What is wrong with a pattern, and what to write."""

    message: str
    hint: str


def date_pattern_problem(pattern: str) -> PatternProblem | None:
    """Why ``date_parse`` would not read dates by this pattern as they are meant; None when it does."""
    if "%" not in pattern:
        hint = _JAVA_ZONE_HINT
        if not _JAVA_ZONE.search(pattern):
            right = java_pattern(pattern)
            hint = f'write "{right}"' if right else 'for example "%d/%m/%Y" or "%Y-%m-%d %H:%i:%s"'
        return PatternProblem(f"{pattern!r} is not a pattern of date_parse, which are written with %", hint)
    if _MINUTES.search(pattern):
        right = _MINUTES.sub(r"\1%i", pattern).replace("%S", "%s")
        return PatternProblem("%M is the name of a month; minutes are %i", f'write "{right}"')
    for letter in re.findall(r"%(.?)", pattern.replace("%%", ""), re.DOTALL):
        if letter not in _KNOWN or not letter:
            right = _STRPTIME.get(letter)
            return PatternProblem(
                f"date_parse has no %{letter}",
                f"write {right}" if right else "it has %Y %y %m %c %b %M %d %e %H %k %h %l %i %s %f %p and %T",
            )
    if _ZONE.search(pattern):
        return PatternProblem(
            f"{pattern!r} has a time zone, which date_parse passes over: the moment would not be in UTC", _ZONE_HINT
        )
    return None


def java_pattern(pattern: str) -> str | None:
    """The pattern that means what a Java pattern means; None for text that is none."""
    letters = dict(_JAVA)
    parts = []
    found = False
    for token in _JAVA_TOKEN.finditer(pattern):
        if token[0] in letters:
            found = True
            parts.append(letters[token[0]])
        elif token[1] is not None:
            parts.append(token[1] or "'")
        elif token[0].isalpha() and token[0] not in "TZ":
            return None
        else:
            parts.append(token[0])
    return "".join(parts) if found else None
