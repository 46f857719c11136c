"""Whose review GitHub asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.project.codeowners import FILE, check_codeowners, write_codeowners
from tests.docs.markdown import ROOT
from tests.project.writing import write_project

PLATFORM = '[tool.dapflow]\nreviewers = ["@us/data-platform", "@someone"]\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PLATFORM)
    files: dict[str, str | bytes] = {
        "air/service.yml": 'reviewers: ["@us/air", "@someone-else"]\nowner: air@example.org\n',
        "rail/service.yml": "owner: rail@example.org\n",
        "road/service.yml": "owner: The Roads Team, 2nd floor\n",
        "sea/service.yml": "title: Sea\n",
        # Who commits SQL that cannot be read is asked for a review all the same.
        "sea/refined/x.sql": "selct 1",
    }
    return write_project(tmp_path, files)


def test_services_review_their_folders_and_the_platform_all_else(root: Path) -> None:
    assert write_codeowners(root) == root / FILE
    lines = (root / FILE).read_text().splitlines()
    assert lines[1:] == [
        "* @us/data-platform @someone",
        "/transforms/air/ @us/air @someone-else",
        "/transforms/rail/ rail@example.org",
        "/transforms/road/ @us/data-platform @someone",
        "/transforms/sea/ @us/data-platform @someone",
        "/dags/ @us/data-platform @someone",
        "/stacks/ @us/data-platform @someone",
        "/.github/ @us/data-platform @someone",
    ]
    assert check_codeowners(root) == []


def test_a_file_that_is_not_current_is_told_with_its_line(root: Path) -> None:
    assert check_codeowners(root) == [], "a repository without the file is none of GitHub's"
    write_codeowners(root)
    file = root / FILE
    current = file.read_text()
    cases = {
        # The line of a service of somebody else's was taken over.
        current.replace("rail@example.org", "air@example.org"): (4, "'/transforms/rail/ rail@example.org'"),
        current + "/transforms/rail/ air@example.org\n": (10, "should not be there"),
        current.replace("/.github/ @us/data-platform @someone\n", ""): (9, "'/.github/ @us/data-platform @someone'"),
        "": (1, "Written by"),
    }
    for text, (line, said) in cases.items():
        file.write_text(text)
        [error] = check_codeowners(root)
        assert (error.code, error.file, error.line) == ("stale-codeowners", FILE, line)
        assert said in error.message
    write_codeowners(root)
    (root / "transforms/tram").mkdir()
    (root / "transforms/tram/service.yml").write_text("title: Tram\n")
    assert [finding.line for finding in check_codeowners(root)] == [7], "a new service has no line yet"


def test_somebody_reviews_the_platform(root: Path) -> None:
    (root / "pyproject.toml").write_text("[tool.dapflow]\n")
    with pytest.raises(DapflowError) as caught:
        write_codeowners(root)
    assert caught.value.code == "no-reviewers"
    assert not (root / FILE).exists()


@pytest.mark.parametrize("reviewers", ['"@us/data"', '["data platform"]', "[1]", '["@us/a b"]', '["a@b\\n* @me"]'])
def test_what_github_does_not_take(root: Path, reviewers: str) -> None:
    (root / "pyproject.toml").write_text(f"[tool.dapflow]\nreviewers = {reviewers}\n")
    with pytest.raises(DapflowError) as caught:
        write_codeowners(root)
    assert caught.value.code == "bad-settings"


def test_that_of_this_repository_is_current() -> None:
    assert (ROOT / FILE).is_file()
    assert check_codeowners(ROOT) == []
