"""An Airflow of a test's own, in a process that tells what came of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULT = "RESULT "


def airflow_environment(tmp_path: Path, folder: Path, endpoints: dict[str, str]) -> dict[str, str]:
    """An Airflow of its own, that finds the servers."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "AWS"))},
        **endpoints,
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "AIRFLOW_CONN_DAPFLOW_WEATHER": "aws://",
        "AIRFLOW_CONN_DAPFLOW_REPORTS": "aws://",
        "PYTHONPATH": f"{folder}:{ROOT}",
    }


def said(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> tuple[dict[str, Any], str]:
    """What a program says behind RESULT, and all that it printed."""
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    log = done.stdout + done.stderr
    results = [line for line in done.stdout.splitlines() if line.startswith(RESULT)]
    assert results, log[-4000:]
    print(log)  # shown when a test fails
    return dict(json.loads(results[0].removeprefix(RESULT))), log
