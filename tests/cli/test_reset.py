"""``dapflow reset`` and ``dapflow remove``: the way back from a first draft, in two steps each."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.local.projects import SERVICE, LocalProject

COSTS, FILE = "drains.refined.repair_costs", "transforms/drains/refined/repair_costs.sql"
DRAFT = "SELECT done, count(*) AS repairs FROM repairs GROUP BY done\n"


def orphans(platform: LocalProject) -> object:
    return json.loads(platform.run("check", "--json").stdout)["orphans"]


def held(platform: LocalProject) -> set[str]:
    """The objects of the service's refined zone, without the notes and the records of runs."""
    answer = platform.client("s3").list_objects_v2(Bucket="dapflow-local-refined-123456789012", Prefix="drains/")
    return {item["Key"] for item in answer.get("Contents", ()) if "runs/" not in item["Key"]}


@pytest.mark.slow
def test_a_draft_is_written_anew_and_in_the_end_removed(platform: LocalProject) -> None:
    platform.write("transforms/drains/service.yml", SERVICE)
    platform.write("repairs.csv", "id,cost,done\n1,10.5,true\n")
    export = str(platform.root / "repairs.csv")
    platform.run("land", export, "--to", "drains.repairs", "--date", "2024-06-05")
    platform.write(FILE, DRAFT)
    platform.run("run", "drains")
    platform.write(FILE, "SELECT count(*) AS repairs FROM repairs\n")
    broken = platform.run("run", COSTS, check=False)
    assert "column done is gone" in broken.stderr
    assert f"dapflow reset {COSTS} begins a new history here" in broken.stderr

    asked = platform.run("reset", COSTS, check=False, stdin=subprocess.DEVNULL)
    assert asked.returncode == 1
    assert f"{COSTS} has 1 generation: 2024-06-05" in asked.stderr
    assert "say --yes" in asked.stderr
    live = platform.run("reset", COSTS, "--yes", "--environment", "prod", check=False)
    assert "[live-environment]" in live.stderr
    assert "[branch-not-up]" in platform.run("reset", COSTS, "--yes", "-b", "x", check=False).stderr
    assert len(held(platform)) == 1
    assert "has no generation any more" in platform.run("reset", COSTS, "--yes").stdout
    platform.run("run", COSTS)

    (platform.root / FILE).unlink()
    checked = platform.run("check")
    assert f"Orphaned: {COSTS} is published" in checked.stderr
    assert f"dapflow remove {COSTS}" in checked.stderr
    platform.run("remove", COSTS, "--yes")
    assert held(platform) == set()
    assert orphans(platform) == []


@pytest.mark.slow
def test_a_service_that_left_the_project_is_orphaned_too(platform: LocalProject) -> None:
    platform.write("transforms/parking/service.yml", "title: Parking\n")
    platform.write("transforms/parking/trusted/free.sql", "SELECT 1 AS free")
    platform.write("transforms/parking/trusted/other.sql", "SELECT 2 AS other")
    for name in ("free", "other"):
        platform.run("run", name, "-g", "2024-06-05")
    # A file that got another name, and goes on with its table: that is no orphan, but its old view is.
    (platform.root / "transforms/parking/trusted/other.sql").rename(
        platform.root / "transforms/parking/trusted/new.sql"
    )
    platform.write("transforms/parking/trusted/new.yml", "history: other_history")
    assert orphans(platform) == ["parking.trusted.other"]
    platform.run("remove", "parking.trusted.other", "--yes")
    answer = platform.run("query", "SELECT other FROM parking_trusted_zone.other_history", "--json")
    assert json.loads(answer.stdout) == [{"other": 2}]

    for file in sorted((platform.root / "transforms/parking").rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (platform.root / "transforms/parking").rmdir()
    assert orphans(platform) == ["parking.trusted.free", "parking.trusted.other"]
    assert "Orphaned: parking.trusted.free" in platform.run("local", "up", "--no-airflow").stderr
    asked = platform.run("remove", "parking.trusted.free", check=False, stdin=subprocess.DEVNULL)
    assert (asked.returncode, "free and free_history" in asked.stderr) == (1, True)
    for name in ("free", "other"):
        platform.run("remove", f"parking.trusted.{name}", "--yes")
    assert orphans(platform) == []
    refused = platform.run("remove", "housing.raw.repairs", "--yes", check=False)
    assert "still-read" in refused.stderr
