"""The parts of the project's Markdown files that can be tested."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)")
_INLINE = re.compile(r"`(?P<code>[^`\n]+)`")
_HEADING = re.compile(r"^#+ +(?P<title>.+)$")


@dataclass(frozen=True)
class Block:
    """A fenced block. ``info`` is what follows the fence: a language, then ``key=value`` words."""

    file: Path
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        """The first word of the info string."""
        return self.info.split(" ", 1)[0]

    @property
    def attributes(self) -> dict[str, str]:
        """The ``key=value`` words of the info string."""
        return dict(word.split("=", 1) for word in self.info.split()[1:] if "=" in word)

    @property
    def place(self) -> str:
        """``docs/file.md:12``."""
        return f"{self.file.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Step:
    """One ``$ command`` of a console block, and the output shown below it."""

    command: str
    output: list[str]


def documents() -> list[Path]:
    """Every Markdown file of the project that people read."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def blocks(file: Path) -> Iterator[Block]:
    """The fenced blocks of a file, without the indentation that a list gives them."""
    opened: tuple[int, str, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None and fence:
            opened = (number, fence["info"].strip(), fence["indent"])
            lines = []
        elif opened is not None and line.strip() == "```":
            yield Block(file, opened[0], opened[1], "\n".join(lines) + "\n")
            opened = None
        elif opened is not None:
            lines.append(line.removeprefix(opened[2]))
    assert opened is None, f"{file}:{opened}: the block is not closed"


def prose(file: Path) -> str:
    """The text outside fenced blocks."""
    kept: list[str] = []
    inside = False
    for line in file.read_text(encoding="utf-8").splitlines():
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def links(file: Path) -> list[str]:
    """The targets of the links of a file."""
    return [match["target"] for match in _LINK.finditer(prose(file))]


def anchors(file: Path) -> set[str]:
    """The fragments that a link into this file may name, spelt as GitHub does."""
    titles = (match["title"] for line in prose(file).splitlines() if (match := _HEADING.match(line)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def steps(block: Block) -> list[Step]:
    """The commands of a console block; a line that ends in a backslash goes on."""
    commands: list[Step] = []
    going_on = False
    for line in block.text.splitlines():
        if line.startswith("$ ") or going_on:
            text = line.removeprefix("$ ") if not going_on else "\n" + line
            commands = (
                [*commands[:-1], Step(commands[-1].command + text, [])] if going_on else [*commands, Step(text, [])]
            )
            going_on = line.endswith("\\")
        elif commands:
            commands[-1].output.append(line)
    return commands


def dapflow_commands(file: Path) -> Iterator[list[str]]:
    """The words of every ``dapflow …`` command line that a file shows, in blocks and in the text."""
    shown = [step.command for block in blocks(file) if block.language == "console" for step in steps(block)]
    shown += [match["code"] for match in _INLINE.finditer(prose(file))]
    for command in shown:
        for part in re.split(r"&&|\||;|\$\(|\"\$\(|\)\"|<<", command.replace("\\\n", " ")):
            words = re.match(r"\s*(?:uv run |\.venv/bin/)?dapflow(?P<rest>(?: .*)?)$", part)
            if words:
                yield shlex.split(words["rest"], comments=True)
