"""The record of benchmarks keeps what was not measured."""

from __future__ import annotations

import pytest

from tests.bench.__main__ import PAGE
from tests.bench.figure import Figure
from tests.bench.record import recorded

TAKEN = Figure("SELECT 1 through the API", "ms", (9.0, 10.0, 12.0), 15, "start, poll, get the result")
NEW = Figure("SELECT 2", "ms", (1.0,))


def test_a_figure_takes_the_place_of_the_one_of_its_name() -> None:
    page = PAGE.read_text(encoding="utf-8")

    changed = recorded(page, [TAKEN, NEW], "2030-01-02, fast").splitlines()

    row = (
        "| SELECT 1 through the API | 10 ms | 9 to 12 | 3 | ≤ 15 ms | start, poll, get the result | 2030-01-02, fast |"
    )
    before = page.splitlines()
    place = next(number for number, line in enumerate(before) if line.startswith("| SELECT 1 through the API |"))
    added = changed.index("| SELECT 2 | 1 ms | 1 to 1 | 1 |  |  | 2030-01-02, fast |")
    assert changed[place] == row
    assert changed[:place] + changed[place + 1 : added] + changed[added + 1 :] == before[:place] + before[place + 1 :]


def test_a_page_without_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no table"):
        recorded("# Benchmarks\n", [NEW], "2030-01-02")
