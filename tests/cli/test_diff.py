"""``dapflow diff``: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.local.projects import LocalProject

PRODUCT = "bins.refined.rounds"
DAYS = ("--generation", "2024-06-05", "--with", "2024-06-04")


@pytest.fixture(scope="module")
def rounds(platform: LocalProject) -> LocalProject:
    """A product of two nights: one round is new, one is gone, and one has another figure and note."""
    platform.write("transforms/bins/service.yml", "title: Bins\n")
    platform.write("transforms/bins/refined/rounds.yml", "checks: {keys: {unique: round}}\n")
    for night, rows in {
        "2024-06-04": "('a', 1, 'x'), ('b', 2, 'to be | seen'), ('c', 3, 'z')",
        "2024-06-05": "('a', 1, 'x'), ('b', 5, NULL), ('d', 4, 'w')",
    }.items():
        text = f"SELECT * FROM (VALUES {rows}) AS t(round, bins, note)\n"
        platform.write("transforms/bins/refined/rounds.sql", text)
        platform.run("run", PRODUCT, "-g", night, "--rows", "0")
    return platform


def diff(platform: LocalProject, *arguments: str, status: int) -> subprocess.CompletedProcess[str]:
    done = platform.run("diff", PRODUCT, *arguments, check=False)
    assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
    return done


def test_a_difference_is_status_1_and_said_in_sentences_and_tables(rounds: LocalProject) -> None:
    done = diff(rounds, *DAYS, status=1)
    assert done.stdout == (
        f"{PRODUCT}: 2024-06-05, compared with 2024-06-04\n"
        "The columns are the same.\n"
        "Rows are told apart by round: 3 in 2024-06-05, 3 in 2024-06-04.\n"
        "1 only in 2024-06-05, 1 only in 2024-06-04, 1 changed, 1 the same.\n"
        "\n"
        "Columns that differ, over all rows; 2024-06-04 → 2024-06-05:\n"
        "column  changed  NULLs  least             greatest  average\n"
        "bins          1  0      1                 3 → 5     2 → 3.333333333\n"
        "note          1  0 → 1  to be | seen → w  z → x\n"
        "\n"
        "Only in 2024-06-05:\n"
        "round  bins  note\n"
        "d      4     w\n"
        "\n"
        "Only in 2024-06-04:\n"
        "round  bins  note\n"
        "c      3     z\n"
        "\n"
        "Changed, 2024-06-04 → 2024-06-05:\n"
        "round  bins   note\n"
        "b      2 → 5  to be | seen → NULL\n"
    )
    before, after = done.stderr.splitlines()
    assert before.startswith("comparing 2024-06-05 with 2024-06-04: at most ")
    assert before.endswith(" to scan, about $0.0001 on AWS")
    assert after.startswith("2 queries, ")
    assert after.endswith(" scanned")


def test_the_same_is_status_0(rounds: LocalProject) -> None:
    same = diff(rounds, "-g", "2024-06-04", "--with", "20240604", status=0)
    assert same.stdout.splitlines()[1:] == [
        "The columns are the same.",
        "Rows are told apart by round: 3 in 2024-06-04, 3 in 2024-06-04.",
        "All are the same.",
    ]


@pytest.mark.slow
def test_programs_read_json_and_pull_requests_markdown(rounds: LocalProject) -> None:
    document = json.loads(diff(rounds, "--with", "2024-06-04", "--key", "Note", "-n", "1", "--json", status=1).stdout)
    assert (document["here"], document["same"], document["key"]) == ("2024-06-05", False, ["note"])
    assert document["rows"] == {
        "here": 3, "there": 3, "only_here": 2, "only_there": 2, "changed": 0, "equal": 1,
    }  # fmt: skip
    assert [row["kind"] for row in document["sample"]] == ["here", "there"]
    markdown = diff(rounds, *DAYS, "--markdown", status=1).stdout
    assert markdown.startswith(f"### {PRODUCT}: 2024-06-05, compared with 2024-06-04\n")
    assert "\n| round | bins | note |\n| --- | --- | --- |\n| b | 2 → 5 | to be \\| seen → NULL |\n" in markdown


@pytest.mark.slow
def test_a_file_is_compared_with_what_is_published_and_nothing_is_made(rounds: LocalProject) -> None:
    rounds.run("run", "housing", "-g", "2024-06-05", "--rows", "0")
    tables = rounds.client("glue").get_tables(DatabaseName="housing_refined_zone")["TableList"]
    draft = (
        "SELECT done, count(*) AS repairs, sum(cost) + IF(done, 1, 0) AS cost FROM repairs GROUP BY done; -- a draft\n"
    )
    rounds.write("draft.sql", draft)
    arguments = ("diff", "repair_costs", "--against", str(rounds.root / "draft.sql"), "--key", "done")
    done = rounds.run(*arguments, "--json", check=False)
    document = json.loads(done.stdout)
    assert (done.returncode, document["rows"]["changed"], document["rows"]["equal"]) == (1, 1, 1)
    changed = document["sample"][0]
    assert (changed["here"], changed["there"]) == ({"cost": "11.5"}, {"cost": "10.5"})
    assert (document["here"], document["there"]) == (f"{rounds.root}/draft.sql 2024-06-05", "2024-06-05")
    rounds.write("draft.sql", (rounds.root / "transforms/housing/refined/repair_costs.sql").read_text())
    assert rounds.run(*arguments, "--rows", "0").stdout.endswith("All are the same.\n")
    assert rounds.client("glue").get_tables(DatabaseName="housing_refined_zone")["TableList"] == tables
    for text, said in {
        "SELECT doone FROM repairs": "draft.sql:1:8: ",
        "SELECT done FROM nothing": "[DAP009 unknown-table]",
        "SELECT done,, cost FROM repairs": "[DAP001 sql-syntax]",
        "SELECT true AS done, 1 / (id - id) AS cost FROM repairs WHERE id = 1": "Division by zero",
        "SELECT done, cost FROM housing_refined_zone.repair_costs": "housing.refined.repair_costs reads itself [",
    }.items():
        rounds.write("draft.sql", text)
        refused = rounds.run(*arguments, check=False)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
    assert "[option]" in diff(rounds, "--against", "x.sql", "--branch", "x", status=2).stderr
    nowhere = diff(rounds, "--against", "/nowhere.sql", status=2).stderr
    assert "the file cannot be read: No such file or directory [file]\nhint: --against takes a file; " in nowhere


def test_what_is_not_compared_is_not_said_to_be_the_same(rounds: LocalProject) -> None:
    for text, said in {
        "SELECT round, bins FROM (VALUES ('a', 1), ('b', 5), ('d', 4)) AS t(round, bins)": (
            "Rows are told apart by round: 3 in {draft}, 3 in 2024-06-05.\n"
            "All are the same in the columns that were compared.\n"
        ),
        "SELECT 1 AS other": (
            "Rows are not compared, because no column of both has values that compare: 1 in {draft}, 3 in 2024-06-05.\n"
            "1 only in {draft}, 3 only in 2024-06-05, 0 the same.\n"
        ),
    }.items():
        rounds.write("part.sql", text)
        file = rounds.root / "part.sql"
        done = diff(rounds, "-g", "2024-06-05", "--against", str(file), status=1)
        assert done.stdout.endswith(said.format(draft=f"{file} 2024-06-05"))


def test_what_cannot_be_compared_is_status_2(rounds: LocalProject) -> None:
    assert "[option]" in diff(rounds, status=2).stderr
    assert '"option"' in diff(rounds, *DAYS, "--json", "--markdown", status=2).stdout
    missing = diff(rounds, "--with", "2024-06-03", status=2).stderr
    assert f"generation 2024-06-03 of {PRODUCT} is not published [not-published]" in missing
    assert (
        f"hint: `dapflow history {PRODUCT}` lists what there is, and dapflow run {PRODUCT} -g D publishes more"
        in missing
    )
    assert "[DAP011 unknown-column]" in diff(rounds, *DAYS, "-k", "rond", status=2).stderr
    assert "[generation]" in diff(rounds, "--with", "yesterday", status=2).stderr
    assert "[branch-not-up]" in diff(rounds, "--branch", "nothing", status=2).stderr
    wrong = json.loads(diff(rounds, *DAYS, "--key", "rond", "--json", status=2).stdout)
    assert wrong["errors"][0]["code"] == "unknown-column"
