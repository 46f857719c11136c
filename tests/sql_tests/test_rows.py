"""Which rows a test gives and expects."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sql_tests.suites import Suite

GIVEN = """\
      repairs: [{ward: E05, cost: 20.5}, {ward: E05, cost: 1}, {ward: W1}]
      wards: [{code: E05, name: Bow}]
"""
TYPES = """\
external:
  raw:
    things:
      generations: false
      columns:
        flag: boolean
        tiny: tinyint
        small: smallint
        number: integer
        long: bigint
        single: real
        exact: decimal(38,10)
        share: double
        letters: string
        short: varchar(5)
        padded: char(4)
        bytes: binary
        day: date
        moment: timestamp
        list: array<int>
        words: map<string,double>
        person: struct<name:string,born:date,tags:array<string>>
"""
WRITTEN = """\
          - flag: true
            tiny: -128
            small: 7
            number: 2147483647
            long: "-9223372036854775808"
            single: 0.5
            exact: 1234567890123456789012345678.0123456789
            share: 1e-7
            letters: 'null'
            short: 0123
            padded: ab
            bytes: Ä
            day: 2013-12-31
            moment: 2013-12-31 23:59:59.123
            list: [1, null, 3]
            words: {b: 2, a: NaN}
            person: {name: "", born: 1970-01-01, tags: []}
          - {flag: null, letters: ""}
"""


def test_rows_come_in_any_order_and_some_columns_are_enough(suite: Suite, tmp_path: Path) -> None:
    tests = f"""\
tests:
  all columns:
    given:
{GIVEN}
    expect:
      - {{ward: W1, name: unknown, cost: null, repairs: 1, size: none}}
      - {{ward: E05, name: Bow, cost: 21.50, repairs: 2, size: small}}
  some columns:
    given:
{GIVEN}
    expect: [{{SIZE: small, repairs: 2}}, {{size: none, repairs: 1}}]
  another value:
    given:
{GIVEN}
    expect: [{{size: small, repairs: 3}}, {{size: none, repairs: 1}}]
  a row too few:
    given:
{GIVEN}
    expect: [{{size: small}}]
  rows where none are expected:
    given:
{GIVEN}
    expect: []
  NULL is no text:
    given:
{GIVEN}
    expect: [{{cost: null}}, {{cost: 21.5}}]
"""
    passed = suite.passed(tmp_path, {"costs.yml": tests})
    expected = {"all columns": True, "some columns": True, "NULL is no text": True}
    assert passed == {**dict.fromkeys(passed, False), **expected}


def test_equal_rows_count(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/refined/wide.sql": "SELECT ward FROM repairs ORDER BY ward DESC",
        "wide.yml": """\
tests:
  twice: {given: {repairs: [{ward: A}, {ward: A}]}, expect: [{ward: A}, {ward: A}]}
  once: {given: {repairs: [{ward: A}, {ward: A}]}, expect: [{ward: A}]}
  in order: {given: {repairs: [{ward: A}, {ward: B}]}, expect: {rows: [{ward: B}, {ward: A}], ordered: true}}
  in another: {given: {repairs: [{ward: A}, {ward: B}]}, expect: {rows: [{ward: A}, {ward: B}], ordered: true}}
""",
    }
    assert suite.passed(tmp_path, files) == {"twice": True, "once": False, "in order": True, "in another": False}


def test_doubles_may_differ_where_it_is_said(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/refined/half.sql": "SELECT hours / 3 AS third FROM repairs",
        "half.yml": """\
tests:
  exactly: {given: {repairs: [{hours: 1}]}, expect: [{third: 0.333}]}
  nearly: {given: {repairs: [{hours: 1}]}, expect: {rows: [{third: 0.333}], tolerance: 0.001}}
  hardly: {given: {repairs: [{hours: 1}]}, expect: {rows: [{third: 0.33}], tolerance: 0.001}}
  NULL is never near: {given: {repairs: [{hours: 0}]}, expect: {rows: [{third: null}], tolerance: 10}}
""",
    }
    passed = suite.passed(tmp_path, files)
    assert passed == {"exactly": False, "nearly": True, "hardly": False, "NULL is never near": False}


def test_values_of_all_types_are_what_was_written(suite: Suite, tmp_path: Path) -> None:
    tests = f"tests:\n  all:\n    given:\n      things:\n{WRITTEN}    expect:\n{WRITTEN}"
    # A row that leaves columns out gives NULL; what is expected names all columns.
    names = [line.split(":")[0].strip(" -") for line in WRITTEN.splitlines()[:-1]]
    nulls = ", ".join(f"{name}: null" for name in names if name not in {"flag", "letters"})
    before, _, rest = tests.rpartition('{flag: null, letters: ""}')
    files = {
        "air/service.yml": TYPES,
        "air/refined/costs.sql": "SELECT 1 AS n",
        "air/refined/copy.sql": "SELECT * FROM things",
        "copy.yml": f'{before}{{flag: null, letters: "", {nulls}}}{rest}',
    }
    assert suite.passed(tmp_path, files) == {"all": True}


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("number", "12.5", "'12.5' is not of the type integer, which column 'number' has"),
        ("tiny", "128", "'128' is not of the type tinyint, which column 'tiny' has"),
        ("day", "31/12/2013", "'31/12/2013' is not of the type date, which column 'day' has"),
        ("day", "[1]", "column 'day' has the type date: one value is wanted, of type date"),
        ("exact", "0.12345678901", "is not of the type decimal(38,10)"),
        ("short", "abcdef", "is not of the type varchar(5)"),
        ("moment", "2013-12-31 23:59:59.1234", "is not of the type timestamp(3)"),
        ("list", "1", "column 'list' has the type array(integer): a list is wanted, [a, b]"),
        ("words", "[1]", "column 'words' has the type map(varchar, double): a mapping is wanted, {key: value}"),
        ("person", "{nam: x}", "there is no field 'nam'"),
        ("list", "[1, x]", "column 'list' has the type array(integer): Cannot cast 'x' to INT"),
        ("person", "{born: today}", "Value cannot be cast to date: today"),
    ],
)
def test_a_value_of_another_type_is_a_mistake_at_its_place(
    suite: Suite, tmp_path: Path, column: str, text: str, said: str
) -> None:
    files = {
        "air/service.yml": TYPES,
        "air/refined/costs.sql": "SELECT flag, number FROM things",
        "costs.yml": f"tests:\n  a:\n    given:\n      things: [{{flag: true, {column}: {text}}}]\n    expect: []\n",
    }
    mistake = suite.mistake(tmp_path, files)
    place = (mistake.file, mistake.line, mistake.column)
    assert (mistake.code, place) == ("bad-value", ("transforms/air/tests/costs.yml", 4, 31 + len(column)))
    assert said in mistake.message


def test_a_value_that_is_not_of_its_type_is_not_the_error_that_is_expected(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/service.yml": TYPES,
        "air/refined/costs.sql": "SELECT flag, list FROM things",
        "costs.yml": "tests: {a: {given: {things: [{list: [x]}]}, error: INVALID_CAST_ARGUMENT}}",
    }
    assert suite.mistake(tmp_path, files).file == "transforms/air/tests/costs.yml"


def test_values_that_no_table_holds_are_expected_all_the_same(suite: Suite, tmp_path: Path) -> None:
    files = {
        "air/refined/odd.sql": """WITH odd AS (
          SELECT now() AS moment, time '10:00:00' AS clock, interval '1' day AS day, json '{"a": 1}' AS document,
            map(ARRAY['b', 'a'], ARRAY[1, 2]) AS words, NULL AS nothing, 0e0 / 0e0 AS odd, "$path" AS path, uuid() AS id
          FROM wards_history)
        SELECT count(*) AS n FROM odd""",
        "odd.yml": """\
tests:
  a:
    cte: odd
    now: 2020-01-02 03:04:05.678
    given: {wards: [{code: A}]}
    expect:
      - moment: 2020-01-02 03:04:05.678 UTC
        clock: 10:00:00
        day: 1 00:00:00.000
        document: '{"a":1}'
        words: {a: 2, b: 1}
        nothing:
        odd: NaN
        path:
""",
    }
    assert suite.passed(tmp_path, files) == {"a": True}


def test_rows_stand_in_csv_files_as_well(suite: Suite, tmp_path: Path) -> None:
    files = {
        "costs.yml": """\
tests:
  files: {given: {repairs: repairs.csv, wards: {csv: wards.csv}}, expect: {csv: expected.csv}}
  the same: {given: {repairs: repairs.csv, wards: wards.csv}, expect: expected.csv}
""",
        "repairs.csv": 'ward,cost\r\nE05,20.50\r\nE05,\r\n"W""1",3\r\n',
        "wards.csv": 'name,code\n"Bow, East",E05\n"",W"1\n'.replace('W"1', '"W""1"'),
        "expected.csv": 'name,repairs,cost\n"Bow, East",2,20.5\n"",1,3',
    }
    assert suite.passed(tmp_path, files) == {"files": True, "the same": True}


@pytest.mark.parametrize(
    ("name", "text", "place", "code"),
    [
        ("repairs.cs", "ward\nA\n", ("costs.yml", 3), "unreadable-file"),
        ("repairs.csv", "ward,cost\nA\n", ("repairs.csv", 2), "csv"),
        ("repairs.csv", 'ward,cost\nA,1\n"A,1\n', ("repairs.csv", 3), "csv"),
        ("repairs.csv", "", ("repairs.csv", None), "csv"),
        ("repairs.csv", "ward,price\nA,1\n", ("repairs.csv", 1), "unknown-column"),
        ("repairs.csv", "ward,cost\nA,1\nB,one\n", ("repairs.csv", 3), "bad-value"),
    ],
)
def test_mistakes_in_csv_files_have_a_place(
    suite: Suite, tmp_path: Path, name: str, text: str, place: tuple[str, int | None], code: str
) -> None:
    tests = "tests:\n  a:\n    given: {wards: [], repairs: repairs.csv}\n    expect: []\n"
    mistake = suite.mistake(tmp_path, {"costs.yml": tests, name: text})
    assert (mistake.code, (Path(mistake.file or "").name, mistake.line)) == (code, place)


def test_what_is_no_number_is_written_as_in_yaml(suite: Suite, tmp_path: Path) -> None:
    row = "{letters: .nan, share: .nan, single: -.inf, words: {a: .INF, b: -Infinity}}"
    query = (
        "SELECT letters, is_nan(share) AS nan, single = -infinity() AS least, words['a'] > words['b'] AS more, share "
        "FROM things"
    )
    expected = "{letters: .nan, nan: true, least: true, more: true, share: NaN}"
    files = {
        "air/service.yml": TYPES,
        "air/refined/costs.sql": "SELECT 1 AS n",
        "air/refined/odd.sql": query,
        "odd.yml": f"tests: {{a: {{given: {{things: [{row}]}}, expect: [{expected}]}}}}",
    }
    assert suite.passed(tmp_path, files) == {"a": True}
