"""`make mutants`: what it changes, and which tests it asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mutants
from tests.mutants import CONCERNED, ROOT, mutants_of, sample


def test_the_table_names_files_and_tests_that_are_there() -> None:
    missing = {test for tests in CONCERNED.values() for test in tests if not (ROOT / test).exists()}
    assert missing == set()
    assert [name for name in CONCERNED if not list(ROOT.glob(f"{name}*"))] == []


def test_a_seed_names_its_changes() -> None:
    file = "dapflow/runtime/generation.py"
    assert sample(file, 3, 1) == sample(file, 3, 1) != sample(file, 3, 2)
    assert len({mutant.line for mutant in sample(file, 3, 1)}) == 3
    assert "tests/runtime/test_generation.py" in mutants.tests_of(file)


def test_what_nothing_evaluates_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "@dataclass(frozen=True)\nclass A:\n    a: int | None = 1\n\ndef f(a: int | str) -> int | None:\n"
    text += "    return a + 1\n"
    (tmp_path / "a.py").write_text(text)
    monkeypatch.setattr(mutants, "ROOT", tmp_path)
    kept = list(mutants_of("a.py"))
    assert {mutant.line for mutant in kept} == {3, 6}
    assert all("int | None" in mutant.text(text) and "frozen=True" in mutant.text(text) for mutant in kept)
