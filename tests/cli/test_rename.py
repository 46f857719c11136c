"""``dapflow rename`` where something is published: what it says of the data, and that they are as it says."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.in_process import PlatformProject
from tests.local.projects import SERVICE

OLD, NEW = "sewers.refined.repair_costs", "sewers.refined.costs"
FILE = "transforms/sewers/refined/repair_costs.sql"
WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


@pytest.mark.slow
def test_what_was_published_stays_and_the_new_name_is_built(platform: PlatformProject) -> None:
    platform.write("transforms/sewers/service.yml", SERVICE)
    platform.write("repairs.csv", "id,cost,done\n1,10.5,true\n")
    for night in ("2024-06-04", "2024-06-05"):
        export = str(platform.root / "repairs.csv")
        platform.run("land", export, "--to", "sewers.repairs", "--date", night)
        platform.write(FILE, "SELECT done, count(*) AS repairs FROM repairs GROUP BY done\n")
        platform.run("run", "sewers", "-g", night)
    for words in (("init", "-q"), ("add", "transforms"), (*WHO, "commit", "-q", "-m", "All of it")):
        subprocess.run(["git", "-C", str(platform.root), *words], check=True)

    said = json.loads(platform.run("rename", OLD, "costs", "--json").stdout)
    assert said["published"] == {"old": ["2024-06-04", "2024-06-05"], "new": []}
    command = f"dapflow backfill {NEW} --from 2024-06-04 --to 2024-06-05"
    assert said["next"] == [command]
    count = "SELECT count(*) FROM sewers_refined_zone."
    assert platform.run("query", f"{count}repair_costs_history", "--csv").stdout.split() == ['"_col0"', '"2"']
    assert _orphans(platform) == [OLD]

    # Back, where nothing was built: the history is its own.
    back = platform.run("rename", NEW, "repair_costs")
    assert f"{OLD} has 2 generations, 2024-06-04 to 2024-06-05, as it was called so before." in back.stdout
    assert _orphans(platform) == []
    platform.run("rename", OLD, "costs")
    platform.run(*command.split()[1:], "--yes")
    assert platform.run("query", f"{count}costs_history", "--csv").stdout.split() == ['"_col0"', '"2"']

    # Another product may not go on with what was published by a name that it never had.
    platform.write("transforms/sewers/refined/done.sql", "SELECT done FROM repairs\n")
    other = platform.run("rename", "sewers.refined.done", "repair_costs", check=False)
    assert f"something else was published as {OLD}" in other.stderr
    assert f"hint: choose another name, or remove it: dapflow remove {OLD}" in other.stderr
    platform.run("remove", OLD, "--yes")
    assert platform.run("rename", "sewers.refined.done", "repair_costs", "--dry-run").returncode == 0


def _orphans(platform: PlatformProject) -> list[str]:
    """What is published of this service, and has no file; other tests leave others on the platform."""
    orphans: list[str] = json.loads(platform.run("check", "--json").stdout)["orphans"]
    return [orphan for orphan in orphans if orphan.startswith("sewers.")]
