"""``dapflow runs``: what runs did, as people and programs read it."""

from __future__ import annotations

import json
from typing import Any

from tests.local.projects import LocalProject


def runs(platform: LocalProject, *arguments: str) -> list[dict[str, Any]]:
    return list(json.loads(platform.run("runs", *arguments, "--json").stdout)["runs"])


def test_runs_are_listed_from_the_newest_on(platform: LocalProject) -> None:
    platform.run("run", "housing")
    platform.run("run", "repair_costs", "--generation", "2024-01-01", check=False)
    newest, *_ = runs(platform, "repair_costs")
    assert (newest["outcome"], newest["error"]["code"], newest["generation"]) == (
        "failed", "not-published", "2024-01-01",
    )  # fmt: skip
    table = platform.run("runs", "housing", "-n", "2").stdout.splitlines()
    assert len(table) == 3
    assert "2024-01-01  failed" in table[1]
    assert table[1].endswith("[not-published]")
    assert "2024-06-05  published" in table[2]
    assert [run["dataset"] for run in runs(platform, "housing", "-n", "3")][1:] == [
        "housing.refined.repair_costs",
        "housing.raw.repairs",
    ]
    made = runs(platform, "housing.raw.repairs", "-n", "1")[0]
    assert (made["outcome"], made["rows"], made["attempt"]) == ("published", 3, 1)
    assert made["ran_by"]
