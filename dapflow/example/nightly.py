"""What the databases of the two services hold on a night of 2013.

The package is one finished record of the year. Replaying it day by day gives what stood in each table at the time:

* ``flights`` holds the flights up to and including the day. A flight's record is closed on the next day; until then
  its ``remarks`` are NULL, afterwards they are a text, or empty when there is nothing to remark.
* ``planes``, ``airlines`` and ``airports`` carry the day on which they were last used; planes and airlines are known
  from their first flight on.
* ``observations`` (weather) arrive a day late: the export of a night ends with the day before.

Nothing is invented: ``remarks``, ``last_flown`` and ``last_served`` are derived from the flights themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from dapflow.example.export import GrowingGzip, Layout
from dapflow.example.package_data import MISSING, YEAR, lines_by_day, parse, text_lines

NULL = r"\N"
"""What the air traffic database writes for NULL, because its text columns hold empty strings too."""


@dataclass(frozen=True)
class NightlyExport:
    """One file of one night."""

    service: str
    table: str
    generation: date
    file_name: str
    content: bytes
    rows: int


class _Flights:
    """The flights table, and which planes, airlines and airports have been in use so far."""

    def __init__(self) -> None:
        lines = text_lines("flights")
        self._columns = parse([next(lines)])[0]
        self._layout = Layout(
            [*self._columns, "remarks"], ["carrier", "tailnum", "origin", "dest", "time_hour", "remarks"], NULL
        )
        self._days = lines_by_day(lines, self._columns)
        self._today: list[list[str]] = []
        self._at = {name: index for index, name in enumerate(self._columns)}
        self._closed = GrowingGzip(self._layout.header)
        self._closed_rows = 0
        self.planes: dict[str, date | None] = {}
        self.airlines: dict[str, date | None] = {}
        self.airports: dict[str, date | None] = {}

    def open(self, day: date) -> None:
        """A day's flights are in the table, and with them the planes, airlines and airports that they use."""
        self._today = parse(self._days.pop(day, []))
        at = self._at
        used = (
            (self.planes, at["tailnum"]),
            (self.airlines, at["carrier"]),
            (self.airports, at["origin"]),
            (self.airports, at["dest"]),
        )
        for register, column in used:
            known = {record[column] for record in self._today}
            flown = {record[column] for record in self._today if record[at["dep_time"]] != MISSING}
            register.update(dict.fromkeys(known - register.keys()))
            register.update(dict.fromkeys(flown, day))

    def close(self) -> None:
        """The records of the day are complete: add their remarks."""
        self._closed.extend("".join(self._layout.line([*record, self._remarks(record)]) for record in self._today))
        self._closed_rows += len(self._today)

    def export(self, day: date) -> NightlyExport:
        """The table on the night of the day, whose own records are still open."""
        content = self._closed.finished("".join(self._layout.line([*record, MISSING]) for record in self._today))
        return NightlyExport(
            "air_traffic", "flights", day, "flights.csv.gz", content, self._closed_rows + len(self._today)
        )

    def _remarks(self, record: list[str]) -> str:
        if MISSING not in record:
            return ""
        at = self._at
        if record[at["dep_time"]] == MISSING:
            return "Cancelled"
        if record[at["arr_time"]] == MISSING:
            return "Departed, no arrival recorded"
        return f'Diverted, no air time recorded for "{record[at["origin"]]}-{record[at["dest"]]}"'


class _Register:
    """A table of things in use: the package's columns and the day of last use."""

    def __init__(self, table: str, text: Sequence[str], last_used: str) -> None:
        header, *self._records = parse(text_lines(table))
        self._table = table
        self._layout = Layout([*header, last_used], [*text, last_used], NULL)

    def export(self, day: date, used: dict[str, date | None], *, only_known: bool) -> NightlyExport:
        """The table on the night of a day; ``only_known`` leaves out what no flight has named so far."""
        lines = []
        for record in self._records:
            last = used.get(record[0])
            if record[0] in used or not only_known:
                lines.append(self._layout.line([*record, last.isoformat() if last else MISSING]))
        content = (self._layout.header + "".join(lines)).encode()
        return NightlyExport("air_traffic", self._table, day, f"{self._table}.csv", content, len(lines))


class _Observations:
    """The weather service's table; it holds no text that could be empty, so an empty field is NULL."""

    def __init__(self) -> None:
        lines = text_lines("weather")
        columns = parse([next(lines)])[0]
        self._layout = Layout(columns, [], "")
        self._days = lines_by_day(lines, columns)
        self._arrived = GrowingGzip(self._layout.header)
        self._rows = 0

    def arrive(self, day: date) -> None:
        """The observations of a day have been delivered."""
        records = parse(self._days.pop(day, []))
        self._arrived.extend("".join(map(self._layout.line, records)))
        self._rows += len(records)

    def export(self, day: date) -> NightlyExport:
        """The table on the night of a day."""
        return NightlyExport(
            "weather", "observations", day, "observations.csv.gz", self._arrived.finished(), self._rows
        )


def exports(nights: Sequence[date]) -> Iterator[NightlyExport]:
    """The exports of these nights, in order: every table of both services for each."""
    flights, observations = _Flights(), _Observations()
    planes = _Register("planes", ["tailnum", "type", "manufacturer", "model", "engine"], "last_flown")
    airlines = _Register("airlines", ["carrier", "name"], "last_flown")
    airports = _Register("airports", ["faa", "name", "dst", "tzone"], "last_served")
    wanted = set(nights)
    for ordinal in range(date(YEAR, 1, 1).toordinal(), max(nights).toordinal() + 1):
        day = date.fromordinal(ordinal)
        flights.open(day)
        if day in wanted:
            yield flights.export(day)
            yield planes.export(day, flights.planes, only_known=True)
            yield airlines.export(day, flights.airlines, only_known=True)
            yield airports.export(day, flights.airports, only_known=False)
            yield observations.export(day)
        flights.close()
        observations.arrive(day)
