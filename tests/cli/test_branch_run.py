"""A branch's environment without Airflow: brought up, built by hand, and taken down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dapflow.branch import branch_slug
from tests.local.projects import TRANSFORM, LocalProject

BRANCH = "Fix/Costs"
STEM = branch_slug(BRANCH).replace("-", "_")
COSTS = "transforms/housing/refined/repair_costs.sql"
DEAR = "transforms/housing/refined/dear.sql"
BUCKET = "dapflow-local-branches-123456789012"


@pytest.fixture
def changed(platform: LocalProject) -> Iterator[LocalProject]:
    """A project whose main environment is published and whose working tree has a product more, and another comment."""
    platform.write(DEAR, "SELECT done FROM housing_refined_zone.repair_costs WHERE cost > 5.5\n")
    platform.run("local", "up", "--no-airflow")
    platform.run("run", "housing", "--generation", "2024-06-05")
    platform.write(COSTS, f"-- As before.\n{TRANSFORM}")
    platform.write(DEAR, "SELECT done, cost FROM housing_refined_zone.repair_costs WHERE cost > 5.5\n")
    yield platform
    platform.write(COSTS, TRANSFORM)
    (platform.root / DEAR).unlink()
    platform.run("branch", "down", BRANCH, check=False)
    platform.run("local", "up", "--no-airflow")


def inventory(platform: LocalProject) -> dict[str, object]:
    glue, s3 = platform.client("glue"), platform.client("s3")
    names = [database["Name"] for database in glue.get_databases()["DatabaseList"]]
    buckets = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    listed = {bucket: s3.list_objects_v2(Bucket=bucket).get("Contents", []) for bucket in buckets}
    return {
        "tables": {name: sorted(t["Name"] for t in glue.get_tables(DatabaseName=name)["TableList"]) for name in names},
        "workgroups": sorted(g["Name"] for g in platform.client("athena").list_work_groups()["WorkGroups"]),
        "roles": sorted(role["RoleName"] for role in platform.client("iam").list_roles()["Roles"]),
        # What people ask leaves its results.
        "objects": {b: sorted(o["Key"] for o in found) for b, found in listed.items() if "athena-results" not in b},
    }


def rows(platform: LocalProject, database: str, product: str) -> list[str]:
    return platform.run("query", f"SELECT * FROM {database}.{product}", "--csv").stdout.splitlines()[1:]


def build_of_a_part(changed: LocalProject) -> None:
    """Build by a limit, see who says so, and be refused what is none."""
    refused = changed.run("branch", "run", BRANCH, "--sample", "10%", "--by", "ward", check=False)
    assert "--by ward: no input of what is built has such a column [option]" in refused.stderr
    refused = changed.run("branch", "run", BRANCH, "--since", "2024-06-06", check=False)
    assert "--since 2024-06-06: generation 2024-06-05 is to be built, which is older [option]" in refused.stderr
    # Of the two truth values, the hash of this one lies at 70 %.
    part = changed.run("branch", "run", BRANCH, "--sample", "80%", "--by", "done", "--yes")
    assert "limited, 80 % by done: housing.refined.repair_costs\n" in part.stderr
    assert part.stdout == "1 generation published; limited: 80 % by done\n"
    said = changed.run("branch", "diff", BRANCH, "--yes")
    assert " differs (limited) " in said.stdout
    assert "Limited is what was built of a part of its inputs (80 % by done): " in said.stdout
    assert "limited: 80 % by done" in changed.run("branch", "diff", BRANCH, "--yes", "--comment").stdout
    assert "limited: 80 % by done; " in changed.run("history", "dear", "--branch", BRANCH).stdout
    # The same goes on where it was; another one does not.
    again = changed.run("branch", "run", BRANCH, "--sample", "80%", "--by", "done", "--json", "--yes")
    document = json.loads(again.stdout)
    assert (document["limit"]["sampled"], document["steps"]) == (["housing.refined.repair_costs"], [])


def compare(changed: LocalProject) -> None:
    """See what the branch's difference says, in all the forms that it has."""
    # What it does to the data is asked for, and is no failure.
    refused = changed.run("branch", "diff", BRANCH, check=False)
    assert (refused.returncode, "1 product would be compared [option]" in refused.stderr) == (1, True)
    said = changed.run("branch", "diff", BRANCH, "--yes")
    # Before them it may say that it looks.
    announced, step, spent = [line for line in said.stderr.splitlines() if not line.startswith("looking at")]
    assert announced.startswith(f"comparing 1 product of {BRANCH} with local: at most ")
    assert announced.endswith(" to scan, about $0.0001 on AWS")
    assert step == "1 of 1: housing.refined.dear 2024-06-05"
    assert spent.startswith("building read ")
    assert "; in local it read " in spent
    heading, _, row, *_ = said.stdout.splitlines()
    assert heading == f"{BRANCH}, compared with local"
    assert row.split()[1:9] == ["2024-06-05", "differs", "1", "1", "0", "0", "0", "1"]
    assert "Column cost is new, double." in said.stdout
    document = json.loads(changed.run("branch", "diff", BRANCH, "--yes", "--json").stdout)
    (product,) = document["products"]
    assert (product["state"], product["outdated"]) == ("differs", False)
    assert product["build_before"]["bytes_scanned"] == document["build_before"]["bytes_scanned"] > 0
    assert document["comparing"]["usd"] == product["difference"]["usd"] > 0
    page = changed.run("branch", "diff", BRANCH, "--yes", "--comment").stdout
    assert "Not known: git knows no main branch of " in page, "the project is in no repository"
    assert "| housing.refined.dear | 2024-06-05 | differs | 1 | 1 | 0 | 0 | 0 | 1 | " in page
    assert "\nbuilding read " in page
    assert "<details><summary>housing.refined.dear</summary>\n\n### housing.refined.dear: " in page
    assert "[branch-not-up]" in changed.run("branch", "diff", "nothing", "--yes", check=False).stderr
    assert "[generation]" in changed.run("branch", "diff", BRANCH, "-g", "soon", check=False).stderr


@pytest.mark.slow
def test_a_branch_builds_what_it_changes_and_leaves_nothing(changed: LocalProject) -> None:
    before = inventory(changed)
    up = changed.run("branch", "up", BRANCH, "--no-airflow")
    assert ": 1 to build, " in up.stderr
    own = f"dapflow_branch_{STEM}__housing_refined_zone"
    assert f"housing: {own}, " in up.stdout
    assert "libraries (nothing to build): " in up.stdout
    asked = changed.run("branch", "run", BRANCH, "--dry-run")
    assert asked.stdout == "housing.refined.dear 2024-06-05\n"
    planned = changed.run("branch", "diff", BRANCH)
    assert "Not built yet: housing.refined.dear. dapflow branch run Fix/Costs builds what is missing." in planned.stdout
    build_of_a_part(changed)
    built = json.loads(changed.run("branch", "run", BRANCH, "--json", "--yes").stdout)
    assert [made["dataset"] for made in built["publications"]] == ["housing.refined.dear"]
    assert rows(changed, own, "dear") == ['"true","10.5","2024","06","05","20240605"']
    assert rows(changed, "housing_refined_zone", "dear") == ['"true","2024","06","05","20240605"']

    compare(changed)
    extended = changed.run("branch", "extend", BRANCH, "--days", "300")
    expiry = (datetime.now(UTC) + timedelta(days=300)).date().isoformat()
    assert extended.stderr == f"the environment of {BRANCH} expires on {expiry}\n"
    assert f"expires {expiry}" in changed.run("branch", "list").stdout

    # Nothing is computed or copied twice.
    again = changed.run("branch", "run", BRANCH, "--yes")
    assert "nothing to build" in again.stderr
    keys = changed.client("s3").list_objects_v2(Bucket=BUCKET).get("Contents", [])
    assert {key["Key"].split("/")[3] for key in keys if "/refined/" in key["Key"]} <= {"dear", "dapflow-runs"}
    there = inventory(changed)
    assert there["tables"] == before["tables"] | {  # type: ignore[operator]
        name: ["dear", "dear_history"] if name == own else []
        for name in there["tables"]  # type: ignore[attr-defined]
        if name.startswith("dapflow_branch_")
    }

    # What it says of a day that nobody has is what a backfill says.
    missing = changed.run("branch", "run", BRANCH, "--from", "2024-06-01", check=False)
    assert missing.returncode == 1
    assert "housing.refined.repair_costs has no generation 2024-06-01" in missing.stderr

    # Merged, it is what main would compute: the files are the same, and so is what they read.
    merged = changed.run("run", "housing.refined.dear", "--generation", "2024-06-05", "--rows", "0")
    assert f"housing.refined.dear was taken over from {branch_slug(BRANCH)}: nothing was computed" in merged.stdout
    assert rows(changed, "housing_refined_zone", "dear") == ['"true","10.5","2024","06","05","20240605"']
    assert f"taken over from {branch_slug(BRANCH)}; " in changed.run("history", "dear").stdout
    there = inventory(changed)

    changed.run("branch", "down", BRANCH)
    left = {"tables", "workgroups", "roles"}
    assert {key: inventory(changed)[key] for key in left} == {key: before[key] for key in left}
    assert inventory(changed)["objects"] == {**there["objects"], BUCKET: []}  # type: ignore[dict-item]
    gone = changed.run("branch", "run", BRANCH, check=False)
    assert "[branch-not-up]" in gone.stderr


@pytest.mark.slow
def test_a_branch_that_changes_nothing_has_nothing_to_build(platform: LocalProject) -> None:
    platform.run("local", "up", "--no-airflow")
    up = platform.run("branch", "up", "same", "--no-airflow")
    assert " 0 to build, " in up.stderr
    assert platform.run("branch", "run", "same").stderr.endswith("same changes no product\nnothing to build\n")
    # All of it can be asked for.
    platform.run("branch", "up", "same", "--no-airflow", "--all")
    planned = platform.run("branch", "run", "same", "--dry-run", "--from", "2024-06-05", "--on-missing", "skip")
    assert "housing.refined.repair_costs" in planned.stdout + planned.stderr
    platform.run("branch", "down", "same")
