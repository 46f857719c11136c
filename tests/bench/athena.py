"""The embedded Athena beside plain DuckDB: TPC-H, the smallest query, the conformance corpus.

The corpus is not part of the repository; `tests/trino/corpus.py` says where it is looked for. Without it that figure
is left out, and this is said.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dapflow.servers import HEALTH_PATH
from tests.aws_servers import BUCKET, KEY, REGION, LocalAws, athena_process
from tests.bench.figure import Figure
from tests.local.ports import free_port, wait_for_http
from tests.trino import corpus

ROOT = Path(__file__).parents[2]
QUERIES = sorted((ROOT / "tests/fixtures/sql/tpch").glob("q*.sql"))
SCALE, RUNS, SMALLEST_RUNS = "1", 3, 200


def measure() -> list[Figure]:
    """TPC-H through the API over plain DuckDB on the same files; SELECT 1; cases of the corpus a second."""
    with tempfile.TemporaryDirectory(prefix="dapflow-bench-") as temporary, _servers(Path(temporary)) as aws:
        folder = Path(temporary)
        figures = _tpch(aws, folder)
        figures.append(_smallest(aws))
        cases = corpus.folder()
        if cases is None:
            print(f"  the conformance corpus is left out: {corpus.VARIABLE} does not say where it is", flush=True)
        else:
            figures.append(_conformance(aws, cases, folder / "verdicts.json"))
        return figures


@contextlib.contextmanager
def _servers(folder: Path) -> Iterator[LocalAws]:
    """The embedded platform's S3 and Glue and the embedded Athena, each in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "dapflow.local.aws", "--port", str(port), "--state", str(folder / "aws")]
    with (folder / "aws.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **KEY.variables()})
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for_http(url + HEALTH_PATH, server)
        with athena_process(url) as (aws, _):
            yield aws
    finally:
        server.terminate()
        server.wait()


def _tpch(aws: LocalAws, folder: Path) -> list[Figure]:
    generator = str(Path(sys.executable).with_name("tpchgen-cli"))
    generate = [generator, "parquet", "-s", SCALE, "--output-dir", str(folder)]
    subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
    plain = duckdb.connect()
    for file in sorted(folder.glob("*.parquet")):
        plain.execute(f"CREATE VIEW {file.stem} AS SELECT * FROM read_parquet('{file}')")
        _external_table(aws, file)
    texts = [query.read_text(encoding="utf-8") for query in QUERIES]
    ours, theirs = [], []
    for run in range(RUNS + 1):
        directly = _seconds(lambda: [plain.execute(text).fetchall() for text in texts])
        by_api = _seconds(lambda: [_run(aws, text) for text in texts])
        if run:  # the first run fetches the objects
            theirs.append(directly)
            ours.append(by_api)
    ratios = tuple(own / other for own, other in zip(ours, theirs, strict=True))
    what = f"22 queries, scale {SCALE}, Parquet; by the API each to the first page of its result"
    return [
        Figure("TPC-H through the embedded Athena's API", "s", tuple(ours), note=what),
        Figure("TPC-H in plain DuckDB on the same files", "s", tuple(theirs), note=what),
        Figure("TPC-H, embedded Athena over plain DuckDB", "x", ratios, 1.25, "pairs measured one after the other"),
    ]


def _run(aws: LocalAws, text: str) -> str:
    """Run a query to the first page of its result, as a client that shows it does."""
    identity = aws.start(text)
    execution = aws.wait(identity)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    aws.athena.get_query_results(QueryExecutionId=identity)
    return identity


def _external_table(aws: LocalAws, file: Path) -> None:
    aws.s3.upload_file(str(file), BUCKET, f"tpch/{file.stem}/{file.name}")
    columns = ", ".join(f"`{field.name}` {_hive(field.type)}" for field in pq.read_schema(file))
    location = f"s3://{BUCKET}/tpch/{file.stem}/"
    aws.query(f"CREATE EXTERNAL TABLE {file.stem} ({columns}) STORED AS PARQUET LOCATION '{location}'")


def _hive(kind: pa.DataType) -> str:
    names = {"int64": "bigint", "int32": "int", "date32[day]": "date", "string": "string", "string_view": "string"}
    return names.get(str(kind)) or f"decimal({kind.precision},{kind.scale})"


def _smallest(aws: LocalAws) -> Figure:
    """Start, ask every 5 ms, get the result."""
    times = []
    for _ in range(SMALLEST_RUNS):
        times.append(1000 * _seconds(lambda: aws.query("SELECT 1")))
    return Figure("SELECT 1 through the API", "ms", tuple(times), 15.0, "start, poll every 5 ms, get the result")


def _conformance(aws: LocalAws, cases: Path, verdicts: Path) -> Figure:
    command = [sys.executable, str(cases / "run.py"), str(cases / "cases.jsonl"), "--target", "athena-api"]
    command += ["--endpoint", aws.athena_url, "--out", str(verdicts), "--region", REGION]
    command += ["--output-location", f"s3://{BUCKET}/conformance/"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    report = json.loads(verdicts.read_text(encoding="utf-8"))
    run = report["totals"]["cases"]
    note = f"{run} cases, {100 * report['totals']['pass'] / run:.1f} % as Trino answers; at least 60 are promised"
    return Figure("conformance cases a second", "/s", (run / report["seconds"],), note=note)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
