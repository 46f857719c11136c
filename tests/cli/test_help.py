"""The help of the whole command line: one screen."""

from __future__ import annotations

from pathlib import Path

from dapflow.cli.help_groups import EVERY_DAY, OTHERS
from tests.cli.in_process import dapflow
from tests.docs.cli_reference import commands


def test_each_command_stands_in_one_group() -> None:
    grouped = [*EVERY_DAY, *(name for names in OTHERS.values() for name in names)]
    assert sorted(grouped) == sorted({words.split()[0] for words in commands()})


def test_the_help_is_one_screen_that_cuts_no_name(tmp_path: Path) -> None:
    run = dapflow("--help", cwd=tmp_path, COLUMNS="80")
    lines = run.stdout.splitlines()
    assert run.returncode == 0
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    words = run.stdout.replace(",", " ").split()
    assert all(name in words for names in (EVERY_DAY, *OTHERS.values()) for name in names)
    assert {line.split()[0] for line in lines if line.startswith("  ")} > {*EVERY_DAY, *OTHERS}


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    run = dapflow(cwd=tmp_path)
    assert run.returncode != 0
    assert "Every day:" in run.stdout + run.stderr
