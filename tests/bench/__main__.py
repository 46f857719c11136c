"""Measure, and record what was measured in docs/benchmarks.md.

``python -m tests.bench`` measures everything and records it, ``python -m tests.bench NAME ...`` the named modules of
this folder, and prints their figures; with ``--record`` these are recorded too.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.bench.figure import Figure, measured
from tests.bench.machine import machine_lines, processor, today
from tests.bench.record import recorded

MODULES = (
    "compile",
    "check",
    "editor",
    "branch_plan",
    "dag_factory",
    "run_overhead",
    "scale",
    "landing",
    "load",
    "difference",
    "athena",
    "sql_tests",
    "synthesis",
    "demo",
)
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
PACKAGES = ("apache-airflow", "aws-cdk-lib", "boto3", "duckdb", "moto", "pyarrow")


def main() -> None:
    """Measure, then print or record."""
    asked = argparse.ArgumentParser(prog="python -m tests.bench", description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--record", action="store_true", help="record what is named, too")
    asked.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODULES))
    given = asked.parse_args()
    if unknown := sorted(set(given.names) - set(MODULES)):
        asked.error(f"nothing measures {', '.join(unknown)}; there is {', '.join(MODULES)}")
    # The commands that are measured keep what Python has compiled, as those of a user do.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in given.names or MODULES:
        print(f"measuring {name} …", flush=True)
        # Each in a process of its own: what one has made of its memory would count as the peak of all that it starts.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            figures = pool.submit(measured, name).result()
        for figure in figures:
            print("  " + figure.row(), flush=True)
        if given.record or not given.names:
            record(figures)
    print(*machine_lines(PACKAGES), sep="\n")


def record(figures: list[Figure]) -> None:
    """Put figures into the page, at once: what is measured later may fail."""
    when = f"{today()}, {processor()}"
    PAGE.write_text(recorded(PAGE.read_text(encoding="utf-8"), figures, when), encoding="utf-8")


if __name__ == "__main__":
    main()
