"""Rows on a terminal: what is cut, what is left out and said to be, and what never is."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from dapflow.cli.result_table import Heading, lines_of

COLUMNS = [
    ("tailnum", "varchar"), ("year", "integer"), ("manufacturer", "varchar"), ("model", "varchar"),
    ("hours_in_the_air", "double"), ("flights", "bigint"), ("seen", "timestamp(3)"), ("remarks", "varchar"),
]  # fmt: skip
ROW = ["N10156", "2004", "EMBRAER, a name that goes on and on", "EMB-145XR", "1234.5", "153", "2013-01-01 05:00:00.000"]
HEADINGS = [Heading.of_type(*column) for column in COLUMNS]


def shown(rows: list[list[str | None]], width: int, *columns: tuple[str, str]) -> list[str]:
    return list(lines_of([Heading.of_type(*column) for column in columns or COLUMNS], rows, width))


def test_80_columns() -> None:
    lines = shown([[*ROW, None]] * 6, 80)
    assert lines[:3] == [
        "tailnum  year  manufacturer                 model      hours_in_the_air  flights",
        "varchar  int…  varchar                      varchar              double   bigint",
        "N10156   2004  EMBRAER, a name that goes …  EMB-145XR            1234.5      153",
    ]
    assert lines[-1] == "Left out for lack of room: seen, remarks"
    assert len(lines) == 2 + 6 + 1


def test_60_columns() -> None:
    lines = shown([[*ROW, None]] * 6, 60)
    assert lines[2] == "N10156   2004  EMBRAER, a …  EMB-145XR       1234.5      153"
    assert lines[-1] == "Left out for lack of room: seen, remarks"


@pytest.mark.parametrize("width", [80, 60])
def test_few_rows_are_shown_one_below_the_other(width: int) -> None:
    lines = shown([[*ROW, "NULL"], [*ROW, None]], width)
    assert lines[:9] == [
        "row 1",
        "tailnum           N10156",
        "year              2004",
        "manufacturer      EMBRAER, a name that goes on and on",
        "model             EMB-145XR",
        "hours_in_the_air  1234.5",
        "flights           153",
        "seen              2013-01-01 05:00:00.000",
        "remarks           'NULL'",
    ]
    assert (lines[9], lines[-1]) == ("row 2", "remarks           NULL")


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("rows", [1, 20])
def test_numbers_are_never_cut_and_no_line_is_wider_than_the_terminal(width: int, rows: int) -> None:
    numbers = [
        "12345678901234567890",
        "-1.7976931348623157E308",
        "99999999999999999999.99",
        "2013-12-31",
        "4929123456781234",
    ]
    columns = [
        ("text", "varchar"),
        ("n", "bigint"),
        ("f", "double"),
        ("d", "decimal(22,2)"),
        ("day", "date"),
        ("card", "varchar"),
    ]
    lines = shown([["some words " * 9, *numbers]] * rows, width, *columns)
    assert all(cell_len(line) <= width for line in lines)
    left_out = " ".join(lines).partition("Left out for lack of room: ")[2]
    for (name, _), number in zip(columns[1:], numbers, strict=True):
        assert sum(number in line for line in lines) == (0 if name in left_out.split(", ") else rows)


def test_a_number_alone_is_wider_than_any_terminal() -> None:
    assert shown([["1" * 50]], 40, ("n", "bigint"))[-1] == "1" * 50


def test_null_and_the_texts_that_look_like_it() -> None:
    lines = shown([[None], ["NULL"], ["'NULL'"], [""], ["null"], ["NULLS"]], 80, ("a", "varchar"))
    assert lines[2:] == ["NULL", "'NULL'", "''NULL''", "", "null", "NULLS"]


def test_where_nobody_looks_nothing_is_cut_or_left_out() -> None:
    lines = shown([[*ROW, "x" * 500]], 100_000)
    assert lines[2].split()[-1] == "x" * 500
    assert len(lines) == 3


def test_wide_letters_and_line_breaks_keep_the_columns_in_line() -> None:
    lines = shown([["日本語", "1"], ["a\nb\x1b[31m", "2"]], 80, ("t", "varchar"), ("n", "integer"))
    assert [cell_len(line) for line in lines[1:]] == [cell_len(lines[1])] * 3
    assert lines[3].startswith("a␤b [31m")


def test_what_is_no_result_of_athena_has_no_line_of_types() -> None:
    assert list(lines_of([Heading("dataset", whole=True), Heading("rows", number=True)], [["x", "1,000"]], 80)) == [
        "dataset   rows",
        "x        1,000",
    ]


def test_ten_thousand_rows_are_all_there() -> None:
    assert sum(1 for _ in lines_of(HEADINGS, [[*ROW, None]] * 10_000, 80)) == 10_003
