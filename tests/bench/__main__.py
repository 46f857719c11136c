"""Measure everything and record it in docs/benchmarks.md.

``python -m tests.bench [NAME ...]`` measures the named modules of this folder only, and prints instead of recording.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from tests.bench.figure import Figure, measured

MODULES = ("compile", "dag_factory", "run_overhead", "scale", "landing", "load", "athena", "synthesis", "demo")
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
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        "# Benchmarks",
        "",
        "Measured by `make bench`; the code is in `tests/bench/`. Median and spread (least to most) of the runs.",
        "",
        f"- Date: {dt.datetime.now(dt.UTC).date().isoformat()}",
        f"- Machine: {_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB, {platform.system()}",
        f"- Python {platform.python_version()}, {packages}",
        "",
        "| figure | median | spread | runs | promise | how |",
        "| --- | --- | --- | --- | --- | --- |",
        *(figure.row() for group in figures.values() for figure in group),
        "",
    ]
    return "\n".join(lines)


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3


if __name__ == "__main__":
    main(sys.argv[1:])
