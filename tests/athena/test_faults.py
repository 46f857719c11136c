"""Bad input and faults: each ends as a clear failure, and the server goes on."""

from __future__ import annotations

import errno
import http.server
import io
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from dapflow.athena import AthenaSettings, serve
from dapflow.athena.engine import queries
from dapflow.athena.storage.server_state import ServerState
from dapflow.trino.duckdb import translate_error
from tests.aws_servers import REGION, SIGNED, LocalAws

DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
GONE = b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>"


class Door(http.server.BaseHTTPRequestHandler):
    """Passes requests on to ``below``, but denies the bucket ``forbidden`` and has lost every object named ``lost``."""

    protocol_version = "HTTP/1.1"
    below = ""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = self.path.partition("?")[0]
        if path.startswith("/forbidden"):
            self._send(403, DENIED)
        elif path.endswith("/lost") and self.command == "GET":
            self._send(404, GONE)
        else:
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            request = urllib.request.Request(self.below + self.path, body or None, headers, method=self.command)  # noqa: S310
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                    self._send(answer.status, answer.read(), dict(answer.headers))
            except urllib.error.HTTPError as error:
                self._send(error.code, error.read(), dict(error.headers))

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "server", "date"}:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def behind(aws: LocalAws) -> Iterator[LocalAws]:
    """Another embedded Athena, which reaches moto through the door."""
    door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("ThisDoor", (Door,), {"below": aws.aws_url}))
    thread = threading.Thread(target=door.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{door.server_port}"
    keys = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    with serve(AthenaSettings(aws_endpoint=url, region=REGION)) as server:
        yield LocalAws(url, server.url, keys)
    door.shutdown()
    thread.join()
    door.server_close()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [1, 2]}), buffer)
    return buffer.getvalue()


def test_a_bucket_that_denies_is_named(behind: LocalAws) -> None:
    behind.query("CREATE EXTERNAL TABLE secret (a int) STORED AS PARQUET LOCATION 's3://forbidden/x/'")
    assert (
        behind.failure("SELECT a FROM secret") == "PERMISSION_DENIED: Permission denied on S3 path: s3://forbidden/x/"
    )
    for statement in (
        "UNLOAD (SELECT 1 AS a) TO 's3://forbidden/y/' WITH (format = 'PARQUET')",
        "CREATE TABLE copied WITH (external_location = 's3://forbidden/z/') AS SELECT 1 AS a",
    ):
        assert behind.failure(statement).startswith("PERMISSION_DENIED: ")
    reason = behind.failure("SELECT 1", ResultConfiguration={"OutputLocation": "s3://forbidden/results/"})
    assert reason.startswith("PERMISSION_DENIED: Access Denied on writing S3 path: s3://forbidden/results/")


def test_an_object_that_is_gone_after_it_was_listed_is_named(behind: LocalAws, aws: LocalAws) -> None:
    aws.put("vanishing/lost", parquet())
    behind.query("CREATE EXTERNAL TABLE vanishing (a bigint) STORED AS PARQUET LOCATION 's3://lake/vanishing/'")
    assert behind.failure("SELECT a FROM vanishing") == (
        "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split s3://lake/vanishing/lost: The specified key does not exist "
        "(Service: Amazon S3; Status Code: 404)"
    )


def test_a_fault_of_the_server_itself_fails_the_query_without_a_word_of_python(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile_query(*_: Any, **__: Any) -> None:
        raise KeyError("/srv/secret.py")

    monkeypatch.setattr(queries, "compile_query", compile_query)
    answer = aws.run("SELECT 1")
    assert (answer.state, answer.reason) == (
        "FAILED",
        "GENERIC_INTERNAL_ERROR: The query failed inside the server; its log has the details",
    )
    assert answer.execution["Status"]["AthenaError"]["ErrorCategory"] == 1
    monkeypatch.undo()
    assert aws.query("SELECT 1") == [["1"]]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said_in_the_words_of_athena(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    full = "The disk of the embedded Athena is full"
    with monkeypatch.context() as patch:
        patch.setattr(queries, "compile_query", fail)
        answer = aws.run("SELECT 1")
    assert (answer.state, answer.reason) == ("FAILED", f"INSUFFICIENT_RESOURCES: {full}")
    assert answer.execution["Status"]["AthenaError"]["ErrorCategory"] == 1
    with monkeypatch.context() as patch:
        patch.setattr(ServerState, "put_execution", fail)
        with pytest.raises(ClientError) as refused:
            aws.start("SELECT 1")
    assert refused.value.response["Error"] == {"Code": "InternalServerException", "Message": full}
    assert aws.query("SELECT 1") == [["1"]]


def test_a_fault_in_a_function_of_ours_is_told_without_a_word_of_python() -> None:
    database = duckdb.connect()
    database.create_function("broken", lambda x: {}[x], ["BIGINT"], "BIGINT")
    with pytest.raises(duckdb.Error) as caught:
        database.execute("SELECT broken(1)").fetchall()
    assert str(translate_error(caught.value)) == "GENERIC_INTERNAL_ERROR: The query failed in the engine"


DEEP = [
    "SELECT " + "(" * 1000 + "1" + ")" * 1000,
    "SELECT " + "abs(" * 1000 + "1" + ")" * 1000,
    "SELECT " + "NOT " * 1000 + "true",
    "SELECT " + "- " * 1000 + "1",
    "SELECT " + "CASE WHEN true THEN " * 1000 + "1" + " END" * 1000,
    "SELECT " + "ARRAY[" * 1000 + "1" + "]" * 1000,
    "SELECT " + "CAST(" * 1000 + "1" + " AS bigint)" * 1000,
    "SELECT * FROM " + "(SELECT * FROM " * 1000 + "(SELECT 1 AS a)" + ")" * 1000,
    "SELECT " + "(SELECT " * 1000 + "1" + ")" * 1000,
    "SELECT " + " + ".join(["1"] * 1000),
    "SELECT " + " || ".join(["'x'"] * 1000),
    "SELECT 1 WHERE " + " AND ".join(["1 = 1"] * 1000),
    "SELECT 1 WHERE " + " OR ".join(["1 = 2"] * 1000),
    " UNION ALL ".join(["SELECT 1"] * 1000),
    "SELECT CAST(NULL AS " + "array(" * 1000 + "bigint" + ")" * 1000 + ")",
    "SELECT 1 AS a -- " + "(" * 1000,
    "SELECT '" + "(" * 1000 + "' AS a",
    "CREATE EXTERNAL TABLE deep (a " + "array<" * 1000 + "int" + ">" * 1000 + ") LOCATION 's3://lake/deep/'",
]
GARBAGE = [
    ";", ";;", "'", '"', "`", "--", "/*", "/* */", "SELECT", "SELECT '", 'SELECT "', "SELECT 1 FROM", "SELECT 1 1 1",
    "\u0000", "SELECT \u0000", "\U0001f600", "SELECT \u00e9\u00e8 FROM \u00fc", "\u202eSELECT 1", "SELECT 1\u00a0+ 1",
    "SELECT 'a' 'b'", "SELECT 99999999999999999999999999999999999999999", "SELECT X'0'", "SELECT U&'\\'", "((((((",
    "SELECT DATE 'tomorrow'", "SELECT INTERVAL 'x' DAY", "))))))", "SELECT * FROM (", "WITH SELECT", "DROP", "CREATE",
    "ALTER TABLE", "SHOW", "DESCRIBE", "MSCK", "EXPLAIN", "EXECUTE", "PREPARE x FROM", "UNLOAD", "INSERT INTO", "\\",
    "SELECT ?", "{}", "null", "SELECT \ufffd", "%s", "{0}", "SELECT {{ ds }}", "\ufeffSELECT", "$$", "?",
]  # fmt: skip
FOREIGN = ("duckdb", "python", "traceback", "generic_internal_error", "/tmp", "binder error", "read_parquet", "sqlglot")


def reason_of(aws: LocalAws, sql: str) -> str | None:
    """Why a statement was refused or failed, or None if it did not."""
    try:
        answer = aws.run(sql)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidRequestException", error
        return error.response["Error"]["Message"]
    assert answer.state in {"SUCCEEDED", "FAILED"}
    return answer.reason


@pytest.mark.parametrize("sql", DEEP, ids=[text[:20] for text in DEEP])
def test_a_thousand_levels_are_an_answer_or_an_error_and_no_crash(aws: LocalAws, sql: str) -> None:
    reason = reason_of(aws, sql) or ""
    assert not any(word in reason.lower() for word in FOREIGN), reason
    assert aws.query("SELECT 1") == [["1"]]


@pytest.mark.parametrize("sql", GARBAGE)
def test_garbage_is_refused(aws: LocalAws, sql: str) -> None:
    reason = reason_of(aws, sql)
    assert reason, sql
    assert not any(word in reason.lower() for word in FOREIGN), reason


def test_text_that_is_no_unicode_is_refused(aws: LocalAws) -> None:
    body = b'{"QueryString": "SELECT \'\\ud800\'", "ResultConfiguration": {"OutputLocation": "s3://lake/results/"}}'
    target = "AmazonAthena.StartQueryExecution"
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", **SIGNED}
    request = urllib.request.Request(aws.athena_url, body, headers, method="POST")  # noqa: S310
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310
    assert refused.value.code == 400
    refused.value.close()


@pytest.mark.slow
def test_a_pattern_that_tries_for_ever_fails_and_holds_nobody_up(aws: LocalAws) -> None:
    text = "rpad('a', 60, 'a') || CAST(x AS varchar)"
    hopeless = aws.start(f"SELECT regexp_like({text}, '(a|aa)+\\1$') FROM UNNEST(sequence(1, 1000)) AS t(x)")
    beside = [aws.query("SELECT 1") for _ in range(3)]
    status = aws.athena.get_query_execution(QueryExecutionId=hopeless)["QueryExecution"]["Status"]
    assert (beside, status["State"]) == ([[["1"]]] * 3, "RUNNING")
    assert aws.wait(hopeless)["Status"]["StateChangeReason"].startswith(
        "EXCEEDED_CPU_LIMIT: A match took longer than 2 s"
    )
