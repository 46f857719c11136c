"""Which days of a range are generations of a dataset: those on which its service runs, and those that it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from dapflow.backfill.snapshot import Snapshot
from dapflow.errors import DapflowError
from dapflow.local.airflow.schedules import schedules
from dapflow.manifest import DAILY
from dapflow.project.cron_lines import has_tick
from dapflow.runtime.generation import Generation, check_not_future


def days_between(first: Generation, last: Generation) -> list[Generation]:
    """Every day of a range, both ends included. Raises DapflowError ``option`` where it ends before it begins."""
    if last < first:
        raise DapflowError("option", f"the range ends before it begins: --from {first} --to {last}")
    return list(_days(first, last))


def check_past(last: Generation, timezone: str) -> None:
    """Raise DapflowError ``future-generation`` for a range that ends after tomorrow, by the clock of a time zone."""
    try:
        check_not_future(last, datetime.now(UTC), timezone)
    except DapflowError as error:
        raise DapflowError(error.code, error.message, hint="look at --to") from None


def _days(first: Generation, last: Generation) -> Iterator[Generation]:
    day = first
    while day <= last:
        yield day
        day = Generation(day.day + timedelta(days=1))


class Calendar:
    """The generations that datasets are to have within a range of days.

    A service with a cron line has one on each day that the line names; one that waits for others, on the days of all
    that it waits for; any other daily. What is published or has landed on another day is a generation, too.
    """

    def __init__(self, snapshot: Snapshot, days: Sequence[Generation]) -> None:
        self.snapshot = snapshot
        self.days = frozenset(days)
        self._schedules = {schedule.service: schedule for schedule in schedules(snapshot.manifest)}
        self._of_service: dict[str, frozenset[Generation]] = {}

    def of(self, dataset_id: str) -> frozenset[Generation]:
        """The days of a dataset."""
        there = self.snapshot.generations(dataset_id) | self.snapshot.landed(dataset_id)
        return self._of(self.snapshot.manifest.dataset(dataset_id).service) | (there & self.days)

    def _of(self, service: str) -> frozenset[Generation]:
        if service not in self._of_service:
            schedule = self._schedules.get(service)
            if schedule is not None and schedule.waits_for:
                # Services that wait for each other do not compile, so that this comes to an end.
                expected = frozenset.intersection(*(self.of(read) for read in schedule.waits_for))
            else:
                line = schedule.cron if schedule is not None and schedule.cron else DAILY
                expected = frozenset(day for day in self.days if has_tick(line, day.day))
            self._of_service[service] = expected
        return self._of_service[service]
