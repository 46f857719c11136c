"""dbt with its Athena adapter, in an environment of its own, runs a project and passes its data tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.aws_servers import REGION, RESULTS, LocalAws

pytestmark = pytest.mark.slow

# dbt-core 1.11 and later fetch a binary from elsewhere when they are installed.
PACKAGES = ("dbt-athena==1.11.1", "dbt-core>=1.10,<1.11")
FILES = {
    "dbt_project.yml": "name: demo\nversion: '1.0'\nprofile: demo\nmodel-paths: [models]\nseed-paths: [seeds]\n",
    "profiles.yml": (
        "demo:\n  target: dev\n  outputs:\n    dev:\n"
        "      type: athena\n      database: awsdatacatalog\n      schema: dbt\n"
        f"      region_name: {REGION}\n      s3_staging_dir: {RESULTS}\n      s3_data_dir: s3://lake/dbt/\n"
        "      poll_interval: 0.05\n      num_retries: 0\n      threads: 2\n"
    ),
    "seeds/days.csv": "day,flights\n2024-06-01,10\n2024-06-02,20\n2024-06-03,30\n",
    "models/flights.sql": (
        "{{ config(materialized='table', format='parquet') }}\n"
        "SELECT CAST(day AS date) AS day, CAST(flights AS bigint) AS flights FROM {{ ref('days') }}\n"
    ),
    "models/by_month.sql": (
        "{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitioned_by=['month']) }}\n"
        "SELECT sum(flights) AS flights, {{ var('round', 1) }} AS round, date_format(day, '%Y-%m') AS month\n"
        "FROM {{ ref('flights') }} GROUP BY 3\n"
    ),
    "models/busy.sql": (
        "{{ config(materialized='view') }}\nSELECT day, flights FROM {{ ref('flights') }} WHERE flights > 10\n"
    ),
    "models/schema.yml": """
version: 2
models:
  - name: flights
    columns:
      - name: day
        tests: [not_null, unique]
      - name: flights
        tests:
          - accepted_values: {values: [10, 20, 30], quote: false}
  - name: busy
    columns:
      - name: day
        tests:
          - relationships: {to: ref('flights'), field: day}
""",
}


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dbt command."""
    folder = tmp_path_factory.mktemp("dbt")
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else "uv"
    environment = {**os.environ, "VIRTUAL_ENV": str(folder / "venv")}
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], check=True)
    # The constraints of this project would not let dbt in.
    subprocess.run([uv, "pip", "install", "--quiet", "--no-config", *PACKAGES], check=True, env=environment, cwd=folder)
    return folder / "venv" / "bin" / "dbt"


def test_a_project_of_tables_increments_and_views(aws: LocalAws, dbt: Path, tmp_path: Path) -> None:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(*arguments: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "AWS_ENDPOINT_URL": aws.aws_url,
            "AWS_ENDPOINT_URL_ATHENA": aws.athena_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
        command = [str(dbt), *arguments, "--project-dir", str(tmp_path), "--profiles-dir", str(tmp_path)]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        return done.stdout

    assert "ERROR=0" in run("build")
    assert aws.query("SELECT flights, round, month FROM dbt.by_month") == [["60", "1", "2024-06"]]
    assert aws.query("SELECT day, flights FROM dbt.busy ORDER BY 1") == [["2024-06-02", "20"], ["2024-06-03", "30"]]
    # The second run overwrites the partition that it writes, and replaces table and view.
    assert "ERROR=0" in run("run", "--vars", "{round: 2}")
    assert aws.query("SELECT flights, round, month FROM dbt.by_month") == [["60", "2", "2024-06"]]
    assert "ERROR=0" in run("test")
