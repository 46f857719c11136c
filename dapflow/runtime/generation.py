"""A generation: one complete snapshot of a dataset, identified by one date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dapflow.errors import DapflowError
from dapflow.manifest import GenerationColumns

_WRITTEN = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})|([0-9]{4})([0-9]{2})([0-9]{2})")


@dataclass(frozen=True, order=True)
class Generation:
    """One date. Generations order by it."""

    day: date

    @classmethod
    def parse(cls, text: str) -> Generation:
        """Read ``2013-12-31`` or ``20131231``. Raises DapflowError ``generation``."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is not None:
            with suppress(ValueError):
                return cls(date(*(int(part) for part in match.groups() if part is not None)))
        problem = "is a day that no calendar has" if match is not None else "is not a generation"
        raise DapflowError("generation", f"{text!r} {problem}", hint="write a date, as 2013-12-31 or 20131231")

    @classmethod
    def of_values(cls, values: Sequence[str]) -> Generation | None:
        """The generation of a partition, from its first four values; None when they are no date.

        The fourth (``import_date``) decides. Where it is no date, year, month and day are read: older platforms wrote
        months and days without a leading zero.
        """
        try:
            return cls.parse(values[3])
        except DapflowError:
            try:
                return cls(date(*(int(value) for value in values[:3])))
            except ValueError:
                return None

    @property
    def key(self) -> str:
        """``20131231``: the Airflow partition key, and the value of ``import_date``."""
        return f"{self.day:%Y%m%d}"

    @property
    def values(self) -> tuple[str, str, str, str]:
        """Values of the four generation columns: ``2013``, ``12``, ``31``, ``20131231``."""
        return f"{self.day:%Y}", f"{self.day:%m}", f"{self.day:%d}", self.key

    def path(self, columns: GenerationColumns) -> str:
        """``import_year=2013/import_month=12/import_day=31/import_date=20131231``."""
        return "/".join(f"{name}={value}" for name, value in zip(columns.names, self.values, strict=True))

    def predicate(self, columns: GenerationColumns) -> str:
        """The generation as a condition with literals, which is what Athena needs to prune partitions."""
        return " AND ".join(f"\"{name}\" = '{value}'" for name, value in zip(columns.names, self.values, strict=True))

    def __str__(self) -> str:
        """``2013-12-31``, for people."""
        return self.day.isoformat()


def check_not_future(generation: Generation, now: datetime, timezone: str) -> None:
    """Raise DapflowError ``future-generation`` for a generation beyond tomorrow, by the clock of this time zone.

    The current view shows the newest generation, so one of 2030 would hide all that come until then. Tomorrow may be
    meant: exports of a day are made in the night before its end.
    """
    today = now.astimezone(ZoneInfo(timezone)).date()
    if generation.day > today + timedelta(days=1):
        raise DapflowError(
            "future-generation",
            f"generation {generation} lies in the future: it is {today} in {timezone}",
            hint="the current view would show it until then; look at the date, or allow it with --allow-future",
        )


def newest(generations: Iterable[Generation], *, not_after: Generation | None = None) -> Generation | None:
    """The newest of them, at ``not_after`` at the latest; None when there is none."""
    return max((generation for generation in generations if not_after is None or generation <= not_after), default=None)
