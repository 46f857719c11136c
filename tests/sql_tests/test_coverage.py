"""What no test reaches."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.in_process import dapflow
from tests.project.writing import write_project
from tests.sql_tests.suites import SERVICE

BRANCHES = """\
WITH known AS (SELECT ward, cost, raised FROM repairs),
dear AS (SELECT ward FROM known WHERE cost > 100),
unused AS (SELECT rate FROM rates)
SELECT
  ward,
  CASE k.ward WHEN 'A' THEN 'first' WHEN 'B' THEN 'second' END AS place,
  sum(IF(cost IS NULL, 0, cost)) AS cost,
  CASE WHEN count(*) > 1 THEN CASE WHEN max(cost) > 5 THEN 'much' ELSE 'little' END ELSE 'one' END AS size,
  (SELECT IF(count(*) > 0, 'yes', 'no') FROM dear d WHERE d.ward = k.ward) AS dear
FROM known k
GROUP BY ward
ORDER BY CASE k.ward WHEN 'A' THEN 'first' WHEN 'B' THEN 'second' END
"""
ONE_ROW = "tests: {a: {given: {repairs: [{ward: A, cost: 1}]}, expect: [{ward: A, size: one}]}}"
ROWS = "[{ward: B}, {ward: A, cost: 9}, {ward: A, cost: 101}]"
MORE = f"tests: {{b: {{given: {{repairs: {ROWS}}}, expect: [{{ward: A}}, {{ward: B}}]}}}}"


def missed(root: Path, tests: dict[str, str]) -> dict[str, list[str]]:
    """What is not reached, as the command says it, by transform."""
    files: dict[str, str | bytes] = {
        "air/service.yml": SERVICE,
        "air/refined/parts.sql": BRANCHES,
        "air/refined/other.sql": "SELECT 1 AS n",
        **{f"air/tests/{name}.yml": f"transform: parts\n{text}" for name, text in tests.items()},
    }
    printed = json.loads(dapflow("test", "--coverage", "--json", cwd=write_project(root, files)).stdout)
    assert [test["name"] for test in printed["tests"] if not test["passed"]] == []
    assert [transform["problems"] for transform in printed["coverage"]] == [[], []]
    return {
        transform["dataset"]: [f"{part['line']} {part['text']}" for part in transform["missed"]]
        for transform in printed["coverage"]
        if transform["tests"]
    }


def test_results_and_with_queries_without_a_row_are_missed(tmp_path: Path) -> None:
    assert missed(tmp_path, {"a": ONE_ROW}) == {
        "air.refined.parts": [
            "2 WITH query dear",
            "3 WITH query unused",
            "6 'second'",
            "7 0",
            "8 CASE WHEN max(cost) > 5 THEN 'much' ELSE 'little' END",
            "8 'much'",
            "8 'little'",
            "9 'yes'",
        ]
    }


def test_what_one_test_misses_another_may_reach(tmp_path: Path) -> None:
    assert missed(tmp_path, {"a": ONE_ROW, "b": MORE}) == {"air.refined.parts": ["3 WITH query unused", "8 'little'"]}


def test_a_test_of_a_with_query_reaches_what_is_in_it(tmp_path: Path) -> None:
    text = "tests: {c: {cte: dear, given: {repairs: [{ward: A, cost: 500}]}, expect: [{ward: A}]}}"
    [parts] = missed(tmp_path, {"c": text}).values()
    assert [part for part in parts if "WITH" in part] == ["3 WITH query unused"]
    assert len(parts) == 1 + 10


def test_transforms_without_a_test_are_named(tmp_path: Path) -> None:
    missed(tmp_path, {"a": ONE_ROW})
    run = dapflow("test", "--coverage", cwd=tmp_path)
    assert run.stdout.splitlines()[:2] == [
        "1 of 2 transforms have a test",
        "transforms/air/refined/other.sql: no test",
    ]
    assert "transforms/air/refined/parts.sql:6:51: no test reaches 'second'" in run.stdout
    assert "5 of 13 WITH queries and results of CASE and IF in them are reached" in run.stdout


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/service.yml": SERVICE,
        "air/refined/parts.sql": BRANCHES,
        "air/tests/parts.yml": "tests: {a: {given: {}, expect: []}}",
    }
    run = dapflow("test", "--coverage", cwd=write_project(tmp_path, files))
    assert run.returncode == 1
    assert "parts.sql: not known of a test: a: parts reads repairs, and the test does not give it" in run.stdout
