"""The units of date_trunc, date_add and date_diff, and which of them each type has."""

from __future__ import annotations

#: By what they are counted in: milliseconds, days or months.
CLOCK = {"millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000}
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "quarter": 3, "year": 12}

_FAMILIES = {"date": (DAYS, MONTHS), "time": (CLOCK,), "time_tz": (CLOCK,)}
_FIELDS = {"date": "DATE", "time": "Time", "time_tz": "Time"}


def unit_families(base: str) -> tuple[dict[str, int], ...]:
    """The units of values of a type, by what they are counted in."""
    return _FAMILIES.get(base, (CLOCK, DAYS, MONTHS))


def is_no_unit(base: str) -> str:
    """What Trino says of another unit for values of a type, after the unit."""
    return f" is not a valid {_FIELDS.get(base, 'Timestamp')} field"
