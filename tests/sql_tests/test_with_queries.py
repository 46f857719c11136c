"""A WITH query of a transform, tested by itself, and errors that are expected."""

from __future__ import annotations

from pathlib import Path

from tests.sql_tests.suites import Suite

WITH = """\
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3),
doubled (twice, name) AS (SELECT 2 * n, w.name FROM numbers CROSS JOIN wards w),
outer_rows AS (WITH inner_rows AS (SELECT * FROM doubled) SELECT twice FROM inner_rows WHERE twice > 2),
dear AS (SELECT sum(cost) AS cost FROM repairs),
late AS (SELECT 1 / (n - 1) AS q FROM numbers)
SELECT q FROM late, dear
"""


def test_a_with_query_gives_its_own_rows(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/refined/numbers.sql": WITH,
        "numbers.yml": """\
tests:
  recursive: {cte: numbers, expect: [{n: 1}, {n: 2}, {n: 3}]}
  named columns: {cte: DOUBLED, given: {wards: [{name: Bow}]}, expect: [{twice: 4}, {twice: 6}, {twice: 2}]}
  with one of its own: {cte: outer_rows, given: {wards: [{name: Bow}]}, expect: [{twice: 4}, {twice: 6}]}
  only what it reads: {cte: dear, given: {repairs: [{cost: 2}]}, expect: [{cost: 2}]}
  fails: {cte: late, error: DIVISION_BY_ZERO}
  all: {given: {repairs: []}, error: DIVISION_BY_ZERO}
""",
    }
    passed = suite.passed(tmp_path, files)
    assert passed == dict.fromkeys(passed, True)
    assert len(passed) == 6


def test_an_error_that_is_expected_must_come(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/refined/day.sql": "SELECT CAST(ward AS date) AS day FROM repairs",
        "day.yml": """\
tests:
  it comes: {given: {repairs: [{ward: x}]}, error: INVALID_CAST_ARGUMENT}
  another comes: {given: {repairs: [{ward: x}]}, error: DIVISION_BY_ZERO}
  none comes: {given: {repairs: [{ward: 2013-12-31}]}, error: INVALID_CAST_ARGUMENT}
""",
    }
    outcomes, errors = suite.run(tmp_path, files)
    assert errors == []
    assert {name: outcome.failure for name, outcome in outcomes.items()} == {
        "it comes": None,
        "another comes": "expected the error DIVISION_BY_ZERO, came INVALID_CAST_ARGUMENT: "
        "Value cannot be cast to date: x",
        "none comes": "expected the error INVALID_CAST_ARGUMENT, came one row",
    }


def test_an_error_that_is_not_expected_stands_where_the_sql_does(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/refined/day.sql": "SELECT CAST(ward AS date) AS day,\n  upper(cost) AS x FROM repairs",
        "day.yml": "tests: {a: {given: {repairs: [{ward: x}]}, expect: []}}",
    }
    mistake = suite.mistake(tmp_path, files)
    place = (mistake.file, mistake.line, mistake.column)
    assert (mistake.code, place) == ("wrong-arguments", ("transforms/air/refined/day.sql", 2, 3))


def test_a_with_query_that_is_not_there_is_a_mistake(suite: Suite, tmp_path: Path) -> None:
    tests = "tests:\n  a:\n    cte: total\n    given: {repairs: [], wards: []}\n    expect: []\n"
    mistake = suite.mistake(tmp_path, {"costs.yml": tests})
    assert (mistake.code, mistake.line, mistake.column, mistake.hint) == (
        "unknown-cte",
        3,
        10,
        "did you mean 'totals'?",
    )


def test_rows_of_a_with_query_have_no_order(suite: Suite, tmp_path: Path) -> None:
    tests = (
        "tests:\n  a:\n    given: {repairs: [], wards: []}\n    cte: totals\n    expect: {ordered: true, rows: []}\n"
    )
    mistake = suite.mistake(tmp_path, {"costs.yml": tests})
    assert (mistake.code, mistake.line, mistake.column) == ("bad-value", 5, 14)
