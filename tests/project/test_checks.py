"""What people may write under ``checks``, and what is said of mistakes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.manifest import Check, read_manifest
from dapflow.project import read_as_far_as_possible
from dapflow.review.transforms import review
from tests.project.writing import compile_files, write_project

SQL = "SELECT carrier, year, CAST(NULL AS double) AS share, current_date AS day FROM flights"
FILES = {
    "air/refined/x.sql": SQL,
    "water/service.yml": "sources: {tides: {columns: {level: integer}}}",
}
OWN = "air_refined_zone.x"


def compiled(tmp_path: Path, notes: str, **files: str) -> tuple[Check, ...]:
    """The checks of x, after a trip through the manifest file."""
    manifest = compile_files(tmp_path, {**FILES, "air/refined/x.yml": notes, **files})
    written = tmp_path / "manifest.json"
    written.write_text(manifest.to_json())
    read = read_manifest(written)
    assert read == manifest
    return read.datasets["air.refined.x"].checks


def test_a_check_of_a_column_is_one_for_each(tmp_path: Path) -> None:
    notes = "checks:\n  keys:\n    not_null: [Carrier, year]\n    unique: [carrier, year]\n"
    notes += "    severity: warn\n    where: year > 1\n"
    assert [(check.kind, check.columns, check.line, check.column) for check in compiled(tmp_path, notes)] == [
        ("not_null", ("carrier",), 3, 16),
        ("not_null", ("year",), 3, 25),
        ("unique", ("carrier", "year"), 4, 14),
    ]
    assert {(check.name, check.severity, check.where) for check in compiled(tmp_path, notes)} == {
        ("keys", "warn", "year > 1")
    }


def test_what_a_check_reads_is_waited_for(tmp_path: Path) -> None:
    notes = (
        "checks: {a: {relationships: {carrier: airlines}}, b: {sql: b.sql}}\ninputs: {airports: {on_missing: previous}}"
    )
    sql = f"SELECT 1 AS one FROM {OWN} now JOIN air_refined_zone.x_history h ON h.year = now.year CROSS JOIN airports"
    files = {**FILES, "air/refined/x.yml": notes, "air/checks/b.sql": sql}
    dataset = compile_files(tmp_path, files).datasets["air.refined.x"]  # type: ignore[arg-type]
    assert dataset.depends_on == ("air.raw.airlines", "air.raw.airports", "air.raw.flights")
    assert dataset.transform is not None and dataset.transform.slower_inputs == ("air.raw.airports",)
    (relationship, query) = dataset.checks
    assert (relationship.dataset, relationship.field) == ("air.raw.airlines", "carrier")
    assert [(reference.dataset, reference.kind) for reference in query.references] == [
        ("air.refined.x", "current"),
        ("air.refined.x", "history"),
        ("air.raw.airports", "current"),
    ]


def test_datasets_whose_checks_need_each_other_are_a_circle(tmp_path: Path) -> None:
    lines = [
        f"  {table}: {{columns: {{n: integer}}, checks: {{c: {{relationships: {{n: {other}}}}}}}}}"
        for table, other in ("ab", "ba")
    ]
    service = "\n".join(["sources:", *lines])
    _, errors = read_as_far_as_possible(write_project(tmp_path, {"sea/service.yml": service}))
    assert [error.code for error in errors] == ["cycle"]
    assert (errors[0].file, errors[0].line) == ("transforms/sea/service.yml", 2)


@pytest.mark.parametrize(
    ("checks", "code", "column", "said"),
    [
        ("{a: {not_null: carier}}", "unknown-column", 24, "columns: carrier, year"),
        ("{a: {unique: [carrier, yeer]}}", "unknown-column", 32, "x has no column 'yeer'"),
        ("{a: {not_nul: carrier}}", "unknown-key", 14, "did you mean 'not_null'?"),
        ("{a: {severity: warn}}", "bad-value", 10, "check 'a' checks nothing"),
        ("{a: {}}", "bad-value", 10, "there is nothing under check 'a'"),
        ("{a: }", "bad-value", 10, "write what must hold, for example {not_null: cost}"),
        ("{a: {not_null: carrier, severity: warning}}", "bad-value", 43, "'error' or 'warn'"),
        ("{a: {not_null: {b: 1}}}", "yaml-type", 24, "not a mapping"),
        ("{a: {row_count: {min: -1}}}", "yaml-type", 31, "must be a whole number"),
        ("{a: {row_count: {min: 3, max: 2}}}", "bad-value", 26, "min 3 is more than max 2"),
        ("{a: {row_count: {min: 3}, where: year > 1}}", "bad-value", 42, "where is not for row_count"),
        ("{a: {range: {year: {}}}}", "bad-value", 22, "neither min nor max"),
        ("{a: {range: {year: {min: true}}}}", "yaml-type", 34, "must be text"),
        ("{a: {range: {year: {min: x}}}}", "bad-check", 22, "'x' is no integer"),
        ("{a: {range: {day: {min: 2013-13-01}}}}", "bad-check", 22, "'2013-13-01' is no date"),
        ("{a: {range: {year: {min: 10, max: 9}}}}", "bad-check", 22, "min 10 is more than max 9"),
        ("{a: {range: {day: {min: 2013-12-31, max: 2013-12-30}}}}", "bad-check", 22, "every row of day would fail"),
        ("{a: {accepted_values: {year: []}}}", "bad-value", 32, "list them"),
        ("{a: {accepted_values: {year: [true]}}}", "yaml-type", 39, "must be text, not true"),
        ("{a: {accepted_values: {year: [2013.5.1]}}}", "bad-check", 32, "'2013.5.1' is no integer"),
        ("{a: {pattern: {year: x}}}", "bad-check", 30, "pattern is for texts, and year is int"),
        ("{a: {pattern: {carrier: '(x'}}}", "athena-refuses", 33, "unmatched parenthesis"),
        ("{a: {expression: year >}}", "sql-syntax", 32, "expected"),
        ("{a: {expression: 'yeer > 1'}}", "unknown-column", 27, "there is no column 'yeer'"),
        ("{a: {expression: year + 1}}", "type-mismatch", 26, "must evaluate to a boolean"),
        ("{a: {expression: 'true) OR (false'}}", "sql-syntax", 31, "closes nothing"),
        ("{a: {expression: 'year > (SELECT 1 FROM flights)'}}", "sql-syntax", 49, "names no tables"),
        ("{a: {not_null: carrier, where: carrier = 1}}", "type-mismatch", 24, "varchar = integer"),
        ("{a: {relationships: {carrier: airline}}}", "unknown-table", 39, "did you mean airlines"),
        (
            "{a: {relationships: {carrier: {to: airlines, field: code}}}}",
            "unknown-column",
            61,
            "airlines has no column",
        ),
        ("{a: {relationships: {year: {to: airlines, field: name}}}}", "type-mismatch", 30, "same type"),
        ("{a: {relationships: {carrier: airlines_history}}}", "bad-value", 39, "write airlines"),
        ("{a: {relationships: {year: {to: water_raw_zone.tides, field: level}}}}", "not-granted", 41, "add water.raw"),
        ("{a: {freshness: {airlines: 3}}}", "unknown-input", 26, "it reads flights"),
        ("{a: {sql: b.sql}}", "unknown-check-file", 19, "create transforms/air/checks/b.sql"),
        ("{a: {sql: checks/b.sql}}", "bad-value", 19, "the name alone"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, checks: str, code: str, column: int, said: str) -> None:
    write_project(tmp_path, {**FILES, "air/refined/x.yml": f"checks: {checks}\n"})
    manifest, errors = read_as_far_as_possible(tmp_path)
    (error,) = [finding for finding in review(manifest, errors) if finding.file == "transforms/air/refined/x.yml"]
    assert (error.code, error.line, error.column) == (code, 1, column)
    assert said in f"{error.message} {error.hint}"


@pytest.mark.parametrize(
    ("written", "line", "hint"),
    [
        ("checks:\n- not_null: carrier", 2, "for example checks: {costs are known: {not_null: cost}}"),
        ("checks:\n- not_null\n- unique", 2, "for example checks: {costs are known: {not_null: cost}}"),
        ("checks: {not_null: carrier}", 1, "for example checks: {costs are known: {not_null: cost}}"),
        ("checks: {accepted_values: {carrier: [UA]}}", 1, "for example checks: {costs are known: {not_null: cost}}"),
        ("checks: {a: [not_null]}", 1, "for example checks: {costs are known: {not_null: cost}}"),
        ("tests:\n- not_null: carrier", 1, "write checks, each under a name of your own"),
        ("data_tests: [unique]", 1, "write checks, each under a name of your own"),
        ("columns:\n- name: carrier\n  tests: [not_null]", 2, "for example columns: {cost: "),
        ("columns:\n  carrier:\n    data_tests: [not_null]", 3, "checks stand beside columns"),
        ("columns:\n  carrier:\n  - not_null", 3, "checks stand beside columns"),
        ("models: [{name: x}]", 1, "its keys stand at the top"),
        ("checks: {a: {not_null: carrier, config: {severity: warn}}}", 1, "write severity and where beside the check"),
        ("checks: {a: {dbt_utils.accepted_range: {column_name: year}}}", 1, "write range: {cost: {min: 0, max: 5000}}"),
        ("checks: {a: {unique: carrier, values: [UA]}}", 1, "name the column: {accepted_values: "),
        ("checks: {a: {not_null: {column_name: carrier}}}", 1, "for example not_null: [ward, cost]"),
        ("""checks: {a: {relationships: {carrier: "ref('airlines')"}}}""", 1, "write airlines"),
    ],
)
def test_what_people_know_from_dbt_is_refused_with_what_to_write(
    tmp_path: Path, written: str, line: int, hint: str
) -> None:
    _, errors = read_as_far_as_possible(write_project(tmp_path, {**FILES, "air/refined/x.yml": f"{written}\n"}))
    (error,) = errors
    assert (error.file, error.line) == ("transforms/air/refined/x.yml", line)
    assert hint in (error.hint or "")


def test_a_raw_table_is_described_as_dbt_does_not(tmp_path: Path) -> None:
    lines = ["sources:", "  a:", "    columns:", "      n: [not_null]", "  b:", "  - name: c"]
    _, errors = read_as_far_as_possible(write_project(tmp_path, {"sea/service.yml": "\n".join(lines)}))
    assert [error.line for error in errors] == [4, 6]
    assert all("checks stand beside" in (error.hint or "") or "for example" in (error.hint or "") for error in errors)


@pytest.mark.parametrize(
    ("sql", "code", "said"),
    [
        (f"SELECT yeer FROM {OWN}", "unknown-column", "did you mean year?"),
        (f"SELECT year FROM {OWN} WHERE carrier > 1", "type-mismatch", "varchar > integer"),
        ("SELECT year FROM flights", "bad-value", 'FROM "air_refined_zone".x'),
        (f"SELECT FROM {OWN}", "sql-syntax", ""),
    ],
)
def test_a_mistake_in_a_check_in_sql(tmp_path: Path, sql: str, code: str, said: str) -> None:
    files = {**FILES, "air/refined/x.yml": "checks: {a: {sql: b.sql}}", "air/checks/b.sql": sql}
    manifest, errors = read_as_far_as_possible(write_project(tmp_path, files))  # type: ignore[arg-type]
    (error,) = [finding for finding in review(manifest, errors) if finding.severity == "error"]
    assert error.code == code
    assert said in f"{error.message} {error.hint}"


def test_a_file_that_no_check_names_is_no_check(tmp_path: Path) -> None:
    _, errors = read_as_far_as_possible(write_project(tmp_path, {"air/checks/b.sql": "SELECT year FROM flights"}))
    assert [(error.code, error.file) for error in errors] == [("misplaced-file", "transforms/air/checks/b.sql")]
