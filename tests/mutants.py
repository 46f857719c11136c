"""Change the code in small ways, one after the other, and see whether the tests that concern it notice.

``python -m tests.mutants [--each N] [--seed S] [FILE ...]`` takes N changes of each file of ``CONCERNED``, or of those
that are named, by Cosmic Ray's operators. The tests run in copies of the repository, two at a time. What no test
noticed is printed, and the score; below 80 % the program fails.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
LEAST_SCORE = 0.8
WORKERS = 2
_LEAST_SECONDS = 120.0


def _runtime(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/runtime/test_{name}.py" for name in names)


def _files(*names: str) -> list[str]:
    return [f"dapflow/runtime/{name}" for name in names]


_LANDING = (*_runtime("ingest", "bad_landing", "landable", "land", "parquet_footer", "types"), "tests/runtime/landing")
_READ = (
    "landing/",
    "formats/",
    "conversion",
    "file_content",
    "inference",
    "ingest",
    "land",
    "parquet_footer",
    "thrift",
)
_PUBLISHED = ("publish", "columns", "attempts", "inputs", "crashes", "withdraw", "records", "temporary_tables", "types")
_CHANGED = ("acceptance", "accepted_changes", "column_", "schema_comparison")
_TYPED = ("analysis", "test_queries.py", "test_function_cases.py", "test_values.py")
_DEPLOYED = ("isolation", "function_permissions", "pull_request", "lake", "synthesis")
#: Files, by the beginnings of their names, and the tests that are to notice what changes in them; the first that fits.
CONCERNED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_files(*_READ), _LANDING),
    **dict.fromkeys(_files("dag_factory", "operators", "schedule", "starts"), ("tests/dags",)),
    **dict.fromkeys(_files("pinning", "generation", "bounds"), _runtime("pinning", "generation", "inputs", "publish")),
    **dict.fromkeys(_files("external", "found_table"), _runtime("external", "inputs")),
    **dict.fromkeys(_files("reset"), _runtime("reset")),
    **dict.fromkeys(_files("rollback"), _runtime("rollback")),
    **dict.fromkeys(_files("checks/"), _runtime("checks")),
    **dict.fromkeys(_files(*_CHANGED), _runtime("accepted_changes", "widened_columns", "columns")),
    **dict.fromkeys(_files("record", "history"), (*_runtime("records", "rollback", "publish"), "tests/runs")),
    **dict.fromkeys(_files(""), _runtime(*_PUBLISHED, "lake_formation", "permissions")),
    "dapflow/trino/analysis/": (*(f"tests/trino/{name}" for name in _TYPED), "tests/review"),
    "stacks/policies.py": tuple(f"tests/stacks/test_{name}.py" for name in _DEPLOYED),
}


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    operator: str
    occurrence: int
    line: int

    def text(self, source: str) -> str:
        """The file with the change."""
        changed: str | None = mutate_code(source, get_operator(self.operator)(), self.occurrence)
        assert changed is not None
        return changed

    def described(self, source: str) -> str:
        """Where it is, and what stands there instead."""
        before, after = source.splitlines(), self.text(source).splitlines()
        lines = [line.strip() for line in after[self.line - 1 : self.line + len(after) - len(before)]]
        return f"{self.file}:{self.line}: {before[self.line - 1].strip()}\n    {' '.join(lines) or '(nothing)'}"


def mutants_of(file: str) -> Iterator[Mutant]:
    """All that is worth a try."""
    source = (ROOT / file).read_text(encoding="utf-8")
    tree, unread = get_ast(source), _declarations(source)
    for name in operator_names():
        operator = get_operator(name)
        # An operator with arguments is not used; `is` for `==` is no other question for most values.
        if operator.arguments() or (name.endswith(("_Is", "_IsNot")) and "Operator_Is" not in name):
            continue
        places = [place for node in ast_nodes(tree) for place in operator().mutation_positions(node)]
        for occurrence, ((line, column), _) in enumerate(places):
            if not any(start <= (line, column) < end for start, end in unread):
                yield Mutant(file, name, occurrence, line)


def _declarations(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where a change changes nothing that runs: annotations, what the type checker alone reads, abstract, frozen."""
    unread: list[ast.AST | None] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.arg | ast.AnnAssign):
            unread.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            unread += [
                node.returns,
                *(decorator for decorator in node.decorator_list if ast.unparse(decorator) == "abstractmethod"),
            ]
        elif isinstance(node, ast.ClassDef):
            unread += node.decorator_list
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            unread.append(node)
    return [
        ((node.lineno, max(0, node.col_offset - 1)), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in unread
        if isinstance(node, ast.expr | ast.If)
    ]


def sample(file: str, count: int, seed: int) -> list[Mutant]:
    """Some changes of a file, of as many lines, the same for the same seed."""
    chance = random.Random(f"{seed} {file}")  # noqa: S311 (no secret)
    by_line: defaultdict[int, list[Mutant]] = defaultdict(list)
    for mutant in mutants_of(file):
        by_line[mutant.line].append(mutant)
    source = (ROOT / file).read_text(encoding="utf-8")
    chosen: list[Mutant] = []
    for line in chance.sample(sorted(by_line), len(by_line)):
        mutant = chance.choice(by_line[line])
        # Cosmic Ray takes the `*` between parameters for a product.
        if len(chosen) < count and _is_python(mutant.text(source)):
            chosen.append(mutant)
    return sorted(chosen, key=lambda mutant: mutant.line)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def tests_of(file: str) -> tuple[str, ...]:
    """The tests that concern a file."""
    return next(tests for name, tests in CONCERNED.items() if file.startswith(name))


class Copies:
    """Copies of the repository, as it is in the folder now, one for each worker."""

    def __init__(self, folder: Path) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        files = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
        #: Changes with which the tests did not come to an end in time.
        self.endless: list[Mutant] = []
        self._free: SimpleQueue[Path] = SimpleQueue()
        self._seconds: dict[tuple[str, ...], float] = {}
        for number in range(WORKERS):
            copy = folder / str(number)
            for name in files:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, copy / name)
            (copy / ".venv").symlink_to(ROOT / ".venv")
            self._free.put(copy)

    def check(self, tests: tuple[str, ...]) -> bool:
        """Whether tests pass as the code is, and how long they may take from now on."""
        began = time.monotonic()
        copy = self._free.get()
        passed = _passes(copy, tests, None)
        self._free.put(copy)
        self._seconds[tests] = max(_LEAST_SECONDS, 4 * (time.monotonic() - began))
        return passed is True

    def noticed(self, mutant: Mutant) -> bool:
        """Whether the tests that concern a change fail by it, or never end."""
        copy, tests = self._free.get(), tests_of(mutant.file)
        source = (ROOT / mutant.file).read_text(encoding="utf-8")
        try:
            (copy / mutant.file).write_text(mutant.text(source), encoding="utf-8")
            passed = _passes(copy, tests, self._seconds[tests])
            if passed is None:
                self.endless.append(mutant)
            return not passed
        finally:
            (copy / mutant.file).write_text(source, encoding="utf-8")
            self._free.put(copy)


def _passes(copy: Path, tests: Sequence[str], seconds: float | None) -> bool | None:
    """Whether the tests pass; None where they do not end in time."""
    # Compiled files are told by their time in seconds: a change of the same second would not be seen.
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *dict.fromkeys(tests)]
    with subprocess.Popen(
        command, cwd=copy, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            return process.wait(seconds) == 0
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("files", nargs="*", metavar="FILE", help="files to change; by default all of CONCERNED")
    parser.add_argument("--each", type=int, default=1, metavar="N", help="changes of each file (1)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the sample (1)")
    given = parser.parse_args(arguments)
    known = [path for path in map(str, sorted(_sources())) if any(path.startswith(name) for name in CONCERNED)]
    mutants = [mutant for file in given.files or known for mutant in sample(file, given.each, given.seed)]
    with tempfile.TemporaryDirectory(prefix="dapflow-mutants-") as folder:
        copies = Copies(Path(folder))
        for tests in dict.fromkeys(tests_of(mutant.file) for mutant in mutants):
            if not copies.check(tests):
                print(f"these tests fail as the code is: {' '.join(tests)}")
                return 2
        with ThreadPoolExecutor(WORKERS) as pool:
            survivors = []
            for mutant, is_noticed in zip(mutants, pool.map(copies.noticed, mutants), strict=True):
                print("." if is_noticed else "S", end="", flush=True)
                survivors += [] if is_noticed else [mutant]
    print()
    for mutant in survivors:
        print(mutant.described((ROOT / mutant.file).read_text(encoding="utf-8")), f"[{mutant.operator}]")
    for mutant in copies.endless:
        print("never ended:", mutant.described((ROOT / mutant.file).read_text(encoding="utf-8")))
    noticed = len(mutants) - len(survivors)
    score = noticed / len(mutants)
    print(
        f"{noticed} of {len(mutants)} changes were noticed, {len(copies.endless)} because the tests never ended: "
        f"{100 * score:.0f} %, seed {given.seed}"
    )
    return 0 if score >= LEAST_SCORE else 1


def _sources() -> Iterator[Path]:
    for folder in ("dapflow", "stacks"):
        yield from (path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py"))


if __name__ == "__main__":
    sys.exit(main())
