"""How a difference is shown."""

from __future__ import annotations

from collections.abc import Sequence

from dapflow.sql_tests.comparison import Row, difference
from dapflow.sql_tests.report import difference_lines
from dapflow.trino.types import BIGINT, DOUBLE, VARCHAR

COLUMNS = [("ward", VARCHAR), ("repairs", BIGINT), ("cost", DOUBLE)]


def lines(expected: Sequence[Row], came: Sequence[Row], *, ordered: bool = False) -> list[str]:
    found_difference = difference(COLUMNS, expected, came, ordered=ordered)
    assert found_difference is not None
    return difference_lines(found_difference)


def test_rows_that_are_alike_are_put_beside_each_other() -> None:
    expected = [("E05", 1, 2.5), ("W1", 7, None), ("N1", 1, 1.0)]
    came = [("W1", None, None), ("E05", 1, 2.5), ("null", 9, 9.0)]
    assert lines(expected, came) == [
        "3 rows expected, 3 came, 1 of them as expected",
        "row 2, ward = 'W1', cost = NULL",
        "  repairs: expected 7, came NULL",
        "row 3 did not come: ward = 'N1', repairs = 1, cost = 1.0",
        "not expected: ward = 'null', repairs = 9, cost = 9.0",
    ]


def test_rows_in_order_are_compared_in_order() -> None:
    expected = [("A", 1, 1.0), ("B", 1, 1.0)]
    assert lines(expected, [("B", 1, 1.0), ("A", 1, 1.0), ("A", 1, 1.0)], ordered=True) == [
        "2 rows expected, 3 came, 0 of them as expected",
        "row 1, repairs = 1, cost = 1.0",
        "  ward: expected 'A', came 'B'",
        "row 2, repairs = 1, cost = 1.0",
        "  ward: expected 'B', came 'A'",
        "not expected: ward = 'A', repairs = 1, cost = 1.0",
    ]


def test_long_texts_are_shown_where_they_differ_and_lines_stay_short() -> None:
    text = "a line\n" * 40
    shown = lines([(text + "end", 1, 1.0)], [(text + "END", 1, 1.0)])
    assert shown[2:] == ["  ward", *shown[3:]]
    expected, came = shown[3].split("expected ")[1], shown[4].split("came     ")[1]
    assert expected.endswith("a line\\nend'")
    assert came.endswith("a line\\nEND'")
    assert max(map(len, shown)) <= 78


def test_many_rows_are_counted() -> None:
    shown = lines([], [("A" * 200, i, 1.0) for i in range(300)])
    assert (len(shown), shown[0]) == (12, "no rows expected, 300 came, 0 of them as expected")
    assert shown[-1] == "… and 290 more rows were not expected"
    assert max(map(len, shown)) <= 78
