"""``dapflow branch plan`` in a git repository, as people type it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.changes.flights import PRODUCTS, project
from tests.cli.in_process import dapflow


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=docs", "-c", "user.email=docs@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    # The project is a folder of the repository, and its name is none that a program would choose.
    root = tmp_path / "a repository" / "datá"
    project(root)
    git(root.parent, "init", "--quiet", "--initial-branch", "main")
    git(root.parent, "add", ".")
    git(root.parent, "commit", "--quiet", "--message", "All flights")
    git(root, "switch", "--quiet", "--create", "fix/names")
    return root


def rewrite(root: Path, product: str, old: str, new: str) -> None:
    file = root / "transforms" / "air" / "refined" / f"{product}.sql"
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_the_working_tree_is_compared_with_where_the_branch_left_main(repository: Path) -> None:
    assert dapflow("branch", "plan", cwd=repository).stdout.splitlines()[-1] == f"0 built, {len(PRODUCTS)} deferred."
    rewrite(repository, "named", "'unknown'", "'none'")
    git(repository, "commit", "--quiet", "--all", "--message", "None")
    rewrite(repository, "by_carrier", "max(km) AS furthest", "max(km) AS furthest, min(km) AS nearest")
    rewrite(repository, "clean", "f.origin,", "(f.origin) AS origin,")
    # What others do meanwhile is not this branch's change.
    git(repository, "stash")
    git(repository, "switch", "--quiet", "main")
    rewrite(repository, "longest", "LIMIT 3", "LIMIT 9")
    git(repository, "commit", "--quiet", "--all", "--message", "Nine")
    git(repository, "switch", "--quiet", "fix/names")
    git(repository, "stash", "pop")
    planned = dapflow("branch", "plan", cwd=repository)
    assert (planned.returncode, planned.stderr) == (0, "")
    first, moved, _, *rows, last = planned.stdout.splitlines()
    assert moved == "main has moved on since, by 1 commit that changes transforms/: rebase, and plan again."
    assert first.startswith("Compared with main at ")
    assert {tuple(row.split()[:3]) for row in rows} == {
        ("air.refined.by_carrier", "built", "additive"),
        ("air.refined.named", "built", "values"),
        ("air.refined.countries", "built", "values"),
        ("air.refined.everything", "built", "breaking"),
        ("air.refined.clean", "deferred", "its"),
        ("air.refined.by_origin", "deferred", "it"),
        ("air.refined.lengths", "deferred", "it"),
        ("air.refined.longest", "deferred", "it"),
        ("air.refined.ranked", "deferred", "it"),
        ("air.refined.worst", "deferred", "it"),
    }
    assert last == "4 built, 7 deferred."
    decisions = json.loads(dapflow("branch", "plan", "--json", cwd=repository).stdout)["products"]
    assert [made["dataset"] for made in decisions if not made["built"] and made["reason"] == "unchanged"] == [
        "air.refined.airline_names"
    ]
    # Against main itself nothing but what the branch has changed is there either: git knows where it left.
    assert dapflow("branch", "plan", "--against", "main~1", cwd=repository).stdout.splitlines()[-1] == last


def test_what_there_is_no_base_for_is_said(repository: Path, tmp_path: Path) -> None:
    def refusal(root: Path, *arguments: str) -> str:
        refused = dapflow("branch", "plan", *arguments, cwd=root)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "[no-base]" in refused.stderr
        return refused.stderr

    assert "have no commit in common" in refusal(repository, "--against", "no/such")
    assert "have no commit in common" in refusal(repository, "--against", "--output=x")
    project(tmp_path / "no git")
    assert "git knows no main branch" in refusal(tmp_path / "no git")
    git(repository, "switch", "--quiet", "main")
    rewrite(repository, "clean", "FROM", "FORM")
    git(repository, "commit", "--quiet", "--all", "--message", "Broken")
    git(repository, "switch", "--quiet", "--create", "mend")
    rewrite(repository, "clean", "FORM", "FROM")
    assert "has mistakes, of which the first is in transforms/air/refined/clean.sql:" in refusal(repository)


def test_a_service_that_is_new_is_built_and_what_main_lacked_altogether_too(repository: Path) -> None:
    trees = repository / "transforms" / "trees"
    (trees / "refined").mkdir(parents=True)
    (trees / "service.yml").write_text("sources:\n  trees:\n    columns: {id: integer}\n")
    (trees / "refined" / "many.sql").write_text("SELECT count(*) AS trees FROM trees")
    said = dapflow("branch", "plan", cwd=repository).stdout
    assert "trees.refined.many reads trees.raw.trees, which is new: a branch loads no raw tables" in said
    assert said.endswith(f"1 built, {len(PRODUCTS)} deferred.\n")
