"""How long tests of SQL take: the whole command, from a cold start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.compile import write_project
from tests.bench.figure import Figure

SERVICES, TRANSFORMS, TESTS, RUNS = 5, 50, 200, 3
_ROW = """\
{{id: {id}, parent_id: {id}, reference: r{id}, status: open, amount: 1200.50, category: repairs, officer: A B,
            opened_at: 2024-01-02 10:00:00, postcode: E5}}"""

# Of the templates of texts, in their order.
_EXPECTED = (
    "[{size: large}, {size: large}, {size: large}]",
    "[{cases: 3, category: repairs}, {cases: 3, category: repairs}, {cases: 3, category: repairs}]",
    "[]",
)


def write_tests(root: Path, tests: int = TESTS) -> None:
    """Give every transform of a project the same number of tests, each of some rows in all tables that it reads."""
    files = sorted((root / "transforms").glob("*/refined/*.sql")) + sorted(
        (root / "transforms").glob("*/trusted/*.sql")
    )
    for file in files:
        read = sorted({word for word in file.read_text(encoding="utf-8").split() if "table_" in word})
        lines = ["tests:"]
        for number in range(tests // len(files)):
            lines += [f"  test {number}:", "    generation: 2024-06-05", "    now: 2024-06-05 06:00", "    given:"]
            for table in dict.fromkeys(word.strip("(),") for word in read):
                rows = ", ".join(_ROW.format(id=row) for row in range(number, number + 3))
                lines.append(f"      {table}: [{rows}]")
            lines.append(f"    expect: {_EXPECTED[int(file.stem[-2:]) % len(_EXPECTED)]}")
        target = file.parents[1] / "tests" / f"{file.stem}.yml"
        target.parent.mkdir(exist_ok=True)
        target.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure() -> list[Figure]:
    """Wall seconds and processor time of ``dapflow test``, with the start of Python in them."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_project(root, SERVICES, TRANSFORMS)
        write_tests(root)
        wall, processor = zip(*(_tested(root) for _ in range(RUNS)), strict=True)
    promised = f"of {TRANSFORMS} transforms, the whole command; 20 a second are promised"
    return [
        Figure(f"{TESTS} tests of SQL", "s", wall, TESTS / 20, promised),
        Figure("processor time of the same", "s", processor, note="of all its processes"),
    ]


def _tested(root: Path) -> tuple[float, float]:
    words = [sys.executable, "-m", "dapflow", "test", "--json", "--project", str(root)]
    before, started = os.times(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - started, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, spent
