"""The import rule between rooms: docs/architecture.md states it, and the source keeps it."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.docs.markdown import ROOT

PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "dapflow"
# Only type checkers import these.
TYPE_STUBS = re.compile(r"mypy_boto3_\w+|_typeshed")


def rule() -> dict[str, tuple[set[str], set[str]]]:
    """For each room the rooms and the packages that it may import."""
    rooms = {}
    for first, second, third in re.findall(r"^\| (`.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE):
        for room in re.findall(r"`(\w+)`", first):
            rooms[room] = (words(second), words(third))
    return rooms


def words(cell: str) -> set[str]:
    return {"any"} if cell == "any" else set(re.findall(r"`(\w+)`", cell))


def imported(file: Path) -> Iterator[str]:
    """The dotted names that a file imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{file}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms() -> dict[str, list[Path]]:
    """The files of each room: modules and packages of dapflow, and stacks."""
    found: dict[str, list[Path]] = {"stacks": list((ROOT / "stacks").rglob("*.py"))}
    for file in PACKAGE.rglob("*.py"):
        found.setdefault(file.relative_to(PACKAGE).with_suffix("").parts[0], []).append(file)
    return found


def test_every_room_is_in_the_table() -> None:
    assert rooms().keys() - {"__init__", "__main__"} == rule().keys()


def test_rooms_import_what_the_table_allows() -> None:
    wrong = []
    for room, (may_rooms, may_packages) in rule().items():
        for file in rooms()[room]:
            for name in imported(file):
                top, *rest = name.split(".")
                if top == "dapflow":
                    allowed = "any" in may_rooms or not rest or rest[0] in {*may_rooms, room, "__version__"}
                elif top == "stacks":
                    allowed = room == "stacks"
                else:
                    allowed = (
                        "any" in may_packages
                        or top in may_packages
                        or top in sys.stdlib_module_names
                        or TYPE_STUBS.fullmatch(top) is not None
                    )
                if not allowed:
                    wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_nothing_imports_the_command_line_or_the_stacks() -> None:
    reached = {target for room, (may, _) in rule().items() if room != "cli" for target in may}
    assert not reached & {"cli", "stacks"}
