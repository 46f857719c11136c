"""Measure everything and record it in docs/benchmarks.md.

``python -m tests.bench [NAME ...]`` measures the named modules of this folder only, and prints instead of recording.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tests.bench.figure import Figure, measured
from tests.bench.machine import machine_lines

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
RECORD = Path(__file__).parents[2] / "docs" / "benchmarks.md"
PACKAGES = ("apache-airflow", "aws-cdk-lib", "boto3", "duckdb", "moto", "pyarrow")


def main(names: list[str]) -> None:
    """Measure, then print or record."""
    figures: dict[str, list[Figure]] = {}
    for name in names or MODULES:
        print(f"measuring {name} …", flush=True)
        # Each in a process of its own: what one has made of its memory would count as the peak of all that it starts.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            figures[name] = pool.submit(measured, name).result()
        for figure in figures[name]:
            print("  " + figure.row(), flush=True)
    if not names:
        RECORD.write_text(report(figures), encoding="utf-8")
        print(f"recorded in {RECORD.relative_to(Path.cwd())}")


def report(figures: dict[str, list[Figure]]) -> str:
    """The text of docs/benchmarks.md."""
    lines = [
        "# Benchmarks",
        "",
        "Measured by `make bench`; the code is in `tests/bench/`. Median and spread (least to most) of the runs.",
        "",
        *machine_lines(PACKAGES),
        "",
        "| figure | median | spread | runs | promise | how |",
        "| --- | --- | --- | --- | --- | --- |",
        *(figure.row() for group in figures.values() for figure in group),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main(sys.argv[1:])
