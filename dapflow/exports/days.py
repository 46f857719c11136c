"""Days in the names of files and folders: `repairs_2024-06-05.csv`, `20240605-repairs.csv`, `repairs 5 Jun 2024`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dapflow.errors import DapflowError
from dapflow.runtime.generation import Generation

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = rf"(?P<name>{'|'.join((*_FULL, *_MONTHS, 'sept'))})"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_GAP = r"[-_. ]"
# The first that is found tells the day. What has no day of the month is a month.
_FORMS = tuple(
    re.compile(rf"(?<!\d)(?:{form})(?!\d)", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})([-_])(?P<month>\d\d)\2(?P<day>\d\d)",
        rf"{_YEAR}(?P<month>\d\d)(?P<day>\d\d)",
        rf"{_YEAR}\.(?P<month>\d\d)\.(?P<day>\d\d)",
        rf"(?P<first>\d\d)({_GAP})(?P<second>\d\d)\2{_YEAR}",
        rf"(?P<day>\d\d?){_GAP}*{_MONTH}{_GAP}*{_YEAR}",
        rf"(?<![^\W\d_]){_MONTH}{_GAP}*{_YEAR}",
        rf"{_YEAR}[-_](?P<month>0[1-9]|1[0-2])",
    )
)


@dataclass(frozen=True)
class Dated:
    """What a name says of days: the text that does, and the days that it may mean; none for a month."""

    text: str
    days: tuple[Generation, ...]


def dated(name: str) -> Dated | None:
    """The day in a name; None where there is none."""
    for form in _FORMS:
        for match in form.finditer(name):
            parts = match.groupdict()
            if parts.get("first"):
                orders = ((parts["second"], parts["first"]), (parts["first"], parts["second"]))
                days = tuple(dict.fromkeys(day for month, date in orders if (day := _day(parts["year"], month, date))))
                if days:
                    return Dated(match[0], days)
                continue
            month = parts.get("month") or f"{_MONTHS.index(parts['name'][:3].lower()) + 1:02}"
            if not parts.get("day"):
                return Dated(match[0], ())
            day = _day(parts["year"], month, parts["day"])
            if day is not None:
                return Dated(match[0], (day,))
    return None


def settled(names: Iterable[Dated]) -> dict[Dated, Generation]:
    """The days of the names of one table. `05-01-2024` is 5 January where another has a day that no month has."""
    known = [*names]
    twofold = [dated_name for dated_name in known if len(dated_name.days) > 1]
    days = {dated_name: dated_name.days[0] for dated_name in known if len(dated_name.days) == 1}
    british = any(len(dated_name.days) == 1 and _is_british(dated_name) for dated_name in known)
    american = any(len(dated_name.days) == 1 and _is_american(dated_name) for dated_name in known)
    if british != american:
        days |= {dated_name: dated_name.days[0 if british else 1] for dated_name in twofold}
    return days


def _is_british(written: Dated) -> bool:
    return written.text[:2].isdigit() and written.text[2:3] in "-_. " and written.text[:2] > "12"


def _is_american(written: Dated) -> bool:
    return (
        written.text[:2].isdigit()
        and written.text[2:3] in "-_. "
        and written.text[3:5].isdigit()
        and written.text[3:5] > "12"
    )


def _day(year: str, month: str, day: str) -> Generation | None:
    try:
        return Generation.parse(f"{year}-{month}-{int(day):02}")
    except DapflowError:
        return None
