"""What a client was told is done is there after the server was killed."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dapflow.local.processes.started import with_compiled_modules
from tests.local.ports import free_port, wait_for_http


class Server:
    """A server process over one state directory."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, before: Callable[[], None] | None = None) -> None:
        log = (self.state.parent / "aws.log").open("ab")
        command = [sys.executable, "-m", "dapflow.local.aws", "--port", str(self.port), "--state", str(self.state)]
        environment = with_compiled_modules(os.environ)
        self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, preexec_fn=before)  # noqa: PLW1509
        wait_for_http(f"http://127.0.0.1:{self.port}/dapflow/health", self.process)

    def end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)

    def restart(self, number: signal.Signals) -> None:
        self.end(number)
        self.start()

    def client(self, service: Any, config: Config | None = None) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="eu-west-2",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "state")
    server.start()
    yield server
    server.end(signal.SIGKILL)


def make_bucket(server: Server) -> Any:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    return s3


def table(name: str = "t") -> dict[str, Any]:
    descriptor = {"Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://bucket/t/"}
    return {"Name": name, "StorageDescriptor": descriptor, "PartitionKeys": [{"Name": "p", "Type": "string"}]}


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_objects_come_back(server: Server, number: signal.Signals) -> None:
    s3 = make_bucket(server)
    s3.put_object(Bucket="bucket", Key="plain", Body=b"first")
    s3.put_object(Bucket="bucket", Key="plain", Body=b"second")
    s3.put_object(
        Bucket="bucket",
        Key="a/å b+c%2F.csv",
        Body=b"x" * 6_000_000,
        ContentType="text/csv",
        ContentEncoding="gzip",
        Metadata={"with_underscore": "1", "with-dash": "2"},
        Tagging="owner=a%20b",
    )
    s3.put_object(Bucket="bucket", Key="empty/", Body=b"")
    before = s3.head_object(Bucket="bucket", Key="a/å b+c%2F.csv")
    s3.copy_object(Bucket="bucket", Key="copied", CopySource="bucket/plain")
    times = {item["Key"]: item["LastModified"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]}
    time.sleep(1.1)  # the times of objects are whole seconds

    server.restart(number)

    assert s3.get_object(Bucket="bucket", Key="plain")["Body"].read() == b"second"
    after = s3.head_object(Bucket="bucket", Key="a/å b+c%2F.csv")
    for field in ("ETag", "ContentLength", "ContentType", "ContentEncoding", "Metadata", "LastModified"):
        assert after[field] == before[field], field
    # What tells late files from those that were loaded, and what a sweep may delete.
    assert times == {item["Key"]: item["LastModified"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]}
    assert s3.get_object_tagging(Bucket="bucket", Key="a/å b+c%2F.csv")["TagSet"] == [{"Key": "owner", "Value": "a b"}]
    assert s3.head_object(Bucket="bucket", Key="empty/")["ContentLength"] == 0


@pytest.mark.slow
def test_copies_and_multipart_uploads_come_back(server: Server) -> None:
    s3 = make_bucket(server)
    s3.put_object(Bucket="bucket", Key="source", Body=b"source", Metadata={"a_b": "c"}, ContentType="text/x")
    s3.copy_object(Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": "source"})
    s3.delete_object(Bucket="bucket", Key="source")
    upload = s3.create_multipart_upload(Bucket="bucket", Key="parts", Metadata={"m": "n"})["UploadId"]
    bodies = [b"a" * 5 * 1024 * 1024, b"end"]
    parts = [
        {
            "PartNumber": n,
            "ETag": s3.upload_part(Bucket="bucket", Key="parts", UploadId=upload, PartNumber=n, Body=body)["ETag"],
        }
        for n, body in enumerate(bodies, 1)
    ]
    s3.complete_multipart_upload(Bucket="bucket", Key="parts", UploadId=upload, MultipartUpload={"Parts": parts})
    s3.put_object_tagging(Bucket="bucket", Key="copy", Tagging={"TagSet": [{"Key": "k", "Value": "v = @"}]})

    server.restart(signal.SIGKILL)

    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert keys == ["copy", "parts"]
    copy = s3.get_object(Bucket="bucket", Key="copy")
    assert (copy["Body"].read(), copy["Metadata"], copy["ContentType"]) == (b"source", {"a_b": "c"}, "text/x")
    assert s3.get_object_tagging(Bucket="bucket", Key="copy")["TagSet"] == [{"Key": "k", "Value": "v = @"}]
    whole = s3.get_object(Bucket="bucket", Key="parts")
    assert (whole["Body"].read(), whole["Metadata"]) == (b"".join(bodies), {"m": "n"})


def test_deleted_objects_stay_deleted(server: Server) -> None:
    s3 = make_bucket(server)
    for key in ("kept", "one", "two", "three"):
        s3.put_object(Bucket="bucket", Key=key, Body=b"x")
    s3.delete_object(Bucket="bucket", Key="one")
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "two"}, {"Key": "three"}], "Quiet": True})

    server.restart(signal.SIGKILL)

    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["kept"]


def test_the_catalog_comes_back(server: Server) -> None:
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "housing-raw-zone", "Description": "Höhe"})
    glue.create_table(DatabaseName="housing-raw-zone", TableInput=table())
    place = {"DatabaseName": "housing-raw-zone", "TableName": "t"}
    location = {"Columns": [{"Name": "a", "Type": "int"}], "Location": "s3://bucket/t/1/"}
    glue.create_partition(**place, PartitionInput={"Values": ["1"], "StorageDescriptor": location})
    glue.update_partition(
        **place,
        PartitionValueList=["1"],
        PartitionInput={"Values": ["1"], "StorageDescriptor": location | {"Location": "s3://bucket/t/2/"}},
    )
    with pytest.raises(ClientError):
        glue.create_partition(**place, PartitionInput={"Values": ["1"], "StorageDescriptor": location})

    server.restart(signal.SIGKILL)

    partitions = glue.get_partitions(**place)["Partitions"]
    assert [(p["Values"], p["StorageDescriptor"]["Location"]) for p in partitions] == [(["1"], "s3://bucket/t/2/")]
    assert glue.get_database(Name="housing-raw-zone")["Database"]["Description"] == "Höhe"


@pytest.mark.slow
def test_other_services_and_bucket_settings_come_back(server: Server) -> None:
    s3 = make_bucket(server)
    s3.put_public_access_block(Bucket="bucket", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    server.client("iam").create_role(RoleName="runner", AssumeRolePolicyDocument="{}")
    server.client("secretsmanager").create_secret(Name="airflow/connections/x", SecretString="{}")

    server.restart(signal.SIGKILL)

    assert s3.get_public_access_block(Bucket="bucket")["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
    assert server.client("iam").get_role(RoleName="runner")["Role"]["Arn"] == "arn:aws:iam::123456789012:role/runner"
    assert server.client("secretsmanager").get_secret_value(SecretId="airflow/connections/x")["SecretString"] == "{}"


@pytest.mark.parametrize("left", [40, *(pytest.param(left, marks=pytest.mark.slow) for left in (0, -1))])
def test_what_a_crash_of_the_machine_cut_off_is_gone_and_the_rest_is_there(server: Server, left: int) -> None:
    s3 = make_bucket(server)
    s3.put_object(Bucket="bucket", Key="whole", Body=b"whole")
    s3.put_object(Bucket="bucket", Key="cut", Body=b"cut off" * 20_000)
    server.end(signal.SIGKILL)
    (file,) = server.state.glob("s3/bodies/*")
    file.write_bytes(file.read_bytes()[:left])

    server.start()

    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["whole"]
    s3.put_object(Bucket="bucket", Key="cut", Body=b"again")
    server.restart(signal.SIGKILL)
    assert s3.get_object(Bucket="bucket", Key="cut")["Body"].read() == b"again"
    assert list(server.state.glob("s3/bodies/*")) == []


@pytest.mark.slow
def test_short_and_long_bodies_take_each_other_s_place(server: Server) -> None:
    s3 = make_bucket(server)
    bodies = {"grows": (b"a", b"b" * 100_000), "shrinks": (b"c" * 100_000, b"d"), "goes": (b"e" * 100_000, None)}
    for key, (before, after) in bodies.items():
        s3.put_object(Bucket="bucket", Key=key, Body=before)
        if after is None:
            s3.delete_object(Bucket="bucket", Key=key)
        else:
            s3.put_object(Bucket="bucket", Key=key, Body=after)
    server.restart(signal.SIGKILL)
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]]
    assert keys == ["grows", "shrinks"]
    for key in keys:
        assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == bodies[key][1]
    assert len(list(server.state.glob("s3/bodies/*"))) == 1


@pytest.mark.slow
def test_objects_of_an_earlier_state_come_back(server: Server) -> None:
    s3 = make_bucket(server)
    server.end(signal.SIGTERM)
    for number, body in enumerate((b"short", b"long" * 50_000)):
        head = {
            "REQUEST_METHOD": "PUT",
            "PATH_INFO": f"/bucket/a {number}",
            "QUERY_STRING": "",
            "HTTP_HOST": "127.0.0.1",
        }
        head["RAW_URI"] = f"/bucket/a%20{number}"
        file = server.state / "s3" / "bucket" / "ab" / f"ab{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(json.dumps({"dapflow.length": len(body), **head}).encode() + b"\n" + body)

    for _ in range(2):
        server.restart(signal.SIGKILL)
        assert s3.get_object(Bucket="bucket", Key="a 0")["Body"].read() == b"short"
        assert s3.get_object(Bucket="bucket", Key="a 1")["Body"].read() == b"long" * 50_000


def test_an_answer_without_a_body_leaves_the_connection_open(server: Server) -> None:
    s3 = make_bucket(server)
    etag = s3.put_object(Bucket="bucket", Key="k", Body=b"x")["ETag"]
    for _ in range(2):
        with pytest.raises(ClientError, match="304"):
            s3.get_object(Bucket="bucket", Key="k", IfNoneMatch=etag)
    assert s3.get_object(Bucket="bucket", Key="k", Range="bytes=0-0")["Body"].read() == b"x"
    assert "Traceback" not in (server.state.parent / "aws.log").read_text()


@pytest.mark.slow
def test_a_half_written_journal_line_is_dropped(server: Server) -> None:
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "whole"})
    server.end(signal.SIGKILL)
    with (server.state / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"environ":{"REQUEST_METHOD":"POST","HTTP_X_AMZ')
    server.start()
    glue.create_database(DatabaseInput={"Name": "after"})

    server.restart(signal.SIGKILL)

    assert {database["Name"] for database in glue.get_databases()["DatabaseList"]} == {"whole", "after"}


@pytest.mark.slow
def test_a_full_disk_refuses_and_changes_nothing(server: Server) -> None:
    s3 = make_bucket(server)
    s3.put_object(Bucket="bucket", Key="object", Body=b"old")
    server.end(signal.SIGTERM)

    def small_files() -> None:
        # A file that may not grow fails as a full disk does: OSError from write.
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    server.start(small_files)
    with pytest.raises(ClientError, match="nothing was changed"):
        s3.put_object(Bucket="bucket", Key="object", Body=b"x" * 300_000)
    with pytest.raises(ClientError, match="nothing was changed"):
        server.client("glue").create_database(DatabaseInput={"Name": "d", "Description": "x" * 300_000})
    assert s3.get_object(Bucket="bucket", Key="object")["Body"].read() == b"old"
    assert server.client("glue").get_databases()["DatabaseList"] == []
    s3.put_object(Bucket="bucket", Key="small", Body=b"fits")

    server.restart(signal.SIGKILL)

    assert s3.get_object(Bucket="bucket", Key="object")["Body"].read() == b"old"
    assert s3.get_object(Bucket="bucket", Key="small")["Body"].read() == b"fits"
    assert server.client("glue").get_databases()["DatabaseList"] == []


@pytest.mark.slow
def test_a_full_disk_at_the_end_of_a_multipart_upload_leaves_the_old_object(server: Server) -> None:
    s3 = make_bucket(server)
    s3.put_object(Bucket="bucket", Key="object", Body=b"old")
    server.end(signal.SIGTERM)
    server.start(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)))
    for key in ("object", "new"):
        upload = s3.create_multipart_upload(Bucket="bucket", Key=key)["UploadId"]
        etag = s3.upload_part(Bucket="bucket", Key=key, UploadId=upload, PartNumber=1, Body=b"x" * 300_000)["ETag"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
        with pytest.raises(ClientError, match="nothing was changed"):
            s3.complete_multipart_upload(Bucket="bucket", Key=key, UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(Bucket="bucket", Key="object")["Body"].read() == b"old"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="bucket")["Contents"]] == ["object"]


def test_two_servers_do_not_share_a_state_directory(server: Server) -> None:
    command = [sys.executable, "-m", "dapflow.local.aws", "--port", str(free_port()), "--state", str(server.state)]
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 1
    assert "another process is using" in second.stderr


@pytest.mark.slow
def test_only_loopback_is_listened_on(server: Server) -> None:
    assert server.process is not None
    listening = [c.laddr.ip for c in psutil.Process(server.process.pid).net_connections() if c.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def write_until_it_ends(server: Server, writer: int, acknowledged: dict[str, bytes], tables: set[str]) -> None:
    """Write objects and tables, noting each when it is acknowledged, until the server is gone."""
    once = Config(retries={"total_max_attempts": 1})
    s3, glue = server.client("s3", config=once), server.client("glue", config=once)
    with contextlib.suppress(BotoCoreError):
        while True:
            key = f"{writer}/{len(acknowledged) % 7}/{len(acknowledged)}"
            body = key.encode() * (20_000 if len(acknowledged) % 10 == 0 else 1)
            s3.put_object(Bucket="bucket", Key=key, Body=body)
            acknowledged[key] = body
            name = f"t{writer}_{len(acknowledged)}"
            glue.create_table(DatabaseName="db", TableInput=table(name))
            tables.add(name)


@pytest.mark.parametrize("kills", [1, pytest.param(18, marks=pytest.mark.slow)])
def test_no_acknowledged_write_is_lost_by_kills_under_load(server: Server, kills: int) -> None:
    make_bucket(server)
    server.client("glue").create_database(DatabaseInput={"Name": "db"})
    acknowledged: list[dict[str, bytes]] = [{} for _ in range(3)]
    tables: list[set[str]] = [set() for _ in range(3)]
    for kill in range(kills):
        before = sum(map(len, acknowledged))
        with ThreadPoolExecutor(3) as pool:
            for writer in range(3):
                pool.submit(write_until_it_ends, server, writer, acknowledged[writer], tables[writer])
            while sum(map(len, acknowledged)) < before + 20 + kill:
                time.sleep(0.01)
            server.end(signal.SIGKILL)
        server.start()
    s3, glue = server.client("s3"), server.client("glue")
    for written in acknowledged:
        for key, body in written.items():
            assert s3.get_object(Bucket="bucket", Key=key)["Body"].read() == body
    pages = glue.get_paginator("get_tables").paginate(DatabaseName="db")
    assert {table["Name"] for page in pages for table in page["TableList"]} >= set().union(*tables)
