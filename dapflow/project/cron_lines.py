"""Cron lines and time zones, read as Airflow reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def cron_problem(line: str) -> str | None:
    """Why Airflow would not take this schedule, or None."""
    fields = line.split()
    if len(fields) != 5 and not line.startswith("@"):
        return f"a cron line has 5 fields (minute hour day month weekday), this one has {len(fields)}"
    from croniter import (  # type: ignore[import-untyped]  # noqa: PLC0415 (a service.yml that is known needs none)
        CroniterBadDateError,
        croniter,
    )

    try:
        croniter(line, datetime(2024, 1, 1, tzinfo=UTC)).get_next()
    except CroniterBadDateError:
        return "there is no day that it names"
    except (ValueError, KeyError) as error:
        return f"not a cron line: {str(error).replace(f'[{line}]', repr(line))}"
    return None


@cache
def longest_pause(line: str) -> timedelta:
    """The longest time between two ticks of a cron line, over somewhat more than a year."""
    from croniter import croniter  # noqa: PLC0415 (see above)

    start = datetime(2024, 1, 1, tzinfo=UTC)
    # Where every day is like the one before, two days tell all; a year of ticks takes croniter a tenth of a second.
    alike = line.split()[2:] == ["*", "*", "*"] or line in {"@hourly", "@daily", "@midnight"}
    end = start + timedelta(days=2 if alike else 400)
    ticks = croniter(line, start)
    before, longest = start, timedelta()
    while before < end:
        tick = ticks.get_next(datetime)
        longest, before = max(longest, tick - before), tick
    return longest


def has_tick(line: str, day: date) -> bool:
    """Whether a cron line names a moment of this day."""
    from croniter import croniter  # noqa: PLC0415 (see above)

    midnight = datetime.combine(day, time(), UTC)
    tick: datetime = croniter(line, midnight - timedelta(seconds=1)).get_next(datetime)
    return tick.date() == day


def is_timezone(name: str) -> bool:
    """Whether the time zone database has this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
