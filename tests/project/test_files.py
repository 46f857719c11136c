"""Strange files and folders: a clear error for each, never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dapflow.errors import DapflowError
from dapflow.project import check_project, compile_project
from dapflow.root import find_project
from tests.project.writing import codes_of, write_project


def messages(root: Path) -> list[str]:
    return [f"{error.file}: {error.message} [{error.code}]" for error in check_project(root)[1]]


def test_no_transforms_folder(tmp_path: Path) -> None:
    with pytest.raises(DapflowError) as caught:
        compile_project(tmp_path)
    assert caught.value.code == "no-project"
    (tmp_path / "transforms").write_text("a file")
    with pytest.raises(DapflowError, match="no transforms/ folder"):
        compile_project(tmp_path)


def test_the_nearest_folder_with_transforms(tmp_path: Path) -> None:
    root = write_project(tmp_path / "repository", {"air/refined/x.sql": "select 1 as a"})
    assert find_project(root / "transforms" / "air" / "refined") == root
    with pytest.raises(DapflowError, match="or above it"):
        find_project(tmp_path)


def test_a_folder_called_like_a_file(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql/inner.sql": "select 1 as a"})
    (root / "transforms" / "b" / "service.yml").mkdir(parents=True)
    assert messages(root) == [
        "transforms/air/refined/x.sql: this is a folder, not a file [unreadable-file]",
        "transforms/b/service.yml: this is a folder, not a file [unreadable-file]",
    ]


def test_links(tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", {"air/refined/x.sql": "select 1 as a"})
    (tmp_path / "elsewhere.sql").write_text("select 2 as b")
    refined = root / "transforms" / "air" / "refined"
    (refined / "linked.sql").symlink_to(tmp_path / "elsewhere.sql")
    assert "air.refined.linked" in compile_project(root).datasets
    (refined / "broken.sql").symlink_to("nowhere.sql")
    (refined / "loop.sql").symlink_to("loop.sql")
    (refined / "again").symlink_to(".", target_is_directory=True)
    told = messages(root)
    assert told[0] == "transforms/air/refined/again/broken.sql: nothing reads a transform here [misplaced-file]"
    assert "transforms/air/refined/broken.sql: cannot be read: No such file or directory [unreadable-file]" in told
    assert any(message.startswith("transforms/air/refined/loop.sql: cannot be read") for message in told)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql": "select 1 as a"})
    os.mkfifo(root / "transforms" / "air" / "refined" / "pipe.sql")
    assert messages(root) == ["transforms/air/refined/pipe.sql: this is not a file of text [unreadable-file]"]


def test_names_that_differ_by_case(tmp_path: Path) -> None:
    root = write_project(
        tmp_path, {"air/refined/delays.sql": "select 1 as a", "air/refined/Delays.sql": "select 1 as a"}
    )
    if len(list((root / "transforms" / "air" / "refined").iterdir())) == 1:
        pytest.skip("this disk does not tell case")
    assert any("two files for one product: Delays.sql and delays.sql" in message for message in messages(root))


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    long = "x" * 240
    assert codes_of(tmp_path, {f"air/refined/{long}.sql": "select 1 as a"}) == ["bad-name"]
    assert codes_of(tmp_path / "b", {"air/service.yml": f"sources: {{{long}: }}"}) == ["bad-name"]
    assert codes_of(tmp_path / "c", {f"{'x' * 40}/service.yml": ""}) == ["bad-name"]


def test_hidden_files_and_others_are_left_alone(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "air/refined/.x.sql.swp": b"\x00\xff",
        "air/.DS_Store": b"\x00",
        ".git/config": "x",
        "README.md": "x",
        "air/README.md": "x",
        "air/refined/notes.txt": "x",
        "air/queries/notes.txt": "x",
    }
    assert codes_of(tmp_path, files) == []


def test_an_ending_in_upper_case(tmp_path: Path) -> None:
    assert codes_of(tmp_path, {"air/refined/x.SQL": "select 1 as a"}) == ["bad-name"]


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", bytes(range(256)), b"\x00" * 1000, b"\x80", b"'" * 1001, b"(" * 9000, b"select " + b"f(" * 3000],
)
def test_garbage(tmp_path: Path, content: bytes) -> None:
    root = write_project(tmp_path, {"air/refined/x.sql": content, "b/service.yml": content})
    manifest, errors = check_project(root)
    assert manifest is None
    assert {error.file for error in errors} == {"transforms/air/refined/x.sql", "transforms/b/service.yml"}


def test_a_statement_as_long_as_athena_takes(tmp_path: Path) -> None:
    head = "select 1 as a --"
    assert codes_of(tmp_path, {"air/refined/x.sql": head + "é" * ((260_000 - len(head)) // 2)}) == []
    assert codes_of(tmp_path, {"air/refined/x.sql": head + "é" * (262_144 // 2)}) == ["sql-too-long"]
