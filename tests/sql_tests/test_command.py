"""``dapflow test``, as people run it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import parse

import pytest

from dapflow import processes
from tests.cli.in_process import dapflow
from tests.project.writing import write_project
from tests.sql_tests.suites import COSTS, SERVICE

TESTS = """\
tests:
  a small ward:
    given: {repairs: [{ward: E05, cost: 20}], wards: [{code: E05, name: Bow}]}
    expect: [{name: Bow, size: small}]
  a large ward:
    given: {repairs: [{ward: E05, cost: 20}], wards: [{code: E05, name: Bow}]}
    expect: [{name: Bow, size: large}]
  nothing:
    given: {repairs: []}
    expect: []
"""
OTHER = "tests: {a day: {given: {wards: [{code: A}]}, expect: [{n: 1}]}}"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files: dict[str, str | bytes] = {
        "air/service.yml": SERVICE,
        "air/refined/costs.sql": COSTS,
        "air/refined/counted.sql": "SELECT count(*) AS n FROM wards",
        "air/tests/costs.yml": TESTS,
        "air/tests/counted.yml": OTHER,
    }
    return write_project(tmp_path_factory.mktemp("project"), files)


def test_what_fails_is_shown_and_ends_with_status_1(root: Path) -> None:
    run = dapflow("test", cwd=root / "transforms" / "air")
    assert run.returncode == 1
    assert run.stdout.splitlines()[:4] == [
        "transforms/air/tests/costs.yml:5: a large ward",
        "  one row expected, 1 came, 0 of them as expected",
        "  row 1, name = 'Bow'",
        "    size: expected 'large', came 'small'",
    ]
    assert "2 of 4 tests failed, of 2 transforms in " in run.stdout
    assert "costs.yml:8:3: costs reads wards, and the test does not give it [DAP502 not-given]" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "name",
    ["counted", "refined.counted", "transforms/air/refined/counted.sql", "transforms/air/tests/counted.yml", "a day"],
)
def test_tests_are_named_in_several_ways(root: Path, name: str) -> None:
    run = dapflow("test", name, cwd=root)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("one test passed, of one transform in ")


def test_a_name_of_nothing_is_a_mistake(root: Path) -> None:
    run = dapflow("test", "a dya", cwd=root)
    assert (run.returncode, run.stdout) == (1, "")
    assert "'a dya' names no test [unknown-name]\nhint: did you mean 'a day'?" in run.stderr


def test_outcomes_are_json_and_junit(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "reports" / "sql.xml"
    run = dapflow("test", "--json", "--junit", str(file), cwd=root)
    printed = json.loads(run.stdout)
    assert run.returncode == 1
    assert [(test["name"], test["passed"]) for test in printed["tests"]] == [
        ("a small ward", True),
        ("a large ward", False),
        ("nothing", False),
        ("a day", True),
    ]
    assert printed["tests"][1]["difference"]["pairs"][0]["differing"] == ["size"]
    assert printed["tests"][2]["mistake"]["code"] == "not-given"
    suites = parse(file).getroot()  # noqa: S314 - it was written just now
    assert {name: suites.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
    }
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    assert cases["a large ward"].find("failure") is not None
    assert cases["nothing"].find("error") is not None
    assert len(cases["a day"]) == 0
    assert (cases["a day"].get("classname"), cases["a day"].get("file")) == (
        "air.refined.counted",
        "transforms/air/tests/counted.yml",
    )


def test_a_project_without_tests_has_none_that_fail(tmp_path: Path) -> None:
    write_project(tmp_path, {"air/refined/x.sql": "SELECT 1 AS n"})
    run = dapflow("test", cwd=tmp_path)
    assert (run.returncode, run.stdout[:16]) == (0, "no tests passed,")


def test_a_project_with_mistakes_says_them(tmp_path: Path) -> None:
    write_project(tmp_path, {"air/refined/x.sql": "SELECT ward FROM flights"})
    run = dapflow("test", cwd=tmp_path)
    assert (run.returncode, "[DAP011 unknown-column]" in run.stderr) == (1, True)


def test_several_processes_find_what_a_single_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tests = "tests:\n" + "".join(
        f"  t{i}: {{given: {{wards: [{{code: A}}]}}, expect: [{{n: {1 + (i == 30)}}}]}}\n" for i in range(60)
    )
    write_project(
        tmp_path,
        {
            "air/service.yml": SERVICE,
            "air/refined/counted.sql": "SELECT count(*) AS n FROM wards",
            "air/tests/counted.yml": tests,
        },
    )
    monkeypatch.setattr(processes, "_processors", lambda: 2)
    run = dapflow("test", cwd=tmp_path)
    assert run.returncode == 1
    assert run.stdout.startswith("transforms/air/tests/counted.yml:32: t30\n")
    assert "1 of 60 tests failed" in run.stdout
