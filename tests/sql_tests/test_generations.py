"""What the names in a transform's SQL mean in a test is what they mean to a run of its generation."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from tests.sql_tests.suites import Suite

THREE_NIGHTS = """\
      wards:
        - {code: old, import_date: 20131229}
        - {code: mine, import_date: 20131230}
        - {code: also mine, import_date: 2013-12-30}
        - {code: later, import_date: 20131231}
"""


def passed(
    suite: Suite, root: Path, sql: str, tests: str, service: str = "sources: {wards: {columns: {code: string}}}"
) -> bool:
    """Whether the one test of a transform passes; it is named like the test."""
    outcome, errors = suite.run(
        root, {"air/service.yml": service, "air/refined/costs.sql": sql, "costs.yml": f"tests:\n  a:\n{tests}"}
    )
    assert (errors, outcome["a"].mistake) == ([], None)
    return outcome["a"].passed


@pytest.mark.parametrize(
    ("generation", "codes"),
    [
        ("generation: 2013-12-28", "[]"),
        ("generation: 2013-12-29", "[{code: old}]"),
        ("generation: 20131230", "[{code: mine}, {code: also mine}]"),
        ("generation: 2014-01-01", "[{code: later}]"),
        ("generation: ", "[{code: later}]"),
    ],
)
def test_a_current_view_shows_the_newest_generation_up_to_the_runs(
    suite: Suite, tmp_path: Path, generation: str, codes: str
) -> None:
    tests = f"    {generation}\n    given:\n{THREE_NIGHTS}    expect: {codes}\n"
    assert passed(suite, tmp_path, "SELECT code FROM wards", tests)


@pytest.mark.parametrize(
    ("generation", "nights"),
    [("2013-12-28", 0), ("2013-12-29", 1), ("2013-12-30", 3), ("2013-12-31", 4), ("2014-01-01", 4)],
)
def test_a_history_ends_at_the_runs_generation(suite: Suite, tmp_path: Path, generation: str, nights: int) -> None:
    tests = f"    generation: {generation}\n    given:\n{THREE_NIGHTS}    expect: [{{n: {nights}}}]\n"
    assert passed(suite, tmp_path, "SELECT count(*) AS n FROM wards_history", tests)


def test_the_generation_columns_are_there(suite: Suite, tmp_path: Path) -> None:
    sql = """SELECT code, concat(import_year, '-', import_month, '-', import_day) AS day, import_date AS date
      FROM wards_history"""
    tests = """\
    generation: 2013-12-31
    given:
      wards_history:
        - {code: A, import_date: 20130102}
        - {code: B}
        - {code: C, import_year: 2013, import_date: old}
    expect:
      - {code: A, day: 2013-01-02, date: 20130102}
      - {code: B, day: 2013-12-31, date: 20131231}
      - {code: C, day: 2013--, date: old}
"""
    assert passed(suite, tmp_path, sql, tests)


def test_newest_by_subquery_is_the_runs_generation(suite: Suite, tmp_path: Path) -> None:
    sql = "SELECT code FROM wards_history WHERE import_date = (SELECT max(import_date) FROM wards_history)"
    tests = f"    generation: 2013-12-29\n    given:\n{THREE_NIGHTS}    expect: [{{code: old}}]\n"
    assert passed(suite, tmp_path, sql, tests)


def test_partitions_are_those_of_the_rows(suite: Suite, tmp_path: Path) -> None:
    sql = 'SELECT import_date AS night FROM "wards_history$partitions"'
    tests = "    given: {wards: [{code: A, import_date: 20130102}, {code: B, import_date: 20130102}]}\n"
    assert passed(suite, tmp_path, sql, tests + "    expect: [{night: 20130102}]\n")


def test_the_own_history_ends_before_the_run(suite: Suite, tmp_path: Path) -> None:
    sql = """SELECT w.code, count(c.code) AS before FROM wards w
      LEFT JOIN air_refined_zone.costs_history c ON c.code = w.code GROUP BY w.code"""
    tests = """\
    generation: 2013-12-31
    given:
      wards: [{code: A}]
      air_refined_zone.costs_history: [{code: A, import_date: 20131230}, {code: A, import_date: 20131231}]
    expect: [{code: A, before: 1}]
"""
    assert passed(suite, tmp_path, sql, tests)


def test_names_are_those_of_the_service(suite: Suite, tmp_path: Path) -> None:
    service = "naming: latest\ngeneration_columns: {prefix: load}\nsources: {wards: {columns: {code: string}}}"
    sql = "SELECT (SELECT count(*) FROM wards) AS all_rows, (SELECT count(*) FROM wards_latest) AS newest"
    rows = "[{code: A, load_date: 20130101}, {code: B, load_date: 20130102}]"
    tests = f"    given: {{wards_latest: {rows}}}\n    expect: [{{all_rows: 2, newest: 1}}]\n"
    assert passed(suite, tmp_path, sql, tests, service)


def test_a_table_without_generations_is_read_as_it_is(suite: Suite, tmp_path: Path) -> None:
    service = "external: {raw: {rates: {generations: false, columns: {rate: double}}}}"
    tests = "    generation: 1999-01-01\n    given: {rates: [{rate: 1}, {rate: 2}]}\n    expect: [{sum: 3}]\n"
    assert passed(suite, tmp_path, "SELECT sum(rate) AS sum FROM rates", tests, service)


@pytest.mark.parametrize(
    ("said", "today", "moment"),
    [
        ("", "2000-01-01", "2000-01-01 00:00:00"),
        ("generation: 2013-12-31", "2013-12-31", "2013-12-31 00:00:00"),
        ("now: 2014-01-01 06:30", "2014-01-01", "2014-01-01 06:30:00"),
        ("{generation: 2013-12-31, now: 2014-01-01T01:30:00+02:00}", "2013-12-31", "2013-12-31 23:30:00"),
    ],
)
def test_the_clock_says_what_the_test_says(suite: Suite, tmp_path: Path, said: str, today: str, moment: str) -> None:
    sql = """SELECT current_date AS today, CAST(now() AS timestamp) AS moment,
      format_datetime(current_timestamp, 'yyyyMMdd') AS date, date_diff('day', code, current_date) AS days
      FROM (SELECT date '1999-12-31' AS code FROM wards)"""
    lines = "".join(f"    {part}\n" for part in said.strip("{}").split(", ") if part)
    tests = f"{lines}    given: {{wards: [{{code: A}}]}}\n"
    tests += f"    expect: [{{today: {today}, moment: '{moment}', date: '{today.replace('-', '')}'}}]\n"
    assert passed(suite, tmp_path, sql, tests)


def test_a_product_is_a_table_like_any_other(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/refined/dear.sql": "SELECT name, cost FROM air_refined_zone.costs WHERE size = 'large'",
        "dear.yml": """\
tests:
  a:
    given: {air_refined_zone.costs: [{name: Bow, cost: 1000, size: large}, {name: W1, cost: 1, size: small}]}
    expect: [{name: Bow, cost: 1000}]
""",
    }
    assert suite.passed(tmp_path, files) == {"a": True}


def test_a_table_of_which_nobody_knows_the_columns_is_described_by_the_test(suite: Suite, tmp_path: Path) -> None:
    sql = {"air/refined/read.sql": "SELECT id, upper(kind) AS kind FROM meters"}
    meters = "{columns: {id: bigint, kind: string}, rows: [{id: 1, kind: a}]}"
    known = f"tests: {{a: {{given: {{meters: {meters}}}, expect: [{{kind: A}}]}}}}"
    assert suite.passed(tmp_path, {**sql, "read.yml": known}) == {"a": True}
    mistake = suite.mistake(tmp_path, {**sql, "read.yml": "tests: {a: {given: {meters: []}, expect: []}}"})
    assert (mistake.code, mistake.line) == ("unknown-columns", 1)
    assert "given: {meters: {columns:" in str(mistake.hint)
    assert "dapflow columns air.raw.meters" in str(mistake.hint)


def test_the_names_of_another_environment_mean_the_same(suite: Suite, tmp_path: Path) -> None:
    service = "databases: {raw: {prod: air-prod, staging: air-stg}}\nsources: {wards: {columns: {code: string}}}"
    tests = "    given: {'\"air-prod\".wards': [{code: A}]}\n    expect: [{code: A}]\n"
    assert passed(suite, tmp_path, 'SELECT code FROM "air-stg".wards', tests, service)


def test_the_same_table_is_given_once(suite: Suite, tmp_path: Path) -> None:
    tests = "tests:\n  a:\n    given: {repairs: [], wards: [], repairs_history: []}\n    expect: []\n"
    mistake: DapflowError = suite.mistake(tmp_path, {"costs.yml": tests})
    assert (mistake.code, mistake.line, mistake.column) == ("duplicate-key", 3, 37)


@pytest.mark.parametrize(
    ("source", "generation", "refused"),
    [
        ("wards", "2013-12-31", False),
        ("wards_history", "2013-12-31", True),
        ("wards_history", "2013-12-29", False),
        ("wards", "2014-01-01", True),
    ],
)
def test_rows_that_a_run_would_not_publish_fail(
    suite: Suite, tmp_path: Path, source: str, generation: str, refused: bool
) -> None:
    """The transform puts out the generation columns itself: those of its rows must be the run's."""
    columns = "import_year, import_month, import_day, import_date"
    sql = f"SELECT code, {columns} FROM {source} WHERE code <> 'also mine'"
    nights = THREE_NIGHTS.replace("mine, import_date: 2013-12-30", "mine, import_date: 20131230")
    codes = {"wards": "[{code: later}]", "wards_history": "[{code: old}, {code: mine}, {code: later}]"}[source]
    expect = "[{code: old}]" if generation == "2013-12-29" else codes
    tests = f"    generation: {generation}\n    given:\n{nights}    expect: {expect}\n"
    files = {
        "air/service.yml": "sources: {wards: {columns: {code: string}}}",
        "air/refined/costs.sql": sql,
        "costs.yml": f"tests:\n  a:\n{tests}",
    }
    outcomes, _ = suite.run(tmp_path, files)
    assert outcomes["a"].difference is None
    assert ("[wrong-generation]" in str(outcomes["a"].failure)) == refused
