"""Generations: read, printed, ordered."""

from __future__ import annotations

import pytest

from dapflow.errors import DapflowError
from dapflow.manifest import GenerationColumns
from dapflow.runtime.generation import Generation, newest


@pytest.mark.parametrize("text", ["2013-12-31", "20131231", " 2013-12-31\n"])
def test_both_spellings_are_read(text: str) -> None:
    generation = Generation.parse(text)
    assert (str(generation), generation.key) == ("2013-12-31", "20131231")
    assert generation.values == ("2013", "12", "31", "20131231")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2013-1-1",
        "2013-13-01",
        "2013-02-30",
        "31/12/2013",
        "2013-W52-1",
        "201312",
        "2013-12-31T00:00",
        "latest",
        "٢٠١٣١٢٣١",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DapflowError) as caught:
        Generation.parse(text)
    assert caught.value.code == "generation"
    assert "2013-12-31" in str(caught.value.hint)


def test_a_day_that_no_calendar_has_is_called_so() -> None:
    with pytest.raises(DapflowError, match="'2024-02-30' is a day that no calendar has"):
        Generation.parse("2024-02-30")


def test_default_columns() -> None:
    generation, columns = Generation.parse("2014-01-05"), GenerationColumns()
    assert generation.path(columns) == "import_year=2014/import_month=01/import_day=05/import_date=20140105"
    assert generation.predicate(columns) == (
        "\"import_year\" = '2014' AND \"import_month\" = '01' AND \"import_day\" = '05' "
        "AND \"import_date\" = '20140105'"
    )


def test_configured_columns() -> None:
    columns = GenerationColumns("transform", ("region", "team"))
    generation = Generation.parse("2014-01-05")
    assert generation.path(columns).startswith("transform_year=2014/")
    assert columns.partition_names[3:] == ("transform_date", "region", "team")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (("2014", "01", "05", "20140105"), "2014-01-05"),
        (("2014", "1", "5", "20140105", "north"), "2014-01-05"),
        (("2014", "1", "5", "2014-01-05"), "2014-01-05"),
        (("2014", "1", "5", "?"), "2014-01-05"),
        (("2014", "13", "5", "?"), None),
        (("__HIVE_DEFAULT_PARTITION__",) * 4, None),
    ],
)
def test_partition_values_of_other_writers(values: tuple[str, ...], expected: str | None) -> None:
    generation = Generation.of_values(values)
    assert (str(generation) if generation else None) == expected


def test_the_newest_not_after_a_day() -> None:
    days = [Generation.parse(text) for text in ("2013-12-31", "2014-01-02", "2013-11-30")]
    assert newest(days) == days[1]
    assert newest(days, not_after=Generation.parse("2014-01-01")) == days[0]
    assert newest(days, not_after=Generation.parse("2010-01-01")) is None
    assert newest([]) is None
