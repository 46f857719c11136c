"""What the next commit would hold is checked, and not what else stands there; in real repositories of git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dapflow.project import known_texts
from dapflow.review import examine
from tests.cli.in_process import dapflow
from tests.local.projects import SERVICE, TRANSFORM

SQL = "transforms/housing/refined/repair_costs.sql"
WRONG = TRANSFORM.replace("sum(cost)", "sum(costs)")
UNTIDY = TRANSFORM.replace("SELECT", "select ")


def git(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in a folder of a repository, all of it committed."""
    made = tmp_path / "a repository" / "the project"
    write(made, "transforms/housing/service.yml", SERVICE)
    write(made, SQL, TRANSFORM)
    git(made.parent, "init", "--quiet")
    git(made, "add", ".")
    git(made, "commit", "--quiet", "--message", "Begin")
    return made


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def check(root: Path) -> tuple[int, str]:
    done = dapflow("check", "--staged", cwd=root)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_what_is_staged_counts_and_not_what_stands_there(root: Path) -> None:
    write(root, SQL, WRONG)
    write(root, "transforms/housing/refined/half.sql", "select")
    assert check(root) == (0, ""), "nothing is staged"
    git(root, "add", SQL)
    write(root, SQL, TRANSFORM)
    status, said = check(root)
    assert (status, f"{SQL}:1:39: " in said, "unknown-column]" in said) == (1, True, True)
    assert "half.sql" not in said
    assert "\nNothing is committed: mend it, git add it, and commit again. (git commit --no-verify " in said
    git(root, "add", SQL)
    write(root, SQL, WRONG)
    assert check(root) == (0, "")


def test_what_is_known_of_a_text_is_not_found_out_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dapflow("check", cwd=root).returncode == 0
    write(root, SQL.replace(".sql", ".yml"), "description: What repairs cost.\n")
    git(root, "add", ".")
    monkeypatch.setattr(known_texts, "read_statement", None)
    monkeypatch.setattr(examine, "analyse_text", None)
    assert check(root) == (0, "")


def test_a_file_that_is_gone_is_missed_by_its_readers(root: Path) -> None:
    write(root, "transforms/housing/refined/reader.sql", "SELECT repairs\nFROM housing_refined_zone.repair_costs\n")
    git(root, "add", ".")
    assert check(root) == (0, "")
    git(root, "rm", "--quiet", "--cached", SQL)
    status, said = check(root)
    assert (status, "reader.sql:2:6: " in said) == (1, True), said


def test_the_layout_of_what_is_staged_counts(root: Path) -> None:
    """Of nothing else: who commits another file is not told of it."""
    write(root, SQL, UNTIDY)
    git(root, "add", SQL)
    status, said = check(root)
    assert (status, said.splitlines()) == (
        1,
        [
            f"{SQL} is not in the house style",
            "",
            f"Nothing is committed: dapflow format {SQL}, git add it, and commit again. "
            "(git commit --no-verify commits it as it is.)",
        ],
    )
    git(root, "commit", "--quiet", "--message", "Untidy")
    write(root, "transforms/housing/refined/other.sql", TRANSFORM)
    git(root, "add", ".")
    assert check(root) == (0, "")


def test_a_hook_of_somebody_else_stays(root: Path) -> None:
    hook = root.parent / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 0\n")
    refused = dapflow("check", "--install-hook", cwd=root)
    assert (refused.returncode, "[hook]" in refused.stderr) == (1, True)
    assert "add a line to it: " in refused.stderr
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    hook.unlink()
    git(root, "config", "core.hooksPath", str(root / "shared"))
    assert "core.hooksPath is set" in dapflow("check", "--install-hook", cwd=root).stderr
    assert not (root / "shared").exists()
    assert "[option]" in dapflow("check", "--install-hook", "--staged", cwd=root).stderr


@pytest.mark.slow
def test_git_commits_nothing_that_is_wrong(root: Path) -> None:
    """With all ways to name what is committed; in a second working tree as well."""
    for _ in range(2):
        done = dapflow("check", "--install-hook", cwd=root)
        assert done.stdout.endswith("/hooks/pre-commit: git checks transforms/ before each commit\n"), done.stderr
    other = root.parent.parent / "another tree"
    git(root, "worktree", "add", "--quiet", "-b", "other", str(other))
    for project in (root, other / root.name):
        write(project, SQL, WRONG)
        for words in (["--all"], ["--", SQL]):
            refused = git(project, "commit", "--message", "Wrong", *words, check=False)
            assert (refused.returncode, f"{SQL}:1:39: " in refused.stderr) == (1, True), refused.stderr
        write(project, "notes.md", "Nothing of the platform's.\n")
        git(project, "add", "notes.md")
        git(project, "commit", "--quiet", "--message", "Notes")
        assert git(project, "status", "--porcelain", "--", SQL).stdout.startswith(" M "), "it waits to be mended"
        write(project, SQL, TRANSFORM + "-- and so on\n")
        git(project, "commit", "--all", "--quiet", "--message", f"Right, in {os.fspath(project)}")
        assert git(project, "status", "--porcelain").stdout == ""
