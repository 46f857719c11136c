"""The embedded Athena as a process of its own: it ends when it is told to, and says when its disk is full."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dapflow.local.processes.started import with_compiled_modules
from tests.aws_servers import KEY, REGION, LocalAws

VICTIM = "a" * 60 + "b"


@contextmanager
def athena(
    aws: LocalAws, state: Path, *options: str, around: tuple[str, ...] = (), before: Callable[[], Any] | None = None
) -> Iterator[tuple[LocalAws, subprocess.Popen[str]]]:
    """``dapflow athena`` over the S3 and Glue of the fixture. ``around`` starts it, ``before`` comes first in it."""
    program = Path(sys.executable).with_name("dapflow")
    command = [
        *around,
        str(program),
        "athena",
        "--aws-endpoint",
        aws.aws_url,
        "--state",
        str(state),
        "--region",
        REGION,
        *options,
    ]
    environment = with_compiled_modules({**os.environ, **KEY.variables(), "TMPDIR": str(state)})
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509 (no thread of this process holds a lock that it takes)
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            yield LocalAws(aws.aws_url, url, aws.session), process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["function", "serde"])
def test_it_ends_when_told_while_a_hopeless_pattern_runs(aws: LocalAws, tmp_path: Path, where: str) -> None:
    sql = f"SELECT regexp_like('{VICTIM}' || CAST(x AS varchar), '(a|aa)+\\1$') FROM UNNEST(sequence(1, 1000)) AS t(x)"
    with athena(aws, tmp_path) as (own, process):
        if where == "serde":
            aws.put("endless/x.txt", f"{VICTIM}\n" * 1000)
            own.query(
                "CREATE EXTERNAL TABLE endless (a string) ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe' "
                "WITH SERDEPROPERTIES ('input.regex' = '(a|aa)+\\\\1$') LOCATION 's3://lake/endless/'"
            )
            sql = "SELECT a FROM endless"
        identity = own.start(sql)
        assert own.query("SELECT 1") == [["1"]]
        execution = own.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        assert execution["Status"]["State"] == "RUNNING"
        process.send_signal(signal.SIGTERM)
        # It hung for minutes where a match held the interpreter.
        assert process.wait(30) in (0, -signal.SIGTERM)
    if where == "serde":
        aws.glue.delete_table(DatabaseName="db", Name="endless")


SPILLS = (
    "SELECT x, y, md5(to_utf8(CAST(x * y AS varchar))) AS z FROM UNNEST(sequence(1, 2000)) AS t(x) "
    "CROSS JOIN UNNEST(sequence(1, 1000)) AS u(y) ORDER BY z OFFSET 1999999 LIMIT 1"
)
FULL = "The disk of the embedded Athena is full"


def small_files() -> None:
    # A file that may not grow fails as a full disk does: an error from write.
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))


def small_disk(folder: Path) -> tuple[str, ...]:
    """What starts a process for which a folder is a disk of 4 MB, without root; skips where that is not allowed."""
    around = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c")
    mounted = f'mount -t tmpfs -o size=4m tmpfs "{folder}" && exec "$@"'
    if subprocess.run([*around, mounted, "sh", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets no user mount a disk of its own")
    return (*around, mounted, "sh")


@pytest.mark.parametrize("disk", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["files", "mount"])
def test_a_full_disk_is_told_and_passes(aws: LocalAws, tmp_path: Path, disk: bool) -> None:
    around, before = (small_disk(tmp_path), None) if disk else ((), small_files)
    with athena(aws, tmp_path, "--memory", "60 MB", around=around, before=before) as (own, _):
        for sql in ("SELECT x, rpad('', 900, 'a') FROM UNNEST(sequence(1, 9000)) AS t(x)", SPILLS):
            answer = own.run(sql)
            assert (answer.state, answer.reason) == ("FAILED", f"INSUFFICIENT_RESOURCES: {FULL}")
            assert own.query("SELECT 1") == [["1"]]


def test_a_full_disk_of_its_records_is_told(aws: LocalAws, tmp_path: Path) -> None:
    long = "SELECT '" + "x" * 200_000 + "' AS a"
    with athena(aws, tmp_path, before=small_files) as (own, _), pytest.raises(ClientError) as refused:
        for _ in range(10):
            own.run(long)
    assert refused.value.response["Error"] == {"Code": "InternalServerException", "Message": FULL}
