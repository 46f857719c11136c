"""The server as a process: state, restarts, signals, the protocol's edges."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from dapflow.athena import AthenaSettings, serve
from dapflow.errors import DapflowError
from tests.aws_servers import BUCKET, REGION, RESULTS, SIGNED, LocalAws, emulated_aws

LONG = (
    "SELECT count(*) FROM UNNEST(sequence(1, 9000)) AS a(x), UNNEST(sequence(1, 9000)) AS b(y), "
    "UNNEST(sequence(1, 9000)) AS c(z) WHERE (x * y) % 7 = z % 5"
)


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    with emulated_aws() as url:
        session(url, "").s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        yield url


def session(aws_url: str, athena_url: str) -> LocalAws:
    keys = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    return LocalAws(aws_url, athena_url, keys)


def settings(aws_url: str, state: Path | None = None, **more: Any) -> AthenaSettings:
    return AthenaSettings(aws_endpoint=aws_url, region=REGION, state=state, **more)


def start_process(aws_url: str, *more: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "dapflow", "athena", "--aws-endpoint", aws_url, "--region", REGION, *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Athena listens on http://127.0.0.1:"), process.communicate()
    return process, line.split()[-1]


def test_executions_work_groups_and_saved_queries_survive_a_restart(aws_url: str, tmp_path: Path) -> None:
    with serve(settings(aws_url, tmp_path)) as server:
        local = session(aws_url, server.url)
        identity = local.run("SELECT 1 AS a").id
        failed = local.run("SELECT nothing").id
        local.athena.create_work_group(Name="kept", Configuration={"ResultConfiguration": {"OutputLocation": RESULTS}})
        named = local.athena.create_named_query(Name="n", Database="db", QueryString="SELECT 1")["NamedQueryId"]
    with serve(settings(aws_url, tmp_path)) as server:
        local = session(aws_url, server.url)
        assert local.wait(identity)["Status"]["State"] == "SUCCEEDED"
        page = local.athena.get_query_results(QueryExecutionId=identity)
        assert page["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "1"}]
        assert local.wait(failed)["Status"]["StateChangeReason"].startswith("COLUMN_NOT_FOUND")
        assert local.athena.get_work_group(WorkGroup="kept")["WorkGroup"]["Name"] == "kept"
        assert local.athena.get_named_query(NamedQueryId=named)["NamedQuery"]["Name"] == "n"
        assert set(local.athena.list_query_executions()["QueryExecutionIds"]) == {identity, failed}


def test_results_are_found_in_s3_when_the_local_copy_is_gone(aws_url: str, tmp_path: Path) -> None:
    with serve(settings(aws_url, tmp_path)) as server:
        identity = session(aws_url, server.url).run("SELECT 'x' AS a").id
    for copy in (tmp_path / "results").iterdir():
        copy.unlink()
    with serve(settings(aws_url, tmp_path)) as server:
        local = session(aws_url, server.url)
        page = local.athena.get_query_results(QueryExecutionId=identity)
        assert page["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "x"}]
        local.s3.delete_object(Bucket=BUCKET, Key=f"results/{identity}.csv")


def test_what_ran_when_the_server_was_killed_has_failed(aws_url: str, tmp_path: Path) -> None:
    process, url = start_process(aws_url, "--state", str(tmp_path))
    identity = session(aws_url, url).start(LONG, None)
    process.kill()
    process.communicate()
    with serve(settings(aws_url, tmp_path)) as server:
        status = session(aws_url, server.url).wait(identity)["Status"]
    assert status["State"] == "FAILED"
    assert "server was stopped while the query was running" in status["StateChangeReason"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_in_good_order_while_a_query_runs(aws_url: str, number: signal.Signals) -> None:
    process, url = start_process(aws_url)
    session(aws_url, url).start(LONG, None)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in out + err


def test_a_port_in_use_is_named(aws_url: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DapflowError, match=f"port {port} is in use"):
            serve(settings(aws_url, port=port))


def test_a_state_directory_serves_one_server_at_a_time(aws_url: str, tmp_path: Path) -> None:
    with serve(settings(aws_url, tmp_path)), pytest.raises(DapflowError, match="in use by another server"):
        serve(settings(aws_url, tmp_path))


def test_nothing_is_left_without_a_state_directory(aws_url: str) -> None:
    with serve(settings(aws_url)) as server:
        directory = server.engine.directory
        assert directory.is_dir()
    assert not directory.exists()


def test_only_loopback_is_listened_on(aws_url: str) -> None:
    with serve(settings(aws_url)) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
        for address in others - {"127.0.0.1", "127.0.1.1"}:
            with socket.socket() as probe:
                probe.settimeout(1)
                assert probe.connect_ex((address, server.port)) != 0


def post(url: str, target: str, body: bytes) -> tuple[int, dict[str, str]]:
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1", **SIGNED}
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_requests_that_no_client_library_makes(aws_url: str) -> None:
    with serve(settings(aws_url)) as server:
        assert post(server.url, "AmazonAthena.Nonsense", b"{}")[1]["__type"] == "UnknownOperationException"
        assert post(server.url, "AmazonAthena.GetQueryExecution", b"{not json")[1]["__type"] == "SerializationException"
        status, answer = post(server.url, "AmazonAthena.GetQueryExecution", b"{}")
        assert (status, answer["__type"]) == (400, "InvalidRequestException")
        assert "Member must not be null" in answer["Message"]
        assert post(server.url, "AmazonAthena.StartQueryExecution", b"[]")[1]["__type"] == "InvalidRequestException"
        status, answer = post(server.url, "AmazonAthena.GetQueryResults", b'{"QueryExecutionId": 1}')
        assert "Member must be a string" in answer["Message"]


def test_queries_wait_their_turn(aws_url: str) -> None:
    with serve(settings(aws_url, workers=1)) as server:
        local = session(aws_url, server.url)
        long, second = local.start(LONG, None), local.start("SELECT 1", None)
        while local.athena.get_query_execution(QueryExecutionId=long)["QueryExecution"]["Status"]["State"] == "QUEUED":
            time.sleep(0.01)
        queued = local.athena.get_query_execution(QueryExecutionId=second)["QueryExecution"]["Status"]["State"]
        assert queued == "QUEUED"
        local.athena.stop_query_execution(QueryExecutionId=long)
        assert local.wait(second)["Status"]["State"] == "SUCCEEDED"


def test_one_endpoint_serves_a_client_for_everything(aws_url: str) -> None:
    with serve(settings(aws_url)) as server:
        local = session(server.url, server.url)
        local.s3.create_bucket(Bucket="by-the-way", CreateBucketConfiguration={"LocationConstraint": REGION})
        body = bytes(range(256)) * 40_000
        local.s3.put_object(Bucket="by-the-way", Key="a b/c+d.bin", Body=body)
        assert local.s3.get_object(Bucket="by-the-way", Key="a b/c+d.bin")["Body"].read() == body
        assert local.s3.head_object(Bucket="by-the-way", Key="a b/c+d.bin")["ContentLength"] == len(body)
        local.glue.create_database(DatabaseInput={"Name": "by_the_way"})
        local.query("CREATE TABLE t WITH (external_location = 's3://by-the-way/t/') AS SELECT 1 AS a", "by_the_way")
        assert local.query("SELECT a FROM t", "by_the_way") == [["1"]]
        keys = [item["Key"] for item in local.s3.list_objects_v2(Bucket="by-the-way", Prefix="t/")["Contents"]]
        assert len(keys) == 1
        local.s3.delete_object(Bucket="by-the-way", Key=keys[0])
        assert "Contents" not in local.s3.list_objects_v2(Bucket="by-the-way", Prefix="t/")


@pytest.mark.slow
def test_an_endpoint_that_does_not_answer_is_said_so(tmp_path: Path) -> None:
    with serve(settings("http://127.0.0.1:9", tmp_path)) as server:
        local = session(server.url, server.url)
        reason = local.failure("SELECT a FROM t")
        assert reason.startswith("HIVE_METASTORE_ERROR")
        assert "127.0.0.1:9" not in reason or "connect" in reason.lower()
