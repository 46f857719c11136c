"""Patterns of dates: those of Athena's ``date_parse`` and ``date_format``, which are MySQL's, and those of Joda.

https://trino.io/docs/current/functions/datetime.html#mysql-date-functions and #java-date-functions
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
_LONG = {"%T": "%H:%i:%s", "%r": "%h:%i:%s %p"}
_PARTS = {
    "year": "Yy", "month": "mcbM", "day": "de", "day of the year": "j", "week": "xv", "weekday": "aW",
    "hour": "HkhIl", "minute": "i", "second": "sS", "fraction": "f", "half of the day": "p",
}  # fmt: skip
_NO_DAY_HINT = "make the column a string, and let a transform make a date or a timestamp of it"
# A month's name where everybody writes its number.
_MONTH_NAMES = re.compile(r"%[de]/%M/%[yY]|%[yY]([-/.]?)%M\1%[de]")
_MONTHS = re.compile(r"(%[HhkIl]:)%m")
_MINUTES = re.compile(r"(%[HhkIl][^%]?)%M")


_FROM_MYSQL = {
    "%Y": "yyyy", "%y": "yy", "%m": "MM", "%c": "M", "%b": "MMM", "%M": "MMMM", "%d": "dd", "%e": "d", "%H": "HH",
    "%k": "H", "%h": "hh", "%I": "hh", "%l": "h", "%i": "mm", "%s": "ss", "%S": "ss", "%f": "SSS", "%p": "a",
    "%W": "EEEE", "%a": "EEE", "%j": "DDD", "%T": "HH:mm:ss", "%%": "%",
}  # fmt: skip
_JODA_QUOTED = re.compile(r"'[^']*'")
# What is written, what it is, and what was meant.
_JODA_SLIPS = (
    (re.compile(r"(?<=[yYu][-/. ])mm(?![a-zA-Z])|(?<![a-zA-Z:])mm(?=[-/. ]?[dDyYu])"), "mm are minutes", "MM"),
    (re.compile(r"(?<=[Hhk]:)MM"), "MM is the month", "mm"),
    (re.compile(r"(?<![D])DD(?!D)"), "DD is the day of the year", "dd"),
)


@dataclass(frozen=True)
class PatternProblem:
    """What is wrong with a pattern, and what to write."""

    message: str
    hint: str


def date_pattern_problem(pattern: str) -> PatternProblem | None:
    """Why ``date_parse`` would not read the dates of landing files by this pattern as they are meant, if so."""
    problem = mysql_pattern_problem(pattern)
    if problem is not None and _JAVA_ZONE.search(pattern) and "%" not in pattern:
        return PatternProblem(problem.message, _JAVA_ZONE_HINT)
    if problem is None and _ZONE.search(pattern):
        message = f"{pattern!r} has a time zone, which date_parse passes over: the moment would not be in UTC"
        return PatternProblem(message, _ZONE_HINT)
    return problem or _part_problem(pattern)


def _part_problem(pattern: str) -> PatternProblem | None:
    """Why the parts of a pattern do not make up one moment: ``date_parse`` fills in what lacks and moves the rest."""
    pattern = re.sub("%.", lambda token: _LONG.get(token[0], token[0]), pattern)
    letters = re.findall("%(.)", pattern)
    parts = [name for name, own in _PARTS.items() for letter in letters if letter in own]
    if "week" in parts:
        return PatternProblem("%x and %v name a week, and date_parse takes its Monday", _NO_DAY_HINT)
    if doubled := next((name for name in parts if parts.count(name) > 1), None):
        return PatternProblem(f"{pattern!r} names the {doubled} twice", "leave one of them as a text without %")
    wanted = ("year", "day of the year") if "day of the year" in parts else ("year", "month", "day")
    if lacking := [name for name in wanted if name not in parts]:
        message = f"{pattern!r} does not name the {' and the '.join(lacking)}, which date_parse would fill in"
        return PatternProblem(message, _NO_DAY_HINT)
    if "day of the year" in parts and {"month", "day"} & set(parts):
        return PatternProblem("%j is the day of the year, beside a month or a day", "leave out one of them")
    return _half_problem(pattern, any(letter in "hIl" for letter in letters), "half of the day" in parts)


def _half_problem(pattern: str, hour_of_half: bool, half: bool) -> PatternProblem | None:
    if hour_of_half and not half:
        right = re.sub("%[hI]", "%H", pattern).replace("%l", "%k")
        return PatternProblem("%h is an hour of half a day, and no %p says of which", f'write "{right}"')
    if half and not hour_of_half:
        right = pattern.replace("%H", "%h").replace("%k", "%l")
        return PatternProblem("%p does not count beside %H, an hour of the whole day", f'write "{right}"')
    return None


def mysql_pattern_problem(pattern: str, function: str = "date_parse") -> PatternProblem | None:
    """Why a pattern of MySQL's kind is none, or not what was meant."""
    if "%" not in pattern:
        right = java_pattern(pattern)
        hint = f'write "{right}"' if right else 'for example "%d/%m/%Y" or "%Y-%m-%d %H:%i:%s"'
        return PatternProblem(f"{pattern!r} is not a pattern of {function}, which are written with %", hint)
    if _MINUTES.search(pattern):
        right = _MINUTES.sub(r"\1%i", pattern).replace("%S", "%s")
        return PatternProblem("%M is the name of a month; minutes are %i", f'write "{right}"')
    if _MONTHS.search(pattern):
        right = _MONTHS.sub(r"\1%i", pattern)
        return PatternProblem("%m is the number of the month; minutes are %i", f'write "{right}"')
    if _MONTH_NAMES.search(pattern):
        return PatternProblem("%M is the name of a month; its number is %m", f'write "{pattern.replace("%M", "%m")}"')
    for letter in re.findall(r"%(.?)", pattern.replace("%%", ""), re.DOTALL):
        if letter not in _KNOWN or not letter:
            right = _STRPTIME.get(letter)
            return PatternProblem(
                f"{function} has no %{letter}",
                f"write {right}" if right else "it has %Y %y %m %c %b %M %d %e %H %k %h %l %i %s %f %p and %T",
            )
    return None


def joda_pattern_problem(pattern: str, function: str) -> PatternProblem | None:
    """Why a pattern of Joda's kind, which are Java's, is none, or not what was meant."""
    if "%" in pattern:
        right = re.sub("%.", lambda token: _FROM_MYSQL.get(token[0], token[0]), pattern)
        message = f"{pattern!r} is a pattern of date_format and date_parse; {function} takes Java's, without %"
        return PatternProblem(message, f"write '{right}'" if "%" not in right else "for example 'yyyy-MM-dd HH:mm:ss'")
    letters = _JODA_QUOTED.sub(lambda quoted: "\0" * len(quoted[0]), pattern)
    for slip, message, right in _JODA_SLIPS:
        match = slip.search(letters)
        if match is not None:
            meant = pattern[: match.start()] + right + pattern[match.end() :]
            return PatternProblem(f"in a pattern of {function}, {message}", f"write '{meant}'")
    return None


def java_pattern(pattern: str) -> str | None:
    """The pattern that means what a Java pattern means; None for text that is none."""
    letters = dict(_JAVA)
    parts = []
    has_letters = False
    for token in _JAVA_TOKEN.finditer(pattern):
        if token[0] in letters:
            has_letters = True
            parts.append(letters[token[0]])
        elif token[1] is not None:
            parts.append(token[1] or "'")
        elif token[0].isalpha() and token[0] not in "TZ":
            return None
        else:
            parts.append(token[0])
    return "".join(parts) if has_letters else None
