"""Types for the columns of exports: the narrowest that every value has, as the ingest will read it.

Stricter than the ingest where text would lose something: `007` and `+44…` are no numbers. A date whose day and month
could be exchanged stays text, because nobody but its author knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dapflow.manifest import SourceColumn

_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
_ZONE = r"(?: ?Z| ?[-+]\d{2}:?\d{2})?"


def _date(pattern: str) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            return datetime.strptime(text, pattern).year >= 1000
        except ValueError:
            return False

    return fits


def _always(_text: str) -> bool:
    return True


@dataclass(frozen=True)
class _TypeCandidate:
    """A candidate: its type, the date_parse pattern of its values, what they look like, and whether they are real."""

    type: str
    shape: re.Pattern[str]
    check: Callable[[str], bool] = _always
    format: str | None = None


def _with_time(date: str, python: str, athena: str) -> tuple[_TypeCandidate, ...]:
    """A day written otherwise than ISO has it, alone and with a time."""
    dated = _date(python)
    return (
        _TypeCandidate("date", re.compile(date), dated, athena),
        _TypeCandidate("timestamp", re.compile(f"{date} {_TIME}"), lambda text: dated(text[:10]), f"{athena} %H:%i"),
        _TypeCandidate(
            "timestamp", re.compile(rf"{date} {_TIME}:[0-5]\d"), lambda text: dated(text[:10]), f"{athena} %H:%i:%s"
        ),
    )


_ISO = _date("%Y-%m-%d")
# The narrowest first. Of a day and a month both are tried: which of them remains, decides.
_KINDS = (
    _TypeCandidate("boolean", re.compile("true|false")),
    _TypeCandidate("bigint", re.compile(r"0|-?[1-9]\d{0,17}")),
    _TypeCandidate("double", re.compile(r"-?(?=(?:\d[.]?){1,15}$)(?:0|[1-9]\d*)(?:[.]\d+)?")),
    _TypeCandidate("date", re.compile(r"\d{4}-\d{2}-\d{2}"), _ISO),
    _TypeCandidate(
        "timestamp",
        re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[ T]{_TIME}(?::[0-5]\d(?:[.]\d{{1,3}}0*)?)?{_ZONE}"),
        lambda text: _ISO(text[:10]),
    ),
    *_with_time(r"\d{4}/\d{2}/\d{2}", "%Y/%m/%d", "%Y/%m/%d"),
    *_with_time(r"\d{2}/\d{2}/\d{4}", "%d/%m/%Y", "%d/%m/%Y"),
    *_with_time(r"\d{2}/\d{2}/\d{4}", "%m/%d/%Y", "%m/%d/%Y"),
    *_with_time(r"\d{2}[.]\d{2}[.]\d{4}", "%d.%m.%Y", "%d.%m.%Y"),
)
# What databases write for NULL beside nothing at all.
NULL_TEXTS = ("\\N", "NULL")


@dataclass
class ColumnTypes:
    """What the values of one column still may be, as they are seen one by one."""

    name: str
    left: list[_TypeCandidate] = field(default_factory=lambda: list(_KINDS))
    values: int = 0
    empty: bool = False
    null_texts: set[str] = field(default_factory=set)

    def see(self, text: str | None) -> None:
        """Take a value into account."""
        if text is None:
            return
        if text == "":
            self.empty = True
            return
        if text in NULL_TEXTS:
            self.null_texts.add(text)
            return
        self.values += 1
        if self.left:
            self.left = [kind for kind in self.left if kind.shape.fullmatch(text) and kind.check(text)]

    @property
    def common_type(self) -> _TypeCandidate | None:
        """The type that all values have; None for text."""
        if not self.values or not self.left:
            return None
        # A day and a month that could be exchanged leave both orders.
        orders = {kind.format for kind in self.left}
        return None if len(orders) > 1 else self.left[0]

    def column(self) -> SourceColumn:
        """The column as service.yml shall have it."""
        kind = self.common_type
        return SourceColumn(self.name, kind.type, None, kind.format) if kind else SourceColumn(self.name, "string")
