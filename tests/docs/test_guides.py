"""The commands and the SQL of README and guides, run from top to bottom on an embedded platform of their own."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, Block, blocks, steps
from tests.docs.test_markdown import GUIDES

PAGES = ["README.md", *(f"docs/guides/{name}" for name in GUIDES)]
SECONDS = 600


class Project:
    """A copy of the repository in which the pages are followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        # The set-up is not repeated: `make setup` finds it ready.
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW"))},
            "PATH": f"{folder / '.venv' / 'bin'}:{os.environ['PATH']}",
            "COLUMNS": "160",
            **{
                f"GIT_{who}_{what}": "docs@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
            },
        }
        self.bash("git init --quiet && git add --all && git commit --quiet --message start")

    def bash(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a reader would type it; its two outputs come back as one."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def follow(self, page: Path) -> None:
        """Do what a page says."""
        shown = list(blocks(page))
        for block, after in zip(shown, [*shown[1:], None], strict=True):
            if "file" in block.attributes:
                file = self.folder / block.attributes["file"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text, encoding="utf-8")
            elif "append" in block.attributes:
                with (self.folder / block.attributes["append"]).open("a", encoding="utf-8") as file_text:
                    file_text.write("\n" + block.text)
            elif block.language == "console":
                self._console(block)
            elif block.language == "sql":
                self._query(block, after)

    def _console(self, block: Block) -> None:
        for step in steps(block):
            run = self.bash(step.command)
            assert run.returncode == 0, f"{block.place}: $ {step.command}\n{run.stdout}"
            missing = first_missing(step.output, run.stdout.splitlines())
            assert missing is None, f"{block.place}: $ {step.command}\ndid not print: {missing}\nbut:\n{run.stdout}"

    def _query(self, block: Block, after: Block | None) -> None:
        query = subprocess.run(
            ["dapflow", "query", "--csv", block.text],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert query.returncode == 0, f"{block.place}\n{query.stderr}"
        rows = [" ".join(" ".join(row).split()) for row in csv.reader(io.StringIO(query.stdout))]
        assert after is not None and after.info == "text", f"{block.place}: a text block with the result belongs below"
        expected = after.text.splitlines()
        if "…" in after.text:
            assert first_missing(expected, rows) is None, f"{block.place}\n{query.stdout}"
        else:
            assert rows == [" ".join(line.split()) for line in expected], block.place


def _words(line: str) -> str:
    """A line without the strokes of a table and of an excerpt, and with one blank between words."""
    return " ".join(re.sub(r"[│┃|]", " ", line).split())


def first_missing(expected: Sequence[str], lines: Sequence[str]) -> str | None:
    """The first expected line that is not among the lines, in order; None when all are."""
    left = iter([_words(line) for line in lines])
    for line in expected:
        pattern = re.compile(".*".join(re.escape(part) for part in _words(line).split("…")))
        if not any(pattern.fullmatch(candidate) for candidate in left):
            return line
    return None


@pytest.mark.parametrize(
    ("expected", "lines", "missing"),
    [
        (["a  b"], ["x", "│ a │ b │"], None),
        (["a", "b"], ["b", "a"], "b"),
        (["  1 | SELECT a"], ["  1 | SELECT a"], None),
        (["…member…"], ["it is member_since"], None),
        (["No mistakes in …"], ["No mistakes in 9 transforms"], None),
        (["No mistakes"], ["No mistakes in 9 transforms"], "No mistakes"),
        ([], ["anything"], None),
    ],
)
def test_expected_output_is_found(expected: list[str], lines: list[str], missing: str | None) -> None:
    assert first_missing(expected, lines) == missing


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The copy after `make demo`; everything that it started is stopped at the end."""
    built = Project(tmp_path_factory.mktemp("guides"))
    try:
        demo = built.bash("dapflow demo")
        assert demo.returncode == 0, demo.stdout
        yield built
    finally:
        built.bash("dapflow local down --wipe")


@pytest.mark.slow
@pytest.mark.xdist_group("guides")
@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_works(project: Project, page: str) -> None:
    """In the order of the list: each guide begins where the one before it ended."""
    project.follow(ROOT / page)
