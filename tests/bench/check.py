"""How long ``dapflow check`` takes for 1,000 transforms in 50 services: the whole command, from a cold start."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.compile import RUNS, write_project
from tests.bench.figure import Figure

_CHANGED = 10


def measure() -> list[Figure]:
    """Wall seconds, with the start of Python in them."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        write_project(root)
        first = []
        for _ in range(RUNS):
            shutil.rmtree(root / ".dapflow", ignore_errors=True)
            first.append(_checked(root))
        changed = []
        for number in range(RUNS):
            for service in range(_CHANGED):
                text = root / f"transforms/service_{service:02}/refined/product_00.sql"
                text.write_text(text.read_text(encoding="utf-8") + f"-- {number}\n", encoding="utf-8")
            changed.append(_checked(root))
    return [
        Figure("check 1,000 transforms in 50 services", "s", tuple(first), 2.5, "`dapflow check`, nothing known"),
        Figure(f"the same after a change of {_CHANGED}", "s", tuple(changed), 0.5, "those are read and looked at"),
    ]


def _checked(root: Path) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "dapflow", "check", "--project", str(root), "--json"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - started
