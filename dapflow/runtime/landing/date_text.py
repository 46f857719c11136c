"""Dates and times as text: which texts are read without a doubt. As regular expressions, of Athena and of Python."""

from __future__ import annotations

import re

DAY = "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
# No 24:00 and no leap second, which casts refuse or move. Athena's tables keep milliseconds; zeros behind are no loss.
CLOCK = "([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,3}0*)?)?"
_TOKEN = re.compile("%(.)|(.)", re.DOTALL)
_LONG = {"%T": "%H:%i:%s", "%r": "%h:%i:%s %p"}
# What stands alone, and what stands beside another number, where only all digits show which is whose.
_NUMBERS = {
    "Y": ("[0-9]{4}", "[0-9]{4}"), "y": ("[0-9]{2}", "[0-9]{2}"),
    **dict.fromkeys("mc", ("(?:0?[1-9]|1[0-2])", "(?:0[1-9]|1[0-2])")),
    **dict.fromkeys("de", ("(0?[1-9]|[12][0-9]|3[01])", "(0[1-9]|[12][0-9]|3[01])")),
    "j": ("([0-9]{1,3})", "([0-9]{3})"),
    **dict.fromkeys("Hk", ("(?:[01]?[0-9]|2[0-3])", "(?:[01][0-9]|2[0-3])")),
    **dict.fromkeys("hIl", ("(?:0?[1-9]|1[0-2])", "(?:0[1-9]|1[0-2])")),
    **dict.fromkeys("isS", ("[0-5]?[0-9]", "[0-5][0-9]")),
    "f": ("[0-9]{1,3}0*", "[0-9]{1,3}0*"),
}  # fmt: skip
_WORDS = {**dict.fromkeys("abMW", "[A-Za-z]+"), "p": "[AaPp][Mm]"}


def shape_of(pattern: str) -> str:
    """The texts that a pattern of ``date_parse`` reads in one way only, and whole, as a regular expression.

    It has one group, which holds the day. Athena reads numbers from left to right, as many digits as there may be, cuts
    what is finer than milliseconds, and takes ``13`` for the year 13.
    """
    pattern = re.sub("%.", lambda token: _LONG.get(token[0], token[0]), pattern)
    tokens = [(match[1] or "", match[2] or "") for match in _TOKEN.finditer(pattern)]
    parts = []
    for place, (letter, literal) in enumerate(tokens):
        if letter in _NUMBERS:
            beside = [tokens[index][0] for index in (place - 1, place + 1) if 0 <= index < len(tokens)]
            parts.append(_NUMBERS[letter][any(neighbour in _NUMBERS for neighbour in beside)])
        else:
            parts.append(_WORDS.get(letter) or _escaped(letter or literal))
    return f"^{''.join(parts)}$"


def day_function(pattern: str) -> str | None:
    """What gives the day that stands in a text, where its pattern has a weekday too; else None.

    Athena moves the day to the weekday of its week, whether or not these go together.
    """
    if not re.search("%[aW]", pattern.replace("%%", "")):
        return None
    return "day_of_year" if "%j" in pattern else "day"


def _escaped(letter: str) -> str:
    return f"\\{letter}" if letter in r"\^$.|?*+()[]{}" else letter
