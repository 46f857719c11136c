"""Statements as files: each ``.sql`` beside an ``.expected``. A new bug is a new pair.

``valid``: the tables that are named and where, and the output columns. ``invalid``: the mistakes as they are shown.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sql.known import described, errors_of

FIXTURES = Path(__file__).parents[1] / "fixtures" / "sql"
VALID = sorted((FIXTURES / "valid").glob("*.sql"))
INVALID = sorted((FIXTURES / "invalid").glob("*.sql"))


def text_of(file: Path) -> str:
    return file.read_bytes().decode("utf-8-sig")


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_valid(file: Path) -> None:
    assert described(text_of(file)) == file.with_suffix(".expected").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_invalid(file: Path) -> None:
    shown = "\n\n".join(str(error) for error in errors_of(text_of(file), file.name))
    assert f"{shown}\n" == file.with_suffix(".expected").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_every_mistake_has_a_place_and_says_what_to_do_or_expect(file: Path) -> None:
    for error in errors_of(text_of(file), file.name):
        assert error.line is not None
        assert error.column is not None
        lines = text_of(file).split("\n")
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert "Traceback" not in error.message
        assert "Token" not in error.message


def test_there_are_fixtures() -> None:
    assert len(VALID) > 40
    assert len(INVALID) > 100
