"""Airflow keeps its configuration where AIRFLOW_HOME says when it is first imported: not in the user's home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import pytest

from tests.runtime.conftest import athena_endpoint, aws_endpoint, clients, clients_of_branch, lake

__all__ = ["athena_endpoint", "aws_endpoint", "clients", "clients_of_branch", "lake"]

_HOME = tempfile.mkdtemp(prefix="airflow-")
os.environ.setdefault("AIRFLOW_HOME", _HOME)

ROOT = Path(__file__).parents[2]
# What MWAA's image of Airflow 3.3.1 installs, as far as the bundle is concerned.
MWAA = (
    "apache-airflow==3.3.1",
    "apache-airflow-providers-amazon[aiobotocore]==9.34.0",
    "aiobotocore==3.9.0",
    "boto3==1.43.56",
)


@pytest.fixture(scope="session")
def mwaa_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds what MWAA's image holds, and nothing of this project."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    assert uv, "uv is missing; `make setup` brings it"
    folder = tmp_path_factory.mktemp("mwaa")
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["constraint-dependencies"]
    (folder / "constraints.txt").write_text("\n".join(pins))
    python = folder / "venv/bin/python"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")],
        [uv, "pip", "install", "--quiet", "--python", str(python), "-c", str(folder / "constraints.txt"), *MWAA],
    ):
        subprocess.run(command, check=True, cwd=folder)
    return python


def pytest_unconfigure() -> None:
    """Nothing is left of Airflow's home when the tests are over."""
    shutil.rmtree(_HOME, ignore_errors=True)
