"""``dapflow cost``: what a run will scan, beside what it then scanned."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.in_process import PlatformProject


@pytest.fixture(scope="module")
def repairs(platform: PlatformProject) -> PlatformProject:
    """Two nights of repairs are published."""
    for night in ("2024-06-04", "2024-06-05"):
        platform.run("run", "housing.raw.repairs", "-g", night)
    return platform


def _cost(platform: PlatformProject, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(platform.run("cost", *arguments, "--json").stdout))


def test_it_is_what_a_run_then_scans(repairs: PlatformProject) -> None:
    [expected] = _cost(repairs, "repair_costs")["runs"]
    [read] = expected["reads"]
    assert (read["table"], read["columns"], read["generations"]) == ("housing.raw.repairs", 2, 1)
    assert 0 < read["scanned"] < read["bytes"]  # the column id is not read
    sql = "SELECT done, cost FROM housing_raw_zone.repairs"
    asked = repairs.run("query", sql, "--csv").stderr or repairs.run("query", sql).stderr
    assert f"{expected['scanned']} bytes scanned" in asked
    assert expected["usd"] == round(10 * 5 / 1024**2, 6)  # ten megabytes at least
    shown = repairs.run("cost", "repair_costs")
    assert f"housing.refined.repair_costs: about {expected['scanned']} bytes, less than $0.0001 a run" in shown.stdout
    assert shown.stderr.startswith("On AWS")


def test_a_history_is_read_as_a_whole_and_its_conditions_make_it_less(repairs: PlatformProject) -> None:
    file = "transforms/housing/refined/over_time.sql"
    repairs.write(file, "SELECT id FROM repairs_history WHERE import_year = '2024'\n")
    try:
        [expected] = _cost(repairs, "over_time")["runs"]
        text = repairs.run("cost", "over_time").stdout
    finally:
        (repairs.root / file).unlink()
    [read] = expected["reads"]
    assert (read["table"], read["columns"], read["generations"]) == ("housing.raw.repairs_history", 1, 2)
    assert read["conditions"] == ["import_year = '2024'"]
    assert "at most" in text


def test_the_warning_of_a_whole_history_says_what_it_scans(repairs: PlatformProject) -> None:
    file = "transforms/housing/refined/all_nights.sql"
    repairs.write(file, "SELECT id FROM repairs_history\n")
    try:
        [expected] = _cost(repairs, "all_nights")["runs"]
        warnings = json.loads(repairs.run("check", "--json").stdout)["warnings"]
    finally:
        (repairs.root / file).unlink()
    [hint] = [warning["hint"] for warning in warnings if warning["code"] == "all-generations"]
    scans = f"a run scans {expected['scanned']} bytes of 2 generations now, less than $0.0001 on AWS"
    assert hint.endswith(f"or read the current view; {scans}")


def test_a_roll_back_scans_nothing_and_is_not_what_a_run_scans(repairs: PlatformProject) -> None:
    for _ in range(2):
        repairs.run("run", "repair_costs", "-g", "2024-06-05")
    assert _cost(repairs, "repair_costs")["runs"][0]["last_scanned"] > 0
    repairs.run("rollback", "repair_costs", "-g", "2024-06-05", "--yes")
    # Other tests may have published another day, which is then the last that scanned anything.
    assert _cost(repairs, "repair_costs")["runs"][0]["last_scanned"] != 0


def test_all_of_a_project_and_what_is_not_known(repairs: PlatformProject) -> None:
    file = repairs.root / "transforms/housing/refined/early.sql"
    file.write_text("SELECT done FROM housing_refined_zone.over_time\n")
    source = file.with_name("over_time.sql")
    source.write_text("SELECT done FROM repairs\n")
    try:
        costs = _cost(repairs, "--all")
        text = repairs.run("cost", "--all").stdout
    finally:
        file.unlink()
        source.unlink()
    by_id = {run["dataset"]: run for run in costs["runs"]}
    landed = 2 * len(b"id,cost,done\n1,10.5,true\n2,5,false\n3,,false\n")
    assert by_id["housing.raw.repairs"]["scanned"] == landed
    assert by_id["housing.raw.repairs"]["last_scanned"] is not None
    assert by_id["housing.refined.early"]["scanned"] is None
    assert costs["unknown"] >= 1
    assert costs["scanned"] == sum(run["scanned"] or 0 for run in costs["runs"])
    assert "nothing is known" in text
    for arguments in ((), ("repair_costs", "--all")):
        assert "[option]" in repairs.run("cost", *arguments, check=False).stderr
