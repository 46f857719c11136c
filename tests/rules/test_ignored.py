"""Comments that say that a finding is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.project import findings_in

_ORDERED = "SELECT id\nFROM repairs\nORDER BY id"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id\nFROM repairs\nORDER BY id -- dapflow: ignore DAP216 a report prints it in this order",
        "SELECT id\nFROM repairs\nORDER BY\n  id -- dapflow: ignore ordered-product a report prints it",
        "SELECT id\nFROM repairs\n-- dapflow: ignore dap216 a report prints it in this order\nORDER BY id",
        "SELECT id\nFROM repairs\n/* dapflow: ignore DAP216: a report\n prints it */\n\n-- and more\nORDER BY id",
        f"-- The list.\n-- dapflow: ignore DAP216 a report prints it in this order\n{_ORDERED}",
        "SELECT id, hours / 8 AS days -- dapflow: ignore DAP203, DAP216 whole days\nFROM repairs",
    ],
)
def test_a_warning_that_is_meant_is_not_shown(sql: str, tmp_path: Path) -> None:
    codes = [finding.code for finding in findings_in(tmp_path, sql)]
    assert codes in ([], ["unused-ignore"])
    assert ("unused-ignore" in codes) == ("DAP203" in sql)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT id, '-- dapflow: ignore DAP216 x' AS a{_ORDERED[9:]}",
        "SELECT id -- dapflow: ignore DAP216 it is about this line\nFROM repairs\nORDER BY id",
        f"-- dapflow: ignore DAP203 another rule\n{_ORDERED}",
    ],
)
def test_another_warning_is_shown(sql: str, tmp_path: Path) -> None:
    assert "ordered-product" in [finding.code for finding in findings_in(tmp_path, sql)]


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("-- dapflow: ignore", "this names no rule to be ignored"),
        ("-- dapflow: ignore everything here", "this names no rule to be ignored"),
        ("-- dapflow: ignore DAP216", "this gives no reason"),
        ("-- dapflow: ignore DAP999 it is meant", "there is no rule DAP999"),
        ("-- dapflow: ignore DAP216, order it is meant", "there is no rule order"),
    ],
)
def test_a_comment_that_says_nothing_is_a_mistake(comment: str, said: str, tmp_path: Path) -> None:
    findings = findings_in(tmp_path, f"{_ORDERED} {comment}")
    assert ("bad-ignore", "error", said) in [(finding.code, finding.severity, finding.message) for finding in findings]


def test_an_error_is_none_that_could_be_meant(tmp_path: Path) -> None:
    sql = "SELECT id, nosuch AS a -- dapflow: ignore DAP011 it will come\nFROM repairs"
    assert {finding.code for finding in findings_in(tmp_path, sql)} == {"unknown-column", "bad-ignore"}
