"""``dapflow test --watch``: what is run when something changes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dapflow.project import compile_project
from dapflow.project.sql_test_files import read_sql_tests
from dapflow.sql_tests.watching import WatchedFiles, concerned
from tests.cli.in_process import dapflow
from tests.project.writing import write_project
from tests.sql_tests.suites import SERVICE

FILES: dict[str, str | bytes] = {
    "air/service.yml": SERVICE,
    "air/refined/counted.sql": "SELECT count(*) AS n FROM wards",
    "air/refined/other.sql": "SELECT 1 AS n",
    "air/tests/counted.yml": "tests: {a: {given: {wards: wards.csv}, expect: [{n: 1}]}}",
    "air/tests/wards.csv": "code\nA\n",
    "air/tests/other.yml": "tests: {b: {expect: [{n: 1}]}}",
}


def test_files_that_change_are_noticed(tmp_path: Path) -> None:
    root = write_project(tmp_path, FILES)
    files = WatchedFiles(root, every=0.01)
    (root / "transforms/air/tests/wards.csv").write_text("code\nA\nB\n")
    (root / "transforms/air/notes.txt").write_text("nobody reads this")
    assert files.wait() == {"transforms/air/tests/wards.csv"}
    (root / "transforms/air/tests/other.yml").unlink()
    (root / "transforms/new").mkdir()
    (root / "transforms/new/service.yml").write_text("title: New")
    assert files.wait() == {"transforms/air/tests/other.yml", "transforms/new/service.yml"}


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        (["tests/other.yml"], ["b"]),
        (["refined/counted.sql"], ["a"]),
        (["refined/counted.sql", "tests/other.yml"], ["a", "b"]),
        (["tests/wards.csv"], ["a", "b"]),
        (["service.yml"], ["a", "b"]),
        (["refined/counted.yml", "tests/other.yml"], ["a", "b"]),
    ],
)
def test_what_a_change_concerns_is_run(tmp_path: Path, changed: list[str], names: list[str]) -> None:
    root = write_project(tmp_path, FILES)
    manifest = compile_project(root)
    tests, _ = read_sql_tests(root, manifest)
    chosen = concerned(tests, manifest, {f"transforms/air/{name}" for name in changed})
    assert [test.name for test in chosen] == names


def test_a_mistake_elsewhere_does_not_end_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_project(tmp_path, FILES)
    sql = root / "transforms/air/refined/counted.sql"
    steps: list[Callable[[], object]] = [
        lambda: sql.write_text("SELECT count(*) AS n FROM ward"),
        lambda: (root / "transforms/air/tests/other.yml").write_text("tests: {b: {expect: [{n: 2}]}}"),
        lambda: sql.write_text("SELECT 2 AS n FROM wards"),
    ]

    def step(_seconds: float) -> None:
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    monkeypatch.setattr(time, "sleep", step)
    run = dapflow("test", "--watch", cwd=root)
    assert run.returncode == 0
    said = [re.sub(r"of .*", "", line) for line in run.stdout.splitlines() if "passed" in line or "failed" in line]
    # The first time, after the mistake is mended all of them.
    assert said == ["2 tests passed, ", "2 "]
    assert run.stderr.count("there is no table 'ward'") == 2
    assert run.stdout.count("Waiting for changes") == 4


@pytest.mark.slow
def test_ctrl_c_ends_it(tmp_path: Path) -> None:
    root = write_project(tmp_path, FILES)
    words = [sys.executable, "-m", "dapflow", "test", "--watch", "--project", str(root)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("2 tests passed")
        assert process.stdout.readline().startswith("Waiting")
        (root / "transforms/air/tests/other.yml").write_text("tests: {b: {expect: [{n: 1}]}} # again")
        assert process.stdout.readline().startswith("one test passed")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert (process.returncode, stderr) == (0, "")
