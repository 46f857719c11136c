"""What ``dapflow check`` says of output columns that changed since ``dapflow compile``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.in_process import dapflow
from tests.project.writing import write_project

FILES: dict[str, str | bytes] = {
    "air/service.yml": "sources: {flights: {columns: {day: date, carrier: string, delay: integer, seats: integer}}}",
    "air/refined/totals.sql": "SELECT carrier, max(delay) AS delay, max(seats) AS seats, min(day) AS day\n"
    "FROM flights GROUP BY carrier",
    "air/trusted/late.sql": "SELECT carrier,\n  delay\nFROM totals -- seats, day",
    "air/trusted/everything.sql": "SELECT *\nFROM totals",
}


def changed(root: Path, text: str) -> tuple[int, dict[str, list[dict[str, object]]], str]:
    (root / "transforms/air/refined/totals.sql").write_text(text)
    run = dapflow("check", "--json", cwd=root)
    return run.returncode, json.loads(run.stdout), dapflow("check", cwd=root).stderr


@pytest.mark.slow
def test_readers_of_columns_that_changed_are_told_and_so_is_that_there_are_none(tmp_path: Path) -> None:
    files = {name: text for name, text in FILES.items() if "everything" not in name}
    files["air/trusted/late.sql"] = FILES["air/trusted/late.sql"].replace("FROM totals", "FROM air_refined_zone.totals")  # type: ignore[arg-type]
    root = write_project(tmp_path, files)
    assert dapflow("compile", cwd=root).returncode == 0
    assert json.loads(dapflow("check", "--json", cwd=root).stdout)["changed"] == []

    code, told, text = changed(
        root, "SELECT carrier, CAST(max(delay) AS varchar) AS delay, CAST(max(seats) AS bigint) AS seats FROM flights "
        "GROUP BY carrier"
    )  # fmt: skip
    assert code == 1
    [error] = told["errors"]
    assert (error["code"], error["file"], error["line"], error["column"]) == (
        "changed-input", "transforms/air/trusted/late.sql", 2, 3
    )  # fmt: skip
    assert "column delay was int and is now string in air.refined.totals" in str(error["message"])
    assert [(column["column"], column["now"]) for column in told["changed"]] == [
        ("delay", "string"),
        ("day", None),
        ("delay", "string"),
    ]  # of totals, and of late, which passes it on
    assert "column day is gone in air.refined.totals" in text
    assert "nobody in the project reads it" in text

    code, told, _ = changed(root, "SELECT carrier, max(seats) AS seats, min(day) AS day FROM flights GROUP BY carrier")
    assert code == 1
    assert [(error["file"], error["line"], error["column"]) for error in told["errors"]] == [
        ("transforms/air/trusted/late.sql", 2, 3)
    ]
    assert [reader["dataset"] for reader in told["changed"][0]["readers"]] == ["air.trusted.late"]  # type: ignore[attr-defined]

    assert dapflow("compile", cwd=root).returncode == 1
    (root / "transforms/air/trusted/late.sql").unlink()
    dapflow("compile", cwd=root)
    assert json.loads(dapflow("check", "--json", cwd=root).stdout)["changed"] == []
