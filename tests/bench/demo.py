"""How long `make demo` takes: in a bare clone, set-up included, and the second time."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.figure import Figure

ROOT = Path(__file__).parents[2]
RUNS = 3


def measure() -> list[Figure]:
    """Clone what is committed, run the demo twice, forget it; several times."""
    first, second = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as folder:
            clone = Path(folder) / "dapflow"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
            first.append(_seconds(clone))
            second.append(_seconds(clone))
            subprocess.run([clone / ".venv/bin/dapflow", "local", "down", "--wipe"], cwd=clone, check=True)
    return [
        Figure("make demo in a bare clone, set-up included", "s", tuple(first), 180.0, "packages from a near registry"),
        Figure("make demo, second run", "s", tuple(second), 40.0, "finds that nothing changed"),
    ]


def _seconds(clone: Path) -> float:
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "MAKEFLAGS"}}
    began = time.perf_counter()
    subprocess.run(["make", "demo"], cwd=clone, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
