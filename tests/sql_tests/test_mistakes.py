"""Mistakes in the files of tests: each has its place, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.project import compile_project
from dapflow.sql_tests.suite import mistakes_in_tests
from tests.project.writing import write_project
from tests.sql_tests.suites import SERVICE, Suite

# Where the mistake is said to be.
MARK = "§"
GIVEN = "given: {repairs: [], wards: []}"


@pytest.mark.parametrize(
    ("marked", "code", "said"),
    [
        ("§test: {}", "unknown-key", "did you mean 'tests'?"),
        ("§model: costs", "unknown-key", "write transform"),
        ("tests: {a: {§inputs: {}}}", "unknown-key", "write given"),
        ("tests: {a: {given: {wards: {§row: []}}, expect: []}}", "unknown-key", "did you mean 'rows'?"),
        (f"tests: {{a: {{{GIVEN}, expect: {{§partial: true, rows: []}}}}}}", "unknown-key", "known keys"),
        ("tests: {§a: {}}", "bad-value", "there is nothing under test 'a'"),
        ("tests: §[a]", "yaml-type", "must be a mapping"),
        (f"tests: {{§a: {{{GIVEN}}}}}", "bad-value", "expects nothing"),
        (f"tests: {{a: {{{GIVEN}, §error: X, expect: []}}}}", "bad-value", "rows and an error"),
        (f"tests: {{a: {{{GIVEN}, error: §division by zero}}}}", "bad-value", "no name of an error"),
        (f"tests:\n  a: {{{GIVEN}, expect: []}}\n  §a: {{}}", "duplicate-key", "first in line 2"),
        ("transform: §cost\ntests: {}", "unknown-tested", "did you mean costs?"),
        (f"tests: {{a: {{generation: §2013-13-01, {GIVEN}, expect: []}}}}", "bad-value", "2013-13-01"),
        (f"tests: {{a: {{now: §noon, {GIVEN}, expect: []}}}}", "bad-value", "no moment"),
        (f"tests: {{a: {{{GIVEN}, expect: {{tolerance: §-1}}}}}}", "bad-value", "0 or more"),
        ("tests: {a: {given: {§ward: []}, expect: []}}", "unknown-input", "did you mean 'wards'?"),
        ("tests: {§a: {given: {wards: []}, expect: []}}", "not-given", "repairs: []"),
        ("tests: {a: {given: {wards: §wards}, expect: []}}", "bad-value", "the name of a CSV file"),
        ("tests: {a: {given: {wards: §1}, expect: []}}", "yaml-type", "must be text"),
        ("tests: {a: {given: {wards: [§1]}, expect: []}}", "yaml-type", "must be a mapping"),
        (
            "tests: {a: {given: {repairs: [], wards: [{§cod: E05}]}, expect: []}}",
            "unknown-column",
            "did you mean 'code'?",
        ),
        (
            "tests: {a: {given: {repairs: [], wards: [{code: E05, §CODE: E06}]}, expect: []}}",
            "duplicate-key",
            "column 'code' stands in the row twice",
        ),
        (
            "tests: {a: {given: {repairs: [], wards: [{import_day: §01}]}, expect: []}}",
            "bad-value",
            "write import_date",
        ),
        (
            "tests: {a: {given: {repairs: [], wards: {columns: {code: §text}, rows: []}}, expect: []}}",
            "bad-column-type",
            "write string",
        ),
        (
            "tests: {a: {given: {repairs: [], wards: {§columns: {code: string}}}, expect: []}}",
            "bad-value",
            "delete columns",
        ),
        (f"tests: {{a: {{{GIVEN}, expect: [{{§wards: x}}]}}}}", "unknown-column", "did you mean 'ward'?"),
        (f"tests: {{a: {{{GIVEN}, expect: [{{ward: x}}, {{name: §x}}]}}}}", "bad-value", "this row names no ward"),
        (f"tests: {{a: {{{GIVEN}, expect: [{{repairs: §many}}]}}}}", "bad-value", "not of the type bigint"),
        (f"tests: {{a: {{{GIVEN}, expect: {{rows: [], §ordered: true}}}}}}", "bad-value", "no ORDER BY"),
        ("", "bad-value", "there are no tests in it"),
        ("tests: {a: {given: §", "yaml-syntax", "not YAML"),
    ],
)
def test_a_mistake_has_a_place_and_a_remedy(suite: Suite, tmp_path: Path, marked: str, code: str, said: str) -> None:
    text, (before, _, after) = marked.replace(MARK, ""), marked.partition(MARK)
    place = (before.count("\n") + 1, len(before) - before.rfind("\n")) if before or after else (None, None)
    mistake = suite.mistake(tmp_path, {"costs.yml": text})
    assert mistake.file == "transforms/air/tests/costs.yml"
    assert (mistake.code, (mistake.line, mistake.column)) == (code, place)
    assert said in f"{mistake.message} {mistake.hint}"
    # What is no value of its type is seen when the rows are made, and all else before.
    seen = mistakes_in_tests(tmp_path, compile_project(tmp_path), {})
    assert [str(other) for other in seen] == ([] if "not of the type" in said else [str(mistake)])


def test_a_file_without_its_transform_is_a_mistake(suite: Suite, tmp_path: Path) -> None:
    mistake = suite.mistake(tmp_path, {"cots.yml": f"tests: {{a: {{{GIVEN}, expect: []}}}}"})
    assert (mistake.code, mistake.file) == ("unknown-tested", "transforms/air/tests/cots.yml")
    assert "did you mean costs?" in str(mistake.hint)


def test_a_file_with_another_ending_is_not_left_unread(suite: Suite, tmp_path: Path) -> None:
    mistake = suite.mistake(tmp_path, {"costs.yaml": "tests: {}"})
    assert (mistake.code, mistake.hint) == ("misplaced-file", "rename it to costs.yml")


def test_other_tests_of_a_file_are_run_beside_one_with_a_mistake(suite: Suite, tmp_path: Path) -> None:
    text = f"tests:\n  a: {{{GIVEN}, expect: []}}\n  b: {{{GIVEN}, expct: []}}\n  c: {{{GIVEN}, expect: []}}\n"
    outcomes, errors = suite.run(tmp_path, {"costs.yml": text, "more.yml": f"transform: refined.costs\n{text}"})
    assert [(error.code, error.line) for error in errors] == [("unknown-key", 3), ("unknown-key", 4)]
    assert {name: outcome.passed for name, outcome in outcomes.items()} == {"a": True, "c": True}


def test_columns_that_a_test_gives_are_those_that_the_transform_reads(tmp_path: Path) -> None:
    text = "tests:\n  a: {given: {meters: {columns: {id: int}, rows: [{id: 1}]}}, expect: [{id: 1}]}\n"
    files: dict[str, str | bytes] = {
        "air/service.yml": SERVICE,
        "air/refined/x.sql": "SELECT id, kind FROM meters",
        "air/tests/x.yml": text,
    }
    [mistake] = mistakes_in_tests(tmp_path, compile_project(write_project(tmp_path, files)), {})
    assert (mistake.code, mistake.line, mistake.column) == ("unknown-column", 2, 3)
    assert "with the columns that the test gives, x is refused: COLUMN_NOT_FOUND: line 1:12: Column" in mistake.message
