"""``dapflow backfill``: what it says before it begins, what it does, and what programs read of it."""

from __future__ import annotations

import json
from typing import Any

from tests.local.projects import LocalProject

RANGE = ("--from", "2024-06-04", "--to", "2024-06-05")


def document(platform: LocalProject, *arguments: str, check: bool = True) -> dict[str, Any]:
    return dict(json.loads(platform.run("backfill", *arguments, "--json", check=check).stdout))


def test_a_service_is_built_day_by_day_and_the_second_call_has_nothing_to_do(platform: LocalProject) -> None:
    dry = platform.run("backfill", "housing", *RANGE, "--again", "--dry-run")
    assert dry.stdout.splitlines() == [
        "housing.raw.repairs 2024-06-04",
        "housing.refined.repair_costs 2024-06-04",
        "housing.raw.repairs 2024-06-05",
        "housing.refined.repair_costs 2024-06-05",
    ]
    assert "to build: 4 generations, reading about " in dry.stderr
    refused = platform.run("backfill", "housing", *RANGE, "--again", check=False)
    assert refused.stderr.endswith("4 generations would be built [option]\nhint: say --yes\n")
    done = platform.run("backfill", "housing", *RANGE, "--again", "--yes")
    assert done.stdout == "4 generations published\n"
    lines = [line for line in done.stderr.splitlines() if " of 4: " in line]
    assert [line.partition(":")[0] for line in lines] == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert any(line.endswith("housing.raw.repairs 2024-06-05: published, 3 rows") for line in lines)
    again = document(platform, "housing", *RANGE, "--yes")
    assert (again["steps"], len(again["done"]), again["publications"], again["errors"]) == ([], 4, [], [])
    run = json.loads(platform.run("runs", "repair_costs", "-n", "1", "--json").stdout)["runs"][0]
    assert (run["run"], run["outcome"]) == ("backfill", "published")


def test_what_is_missing_is_said(platform: LocalProject) -> None:
    missing = document(platform, "repair_costs", "--from", "2024-05-01", "--to", "2024-05-02", check=False)
    assert missing["errors"][0]["code"] == "missing-inputs"
    left = document(
        platform, "repair_costs", "--from", "2024-05-01", "--to", "2024-05-02", "--on-missing", "skip", "--yes"
    )
    assert [(step["dataset"], step["generation"], step["input"]) for step in left["missing"]] == [
        ("housing.refined.repair_costs", "2024-05-01", "housing.raw.repairs"),
        ("housing.refined.repair_costs", "2024-05-02", "housing.raw.repairs"),
    ]
    assert (len(left["left_out"]), left["steps"]) == (2, [])


def test_what_cannot_be_meant_is_refused(platform: LocalProject) -> None:
    for arguments, code in (
        (("repair_costs", "--from", "2024-06-05", "--to", "2024-06-04"), "option"),
        (("repair_costs", *RANGE, "--on-missing", "maybe"), "option"),
        (("repair_costs", "--from", "2024-06-05", "--to", "2999-01-01"), "future-generation"),
        (("repair_cost", *RANGE), "unknown-name"),
    ):
        assert f"[{code}]" in platform.run("backfill", *arguments, check=False).stderr
