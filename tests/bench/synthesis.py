"""How long the templates of ``prod`` take to synthesize, from a cold start and with cdk-nag looking at them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.compile import write_project
from tests.bench.figure import Figure

ROOT = Path(__file__).parents[2]
RUNS = 3


def measure() -> list[Figure]:
    """Two services, and fifty with twenty transforms each, as `cdk deploy` runs the app."""
    with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        shutil.copytree(ROOT / "transforms", few / "transforms")
        write_project(many)
        settings = json.loads((ROOT / "cdk.json").read_text())
        settings["context"]["environments"]["prod"]["services"] = []
        for project in (few, many):
            (project / "cdk.json").write_text(json.dumps(settings))
        return [
            Figure("synthesis, 2 services", "s", _runs(few), 8, "the example's `prod`"),
            Figure("synthesis, 50 services", "s", _runs(many), 15, "1,000 transforms; `prod`"),
        ]


def _runs(project: Path) -> tuple[float, ...]:
    command = [sys.executable, str(ROOT / "app.py"), "-c", "environment=prod"]
    seconds = []
    for number in range(RUNS):
        output = project / f"out-{number}"
        began = time.perf_counter()
        subprocess.run(command, cwd=project, env={**os.environ, "CDK_OUTDIR": str(output)}, check=True)
        seconds.append(time.perf_counter() - began)
        shutil.rmtree(output)
    return tuple(seconds)
