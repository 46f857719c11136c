"""``dapflow branch plan`` in a git repository, as people type it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dapflow.cli.branch_comment import MARKER, MOST_BYTES, shortened
from tests.changes.flights import PRODUCTS, project
from tests.cli.in_process import dapflow


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=docs", "-c", "user.email=docs@example.org"]
    done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


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


def test_the_plan_says_what_a_limit_would_leave(repository: Path) -> None:
    rewrite(repository, "by_carrier", "max(km) AS furthest", "max(km) AS furthest, min(km) AS nearest")
    limits = ("--since", "2013-12-01", "--sample", "12.5%", "--by", "Carrier")
    *_, since, sample = dapflow("branch", "plan", *limits, cwd=repository).stdout.splitlines()
    assert since == "Limited, since 2013-12-01: no history is read."
    assert sample.startswith("Limited, 12.5 % by carrier: ")
    assert "air.refined." in sample
    assert f"\n{since}\n" in dapflow("branch", "plan", "--markdown", *limits, cwd=repository).stdout
    limit = json.loads(dapflow("branch", "plan", "--json", *limits, cwd=repository).stdout)["limit"]
    assert (limit["since"], limit["percent"], limit["by"]) == ("2013-12-01", 12.5, "carrier")
    refused = dapflow("branch", "plan", "--sample", "10%", "--by", "nothing", cwd=repository)
    assert "--by nothing: no input of what is built has such a column [option]" in refused.stderr


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


def test_the_plan_in_markdown_shows_what_people_typed_as_it_is(repository: Path) -> None:
    rewrite(repository, "by_carrier", "max(km) AS furthest", """max(km) AS "fur|`@octocat` <b>#1 $x$&lt;\n[a](b)" """)
    page = dapflow("branch", "plan", "--markdown", cwd=repository)
    assert page.returncode == 0, page.stderr
    first, _, base, _, head, line, row, *_, last = page.stdout.splitlines()
    assert (first, head) == ("### What the branch builds", "| product | here | effect | why |")
    assert base.startswith("Compared with main at ")
    assert line == "| --- | --- | --- | --- |"
    name = "fur\\|\\`@&#8203;octocat\\` \\<b\\>#&#8203;1 &#36;x&#36;\\&lt; \\[a\\](b)"
    assert row.startswith(f"| air.refined.by\\_carrier | built | breaking | its text is changed: {name}")
    assert last == f"2 built, {len(PRODUCTS) - 2} deferred.", "and what reads every column"
    refused = dapflow("branch", "plan", "--markdown", "--json", cwd=repository)
    assert (refused.returncode, '"option"' in refused.stdout) == (1, True)


def test_what_is_not_up_is_said_not_to_be(repository: Path) -> None:
    for words in (["run"], ["diff"], ["extend", "--days", "3"]):
        refused = dapflow("branch", words[0], "fix/names", *words[1:], cwd=repository)
        assert (refused.returncode, "[branch-not-up]" in refused.stderr) == (1, True), refused.stderr


class TestComment:
    """The comment on a pull request, as far as it needs no platform."""

    def page(self, root: Path, *arguments: str) -> str:
        said = dapflow("branch", "diff", "fix/@names", "--comment", "--yes", *arguments, cwd=root)
        assert (said.returncode, said.stderr.removeprefix("planning and checking\n")) == (0, "")
        return said.stdout

    def test_it_holds_the_plan_what_check_finds_and_why_no_data_are_compared(self, repository: Path) -> None:
        rewrite(repository, "named", "'unknown'", "'none'")
        page = self.page(repository)
        assert page.startswith(f"{MARKER}\n## fix/@&#8203;names\n\n### What the branch builds\n")
        assert "| air.refined.named | built | values |" in page
        assert (
            "\n### What `dapflow check` finds\n\n- **transforms/air/refined/everything.sql:1:8** warning: \\* is "
            in page
        )
        assert f"\nNo errors, and 3 warnings, in {len(PRODUCTS)} transforms of one service.\n" in page
        reason = "- there is no environment of a branch fix/@&#8203;names \\[branch-not-up\\]. "
        assert f"\n### What differs in data\n\nNothing was compared.\n\n{reason}" in page
        # A workflow knows the commit, and no branch of that name.
        commit = git(repository, "rev-parse", "main")
        by_commit = self.page(repository, "--against", commit)
        assert by_commit == page.replace(f"Compared with main at {commit[:9]},", f"Compared with {commit[:9]},")

    def test_mistakes_stand_in_it_and_do_not_keep_it_from_being_written(self, repository: Path) -> None:
        rewrite(repository, "named", "SELECT", "SELECT `carrier`,")
        page = self.page(repository)
        assert "Not known: nothing is planned before the mistakes below are mended." in page
        assert "\n\n- **transforms/air/refined/named.sql:2:12** a backquote (\\`) " in page, "mistakes first"
        assert "\\[sql-syntax\\]" in page
        assert "\nNo errors" not in page
        rewrite(repository, "named", "SELECT `carrier`,", "SELECT")
        assert "Not known: no/such and what is checked out have no commit in common." in self.page(
            repository, "--against", "no/such"
        )

    def test_it_says_what_breaks_and_what_tests_say(self, repository: Path) -> None:
        """Readers as they are in the base; tests that fail with their rows, and how much is tested."""
        page = self.page(repository)
        assert "### What breaks" not in page
        assert f"\n### What `dapflow test` says\n\nNo tests passed, of no transforms. 0 of {len(PRODUCTS)} " in page
        rewrite(repository, "named", "c.delay, c.km", "c.km")
        rewrite(repository, "ranked", "ORDER BY delay DESC, id", "ORDER BY id")
        rewrite(repository, "ranked", "WHERE delay > 0", "")
        tests = repository / "transforms" / "air" / "tests" / "by_origin.yml"
        tests.parent.mkdir()
        given = "given: {clean: [{origin: LHR}, {origin: LHR}]}"
        tests.write_text(
            "transform: by_origin\ntests:\n"
            f"  right: {{{given}, expect: [{{flights: 2}}]}}\n  '@wrong': {{{given}, expect: [{{flights: 3}}]}}\n"
        )
        page = self.page(repository)
        breaks = page.partition("\n### What breaks those who read it\n\n")[2]
        assert breaks.startswith(
            "- air.refined.named: column delay is gone. Read by air.refined.ranked (delay); it is published once "
            "dapflow accept-schema air.refined.named has accepted that.\n"
        )
        assert (
            "- **transforms/air/tests/by\\_origin.yml:4** @&#8203;wrong failed\n"
            "  - one row expected, 1 came, 0 of them as expected\n  - row 1\n  - flights: expected 3, came 2\n"
        ) in page
        assert "\n1 of 2 tests failed, of one transform. 1 of " in page
        tests.write_text("transform: nothing\n")
        assert "\n- **transforms/air/tests/by\\_origin.yml:1:" in self.page(repository)

    def test_options_that_would_be_read_by_nothing_are_refused(self, repository: Path) -> None:
        for arguments in (["--comment", "--markdown"], ["--against", "main"]):
            refused = dapflow("branch", "diff", *arguments, cwd=repository)
            assert (refused.returncode, "[option]" in refused.stderr) == (1, True)


@pytest.mark.parametrize("letter", ["x", "ü", "文"])
def test_what_a_comment_does_not_hold_is_left_out_and_that_is_said(letter: str) -> None:
    table = [f"| {number} | {letter * 100} |" for number in range(2_000)]
    cut = shortened([MARKER, "<details><summary>a</summary>", "", *table, "", "</details>"])
    assert MOST_BYTES - 500 < len(cut.encode()) <= MOST_BYTES
    *rows, last, _, closing, _, said = cut.splitlines()
    assert (rows[0], last in table) == (MARKER, True), "whole lines"
    assert (closing, said.startswith("*The rest is left out: ")) == ("</details>", True), "what is folded is closed"
    assert shortened([MARKER, *table[:100]]) == "\n".join([MARKER, *table[:100]]) + "\n"
