"""What `dapflow run` costs over plain DuckDB: the same transform on the same 336,776 flights, from the same files."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
import duckdb

from dapflow.example import land, snapshots
from dapflow.local.aws_session import aws_variables
from dapflow.local.cloudformation.provision import describe_local
from dapflow.local.processes.ports import read_ports
from dapflow.project import compile_project
from dapflow.servers.state import State
from tests.bench.command import dapflow, platform
from tests.bench.figure import Figure

ROOT = Path(__file__).parents[2]
RUNS = 5
TRANSFORM = "air_traffic.refined.airline_punctuality"
SOURCES = ("flights", "airlines")

# The transform as one would write it for DuckDB.
DUCKDB_SQL = """
WITH monthly AS (
    SELECT f.carrier, a.name AS airline, strftime(make_date(f.year, f.month, 1), '%Y-%m') AS flight_month,
        count(*) AS flights, count(*) FILTER (f.dep_delay <= 15) AS punctual, punctual / flights AS share
    FROM flights f JOIN airlines a ON a.carrier = f.carrier GROUP BY ALL
)
SELECT carrier, airline, flight_month, flights, punctual, round(100 * share, 1) AS punctual_percent,
    rank() OVER (PARTITION BY flight_month ORDER BY share DESC) AS place_in_month,
    round(100 * (share - lag(share) OVER by_month), 1) AS change_in_points,
    round(100 * avg(share) OVER (by_month ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), 1) AS three_month_percent,
    sum(flights) OVER by_month AS flights_this_year
FROM monthly
WINDOW by_month AS (PARTITION BY carrier ORDER BY flight_month)
"""


def measure() -> list[Figure]:
    """Publish the transform several times by the command line, and compute the same in DuckDB from local files."""
    with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as folder:
        project = Path(folder)
        shutil.copytree(ROOT / "transforms", project / "transforms")
        with platform(project):
            _load(project)
            files = _current_files(project)
            dapflow(project, "run", TRANSFORM, "--rows", "0")
            command = [dapflow(project, "run", TRANSFORM, "--rows", "0").seconds for _ in range(RUNS)]
            plain = [_seconds(lambda: _plain(files, project / "plain.parquet")) for _ in range(RUNS)]
    overhead = tuple(ours - theirs for ours, theirs in zip(command, plain, strict=True))
    return [
        Figure("dapflow run of a transform over 336,776 flights", "s", tuple(command), None, "whole command"),
        Figure("the same in plain DuckDB", "s", tuple(plain), None, "connect, read Parquet, write Parquet"),
        Figure("overhead of dapflow run", "s", overhead, None, "start of Python, compile, checks, publication"),
    ]


def _session(project: Path) -> Any:
    variables = aws_variables(State.of(project), read_ports(State.of(project)))
    return boto3.client(
        "s3",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_REGION"],
    )


def _load(project: Path) -> None:
    environment = describe_local(project, compile_project(project)).environment
    land(_session(project), environment.zones["landing"], snapshots()[-1:])
    for table in SOURCES:
        dapflow(project, "run", f"air_traffic.raw.{table}", "--rows", "0")


def _current_files(project: Path) -> dict[str, list[str]]:
    """The Parquet files of each source, copied to the local disk."""
    s3 = _session(project)
    zones = describe_local(project, compile_project(project)).environment.zones
    bucket = zones["raw"].removeprefix("s3://").partition("/")[0]
    files: dict[str, list[str]] = {}
    for table in SOURCES:
        for item in s3.list_objects_v2(Bucket=bucket, Prefix=f"air_traffic/{table}/").get("Contents", []):
            local = project / f"{table}-{len(files.get(table, []))}.parquet"
            s3.download_file(bucket, item["Key"], str(local))
            if local.read_bytes()[:4] == b"PAR1":
                files.setdefault(table, []).append(str(local))
    return files


def _plain(files: dict[str, list[str]], target: Path) -> None:
    with duckdb.connect() as connection:
        for table, names in files.items():
            connection.read_parquet(names).create_view(table)
        connection.sql(DUCKDB_SQL).write_parquet(str(target))


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
