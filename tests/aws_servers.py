"""What the ``aws`` fixture gives: the embedded AWS and the embedded Athena over it, and boto3 clients for both."""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.moto_api._internal import moto_api_backend
from moto.s3.models import s3_backends

from dapflow.athena import AthenaSettings, serve
from dapflow.local.aws.server import Front
from dapflow.servers import HOST
from dapflow.servers.access_key import AccessKey
from dapflow.servers.loopback import listen, uvicorn_server
from tests.direct import OneAtATime, answering, aws_answers, without_connections

if TYPE_CHECKING:
    import pytest
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

REGION: Final = "eu-west-2"
BUCKET = "lake"
KEY = AccessKey("test", "test")
# What a request is signed with, as far as the embedded servers look at it.
SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={KEY.id}/20240605/{REGION}/athena/aws4_request"}
RESULTS = "s3://lake/results/"


@dataclass(frozen=True)
class Answer:
    """How a statement ended. ``rows`` are without the header."""

    id: str
    state: str
    reason: str | None
    columns: list[str]
    types: list[str]
    rows: list[list[str | None]]
    scanned: int
    execution: dict[str, Any]


@dataclass(frozen=True)
class LocalAws:
    """Both servers. ``session`` signs with the key that they admit."""

    aws_url: str
    athena_url: str
    session: boto3.Session

    @functools.cached_property
    def athena(self) -> AthenaClient:
        """A client of the embedded Athena."""
        return self.session.client("athena", endpoint_url=self.athena_url, config=Config(retries={"max_attempts": 1}))

    @functools.cached_property
    def glue(self) -> GlueClient:
        """A client of Glue."""
        return self.session.client("glue", endpoint_url=self.aws_url)

    @functools.cached_property
    def s3(self) -> S3Client:
        """A client of S3."""
        return self.session.client("s3", endpoint_url=self.aws_url, config=Config(s3={"addressing_style": "path"}))

    def make_room(self) -> None:
        """Make the bucket and the database."""
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.glue.create_database(DatabaseInput={"Name": "db"})

    def become_the_default(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Point boto3 at both servers, wherever it is used without an endpoint."""
        variables = {
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_ATHENA": self.athena_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    def start(self, sql: str, database: str | None = "db", **more: Any) -> str:
        """Start a statement; results go to RESULTS unless ``more`` says otherwise."""
        if database is not None:
            more.setdefault("QueryExecutionContext", {"Database": database})
        if "WorkGroup" not in more:
            more.setdefault("ResultConfiguration", {"OutputLocation": RESULTS})
        return self.athena.start_query_execution(QueryString=sql, **more)["QueryExecutionId"]

    def wait(self, identity: str) -> dict[str, Any]:
        """Wait for the end of an execution, and describe it."""
        while True:
            execution: Any = self.athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
            if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
                return dict(execution)
            time.sleep(0.005)

    def run(self, sql: str, database: str | None = "db", **more: Any) -> Answer:
        """Run a statement to its end, whichever it is."""
        identity = self.start(sql, database, **more)
        execution = self.wait(identity)
        status = execution["Status"]
        columns: list[Any] = []
        rows: list[list[str | None]] = []
        if status["State"] == "SUCCEEDED":
            for page in self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=identity):
                columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
                rows += [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]
            if execution["ResultConfiguration"]["OutputLocation"].endswith(".csv"):
                rows = rows[1:]
        return Answer(
            id=identity,
            state=status["State"],
            reason=status.get("StateChangeReason"),
            columns=[column["Name"] for column in columns],
            types=[column["Type"] for column in columns],
            rows=rows,
            scanned=execution["Statistics"]["DataScannedInBytes"],
            execution=execution,
        )

    def query(self, sql: str, database: str | None = "db", **more: Any) -> list[list[str | None]]:
        """The rows of a statement that must succeed."""
        answer = self.run(sql, database, **more)
        assert answer.state == "SUCCEEDED", answer.reason
        return answer.rows

    def failure(self, sql: str, database: str | None = "db", **more: Any) -> str:
        """The reason of a statement that must fail."""
        answer = self.run(sql, database, **more)
        assert answer.state == "FAILED", f"{answer.state}: {answer.rows}"
        assert answer.reason is not None
        return answer.reason

    def put(self, key: str, body: bytes | str) -> None:
        """Write an object of the bucket."""
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body if isinstance(body, bytes) else body.encode())

    def keys(self, prefix: str) -> list[str]:
        """Keys of the bucket below a prefix."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def body(self, key: str) -> bytes:
        """Content of an object of the bucket."""
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def _session() -> boto3.Session:
    session = boto3.Session(aws_access_key_id=KEY.id, aws_secret_access_key=KEY.secret, region_name=REGION)
    without_connections(session.events)
    return session


def empty_aws() -> None:
    """Forget what any emulated service holds: moto keeps one state for the process, whichever server it is asked by."""
    moto_api_backend.reset()


@dataclass(frozen=True)
class HeldAws:
    """What the emulated services held at one moment: to make it once, and to have it again in each test."""

    backends: tuple[tuple[BackendDict[Any], str, str, bytes], ...]
    bucket_owners: dict[str, Any]

    @classmethod
    def now(cls) -> HeldAws:
        """All that is there now."""
        return cls(
            tuple(
                (service, account, region, pickle.dumps(vars(backend)))
                for service in BackendDict._instances
                for account, backends in service.items()
                for region, backend in backends.items()
            ),
            dict(s3_backends.bucket_accounts),
        )

    def put_back(self) -> None:
        """Let the emulated services hold this again, and nothing else."""
        empty_aws()
        for service, account, region, state in self.backends:
            vars(service[account][region]).update(pickle.loads(state))  # noqa: S301 -- what `now` wrote
        s3_backends.bucket_accounts.update(self.bucket_owners)


@contextlib.contextmanager
def emulated_aws() -> Iterator[str]:
    """The embedded platform's AWS, empty, in this process and with nothing kept: where it listens."""
    empty_aws()
    listener = listen(0)
    port = listener.getsockname()[1]
    url = f"http://{HOST}:{port}"
    emulator = OneAtATime()
    server = uvicorn_server(Front(emulator, Path(), KEY), port, buckets=True, server_header=False)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        with answering(url, aws_answers(emulator)):
            yield url
    finally:
        server.should_exit = True
        thread.join()


@contextlib.contextmanager
def athena_process(aws_url: str, *options: str) -> Iterator[tuple[LocalAws, subprocess.Popen[str]]]:
    """The embedded Athena in a process of its own over an emulator, with bucket ``lake`` and database ``db``."""
    command = [sys.executable, "-m", "dapflow", "athena", "--aws-endpoint", aws_url, "--region", REGION, *options]
    athena = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, **KEY.variables()})
    try:
        assert athena.stdout is not None
        aws = LocalAws(aws_url, athena.stdout.readline().split()[-1], _session())
        aws.make_room()
        yield aws, athena
    finally:
        athena.terminate()
        athena.communicate()


@contextlib.contextmanager
def local_aws(state: Path | None = None) -> Iterator[LocalAws]:
    """AWS with bucket ``lake`` and database ``db``, and the embedded Athena over it."""
    with (
        emulated_aws() as aws_url,
        serve(AthenaSettings(aws_endpoint=aws_url, region=REGION, state=state, access_key=KEY)) as athena,
    ):
        local = LocalAws(aws_url, athena.url, _session())
        local.make_room()
        yield local
