"""format, as people run it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.in_process import called, dapflow
from tests.project.writing import write_project

UGLY = "select a,b from t -- ünï"
NEAT = "SELECT a, b\nFROM t -- ünï\n"


def sql(root: Path) -> Path:
    return root / "transforms" / "air" / "refined" / "x.sql"


def test_format_writes_what_it_would_change_once(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql": b"\xef\xbb\xbf" + UGLY.encode()})
    sql(root).chmod(0o640)
    checked = dapflow("format", "--check", cwd=root)
    assert (checked.returncode, checked.stdout) == (1, "1 to format, 0 in the house style.\n")
    assert checked.stderr == "transforms/air/refined/x.sql is not in the house style\n"
    shown = dapflow("format", "--diff", "transforms", cwd=root)
    assert shown.returncode == 0
    assert "\n-select a,b from t -- ünï\n\\ No newline at end of file\n+SELECT a, b\n" in shown.stdout
    assert sql(root).read_bytes() == b"\xef\xbb\xbf" + UGLY.encode()
    assert dapflow("format", cwd=root).stdout == "1 formatted, 0 in the house style.\n"
    assert sql(root).read_bytes() == b"\xef\xbb\xbf" + NEAT.encode()
    assert sql(root).stat().st_mode & 0o777 == 0o640
    again = dapflow("format", "--check", cwd=root)
    assert (again.returncode, again.stdout) == (0, "0 to format, 1 in the house style.\n")


def test_a_file_with_a_mistake_is_named_and_the_others_are_formatted(tmp_path: Path) -> None:
    wrong: dict[str, str | bytes] = {"air/refined/y.sql": "select {{ a }} from t", "air/refined/z.sql": b"\xff\0"}
    root = write_project(tmp_path, {"air/refined/x.sql": UGLY, **wrong})
    done = dapflow("format", cwd=root)
    assert (done.returncode, done.stdout) == (1, "1 formatted, 0 in the house style, 2 refused.\n")
    assert "transforms/air/refined/y.sql:1:8: " in done.stderr
    assert "transforms/air/refined/z.sql:1:1: " in done.stderr
    assert sql(root).read_text("utf-8") == NEAT
    assert {name: (root / "transforms" / name).read_bytes() for name in wrong} == {
        name: content.encode() if isinstance(content, str) else content for name, content in wrong.items()
    }
    assert dapflow("format", "nothing.sql", cwd=root).returncode == 1


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql": UGLY})

    def killed(file: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    assert dapflow("format", cwd=root).returncode != 0
    assert [path.name for path in sql(root).parent.iterdir()] == ["x.sql"]
    assert sql(root).read_text("utf-8") == UGLY


def test_format_reads_standard_input(tmp_path: Path) -> None:
    done = called(("format", "-"), tmp_path, {**os.environ}, UGLY)
    assert (done.returncode, done.stdout) == (0, NEAT)
    wrong = called(("format", "-"), tmp_path, {**os.environ}, "select")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("<stdin>:1:7: ")
