"""Load: large results pass through, memory stays bounded, queries run side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from tests.aws_servers import BUCKET, LocalAws, athena_process, emulated_aws

pytestmark = pytest.mark.slow
MEBIBYTE = 1 << 20
MANY = (
    "SELECT a * 10000 + b AS n, concat('row ', CAST(a * 10000 + b AS varchar)) AS s "
    "FROM UNNEST(sequence(0, 999)) AS x(a), UNNEST(sequence(0, 9999)) AS y(b)"
)


@pytest.fixture
def server() -> Iterator[tuple[LocalAws, psutil.Process]]:
    """The embedded Athena as a process of its own, with 512 MB for queries."""
    with emulated_aws() as url, athena_process(url, "--memory", "512MB") as (aws, process):
        yield aws, psutil.Process(process.pid)


class Peak:
    """The most memory that a process held while this was entered."""

    def __init__(self, process: psutil.Process) -> None:
        self.mebibytes = 0
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._ended.wait(0.05):
            self.mebibytes = max(self.mebibytes, self._process.memory_info().rss // MEBIBYTE)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def test_ten_million_rows_are_written_and_paged_without_being_held(server: tuple[LocalAws, psutil.Process]) -> None:
    aws, process = server
    aws.query("SELECT 1")
    before = process.memory_info().rss // MEBIBYTE
    with Peak(process) as peak:
        identity = aws.start(MANY)
        execution = aws.wait(identity)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        token: Any = {}
        seen = 0
        for _ in range(20):
            page = aws.athena.get_query_results(QueryExecutionId=identity, **token)
            seen += len(page["ResultSet"]["Rows"])
            token = {"NextToken": page["NextToken"]}
    assert seen == 20_000
    size = aws.s3.head_object(Bucket=BUCKET, Key=f"results/{identity}.csv")["ContentLength"]
    assert size > 200_000_000
    statistics = aws.athena.get_query_runtime_statistics(QueryExecutionId=identity)["QueryRuntimeStatistics"]
    assert statistics["Rows"]["OutputRows"] == 10_000_000
    print(f"\n{size / MEBIBYTE:.0f} MiB of result; memory {before} MiB before, {peak.mebibytes} MiB at most")
    # Less than the result: it passes through.
    assert peak.mebibytes - before < 150


def test_a_sort_larger_than_memory_spills(server: tuple[LocalAws, psutil.Process]) -> None:
    aws, process = server
    with Peak(process) as peak:
        rows = aws.query(
            f"SELECT max(s), count(*) FROM (SELECT s, row_number() OVER (ORDER BY reverse(s)) AS r FROM ({MANY})) "
            "WHERE r % 2 = 0"
        )
    assert rows[0][1] == "5000000"
    assert peak.mebibytes < 1400


def test_eight_queries_run_side_by_side(server: tuple[LocalAws, psutil.Process]) -> None:
    aws, _ = server
    work = "SELECT sum(a * b) FROM UNNEST(sequence(1, 3000)) AS x(a), UNNEST(sequence(1, 10000)) AS y(b)"
    identities = [aws.start(work) for _ in range(8)]
    states = set()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        executions = aws.athena.batch_get_query_execution(QueryExecutionIds=identities)["QueryExecutions"]
        now = [execution["Status"]["State"] for execution in executions]
        states.add(now.count("RUNNING"))
        if set(now) == {"SUCCEEDED"}:
            break
    assert set(now) == {"SUCCEEDED"}
    assert max(states) > 1, "they ran one after the other"
