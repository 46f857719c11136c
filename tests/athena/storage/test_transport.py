"""Whatever carries the calls that every query waits for, the same is written and listed."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.credentials import Credentials
from moto.s3.models import s3_backends

from dapflow.athena.storage.locations import Location
from dapflow.athena.storage.loopback_transport import LoopbackTransport
from dapflow.athena.storage.transport import BotoTransport, Transport
from tests.aws_servers import BUCKET, KEY, REGION, LocalAws
from tests.local.ports import free_port

KEYS = ("a b+c%2F&<.csv", "å/é", "a//b", "a/../b", "plain", "x~y=z/1", "empty")


@pytest.fixture(params=["boto3", "loopback", "unreachable"])
def transport(aws: LocalAws, request: pytest.FixtureRequest) -> Transport:
    """boto3; the short way; and the short way where it leads nowhere, so that boto3 has to do it."""
    general = BotoTransport(aws.s3)
    if request.param == "boto3":
        return general
    url = aws.aws_url if request.param == "loopback" else f"http://127.0.0.1:{free_port()}"
    return LoopbackTransport(url, Credentials(KEY.id, KEY.secret), REGION, 4, general)


def listed(items: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((item["Key"], item["Size"], item["ETag"], item["LastModified"]) for item in items)


def test_what_is_written_is_there_and_listed_as_boto3_lists_it(aws: LocalAws, transport: Transport) -> None:
    written = {f"{type(transport).__name__}/{key}": key.encode() * (key != "empty") for key in KEYS}
    calls = [transport.put(Location(BUCKET, key), body) for key, body in written.items()]
    for call in calls:
        call.result()
    assert {key: aws.body(key) for key in written} == written
    prefix = Location(BUCKET, type(transport).__name__ + "/")
    written_items = listed(transport.list_objects(prefix).result())
    assert written_items == listed(aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix.key)["Contents"])  # type: ignore[arg-type]
    assert [key for key, *_ in written_items] == sorted(written)


def test_all_pages_are_listed(aws: LocalAws, transport: Transport) -> None:
    prefix = Location(BUCKET, "many/")
    if not aws.keys(prefix.key):
        bucket = s3_backends["123456789012"]["aws"]
        for number in range(1001):
            bucket.put_object(BUCKET, f"many/{number}", b"")
    assert len(transport.list_objects(prefix).result()) == 1001


def test_what_fails_is_told_as_boto3_tells_it(aws: LocalAws, transport: Transport) -> None:
    nowhere = Location("no-such-bucket", "x")
    for call in (transport.put(nowhere, b"x"), transport.list_objects(nowhere)):
        with pytest.raises(aws.s3.exceptions.ClientError, match="NoSuchBucket"):
            call.result()


def test_a_call_that_nobody_waits_for_holds_nothing_up(aws: LocalAws, transport: Transport) -> None:
    transport.list_objects(Location(BUCKET, "")).cancel()
    transport.put(Location(BUCKET, "after"), b"x").result()
    assert aws.body("after") == b"x"
