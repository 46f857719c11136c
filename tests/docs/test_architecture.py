"""The import rule between rooms: docs/architecture.md states it, and the source keeps it."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT
from tests.source import outline

pytestmark = pytest.mark.xdist_group("source")
PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "dapflow"
# Only type checkers import these.
TYPE_STUBS = re.compile(r"mypy_boto3_\w+|_typeshed")


@cache
def rule() -> dict[str, tuple[set[str], set[str]]]:
    """For each room the rooms and the packages that it may import."""
    rooms = {}
    for first, second, third in re.findall(r"^\| (`.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE):
        for room in re.findall(r"`([\w/]+)`", first):
            rooms[room] = (words(second), words(third))
    return rooms


def words(cell: str) -> set[str]:
    return {"any"} if cell == "any" else set(re.findall(r"`([\w/]+)`", cell))


def imported(file: Path) -> Iterator[str]:
    """The dotted names that a file imports."""
    for node, _ in outline(file).imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif node.module:
            assert node.level == 0, f"{file}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms() -> dict[str, list[Path]]:
    """The files of each room: modules and packages of dapflow, and stacks."""
    files: dict[str, list[Path]] = {"stacks": list((ROOT / "stacks").rglob("*.py"))}
    for file in PACKAGE.rglob("*.py"):
        files.setdefault(file.relative_to(PACKAGE).with_suffix("").parts[0], []).append(file)
    return files


def within(name: str, room: str) -> bool:
    """Whether a dotted or slashed name is of a room, or of something within it."""
    return f"{name.replace('.', '/')}/".startswith(f"{room}/")


def test_every_room_is_in_the_table() -> None:
    assert rooms().keys() - {"__init__", "__main__"} == {room for room in rule() if "/" not in room}
    assert all((PACKAGE / room).is_dir() for room in rule() if "/" in room)


def closest(file: Path) -> str:
    """The innermost room of the table that a file stands in."""
    if file.is_relative_to(ROOT / "stacks"):
        return "stacks"
    name = file.relative_to(PACKAGE).with_suffix("").as_posix()
    return max((room for room in rule() if within(name, room)), key=len)


def may_import(inner: str, name: str) -> bool:
    """Whether a room may import a dotted name; what is within the room is open to it but for rooms with a line."""
    table = rule()
    may_rooms, may_packages = table[inner]
    top, *rest = name.split(".")
    if top == "stacks":
        return inner == "stacks"
    if top != "dapflow":
        ours = top in sys.stdlib_module_names or TYPE_STUBS.fullmatch(top) is not None
        return ours or "any" in may_packages or top in may_packages
    if "any" in may_rooms or not rest or rest[0] == "__version__":
        return True
    path = "/".join(rest)
    deeper = [other for other in table if within(other, inner) and other != inner]
    return any(within(path, other) for other in {*may_rooms, inner}) and not any(
        within(path, other) for other in deeper
    )


def test_rooms_import_what_the_table_allows() -> None:
    files = {file for room in rule().keys() & rooms().keys() for file in rooms()[room]}
    assert not [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in sorted(files)
        for name in imported(file)
        if not may_import(closest(file), name)
    ]


def test_nothing_imports_the_command_line_or_the_stacks() -> None:
    reached = {target for room, (may, _) in rule().items() if room != "cli" for target in may}
    assert not reached & {"cli", "stacks"}
