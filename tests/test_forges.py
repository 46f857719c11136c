"""Where files are shown, by the forms that git's remotes have."""

from __future__ import annotations

import pytest

from dapflow.forges import file_address

SHA = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/team/data.git", f"https://github.com/team/data/blob/{SHA}/{{path}}"),
        ("git@github.com:team/data.git", f"https://github.com/team/data/blob/{SHA}/{{path}}"),
        ("ssh://git@github.example.org:2222/team/data", f"https://github.example.org/team/data/blob/{SHA}/{{path}}"),
        ("https://me:secret@gitlab.com/a/b/c.git", f"https://gitlab.com/a/b/c/-/blob/{SHA}/{{path}}"),
        ("git@gitlab.example.org:a/b.git", f"https://gitlab.example.org/a/b/-/blob/{SHA}/{{path}}"),
        ("git@bitbucket.org:team/data.git", f"https://bitbucket.org/team/data/src/{SHA}/{{path}}"),
        ("https://codeberg.org/team/data.git", f"https://codeberg.org/team/data/src/commit/{SHA}/{{path}}"),
        (
            "https://me@dev.azure.com/org/The%20Project/_git/data",
            f"https://dev.azure.com/org/The%20Project/_git/data?path=/{{path}}&version=GC{SHA}&_a=contents",
        ),
        (
            "git@ssh.dev.azure.com:v3/org/project/data",
            f"https://dev.azure.com/org/project/_git/data?path=/{{path}}&version=GC{SHA}&_a=contents",
        ),
        (
            "https://git-codecommit.eu-west-2.amazonaws.com/v1/repos/data",
            "https://eu-west-2.console.aws.amazon.com/codesuite/codecommit/repositories/data/browse/"
            f"{SHA}/--/{{path}}?region=eu-west-2",
        ),
        (
            "codecommit::eu-west-2://data",
            "https://eu-west-2.console.aws.amazon.com/codesuite/codecommit/repositories/data/browse/"
            f"{SHA}/--/{{path}}?region=eu-west-2",
        ),
    ],
)
def test_addresses(remote: str, address: str) -> None:
    assert file_address(remote, SHA) == address
    assert "secret" not in file_address(remote, SHA)


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/git/data.git",
        "../data.git",
        "file:///srv/git/data.git",
        "git@example.org:team/data.git",
        "work-github:team/data.git",
        "https://notgithub.com/team/data",
        "https://github.com/data",
        "codecommit://data",
        "https://dev.azure.com/org/data",
    ],
)
def test_of_others_nothing_is_said(remote: str) -> None:
    assert file_address(remote, SHA) == ""


def test_a_project_may_be_a_folder_of_its_repository() -> None:
    address = f"https://github.com/team/all/blob/{SHA}/data%20platform/x/{{path}}"
    assert file_address("git@github.com:team/all.git", SHA, "data platform/x/") == address
    assert file_address("git@github.com:team/all.git", "", "") == ""
