"""Try everything and record it in docs/reliability.md; ends with 1 when a promise was seen to be broken.

``python -m tests.reliability [--each N] [NAME ...]`` tries the named modules of this folder only, or an N-th of what
there is to try, and records it beside what was found of the others when they were tried last.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console

from tests.bench.machine import machine_lines, today
from tests.reliability.part import Part, measured

MODULES = ("injected", "crossed", "days", "histories", "throttled", "removed")
ROOT = Path(__file__).parents[2]
RECORD = ROOT / "docs" / "reliability.md"
KEPT = ROOT / ".dapflow" / "reliability"
PACKAGES = ("boto3", "duckdb", "hypothesis", "moto", "pyarrow")
_HEAD = """\
# Reliability

What dapflow promises while things go wrong, and what was seen when they were made to. Written by `make reliability`,
which ends with an error when a promise was seen to be broken; `make test-all` tries a short form of each part. The code
is in `tests/reliability/`. Everything ran on the embedded AWS and Athena.
"""


def main(names: list[str], one_in: int) -> int:
    """Try, print, record; the exit code."""
    console = Console()
    for name in names or MODULES:
        console.print(f"trying {name} …")
        # Each in a process of its own: what one has made of its memory would count as the peak of all that it starts.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            part = pool.submit(measured, name, one_in).result()
        part.print(console)
        part.keep(KEPT / f"{name}.json")
    parts = [Part.kept(file) for name in MODULES if (file := KEPT / f"{name}.json").exists()]
    RECORD.write_text(report(parts), encoding="utf-8")
    console.print(f"recorded in {RECORD.relative_to(ROOT)}")
    return int(any(part.broken for part in parts))


def report(parts: list[Part]) -> str:
    """The text of docs/reliability.md."""
    lines = [_HEAD, f"- Date: {today()}", *machine_lines(PACKAGES), ""]
    for part in parts:
        lines += part.markdown()
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.reliability")
    parser.add_argument("names", nargs="*", choices=[*MODULES, []], metavar="NAME")
    parser.add_argument("--each", dest="one_in", type=int, default=1)
    given = parser.parse_args()
    sys.exit(main(given.names, given.one_in))
