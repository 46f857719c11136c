"""Where moto is helped to answer, it answers what it would have answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.glue.models import FakeTable
from moto.moto_api._internal import moto_api_backend
from moto.s3.models import S3Backend
from moto.s3.responses import S3Response

from dapflow.local.aws import emulator, partition_filter
from dapflow.local.aws.emulator import Emulator
from dapflow.local.aws.wsgi import Environ, Response, api_request, call, restored
from tests.local.aws.s3_requests import KEYS, below, s3

Ask = Callable[..., Response]
RANGES = ("0-3", "2-", "-3", "-9000", "3990-9000", "4000-", "0-0", "7-3", "0-1,4-5", "x")


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Sends a request to an emulator that has the bucket ``lake``."""
    moto_api_backend.reset()
    application = Emulator()

    def asked(environ: Environ, body: bytes = b"") -> Response:
        return call(application, restored(environ), body)

    assert asked(
        s3("PUT", "/lake"),
        b"<CreateBucketConfiguration><LocationConstraint>eu-west-2</LocationConstraint></CreateBucketConfiguration>",
    ).ok
    yield asked
    moto_api_backend.reset()


def comparable(response: Response) -> Any:
    """An answer without what is another in each."""
    own = {"x-amzn-requestid", "content-length", "date"}
    headers = {name.lower(): value for name, value in response.headers if name.lower() not in own}
    return response.status, headers, re.sub(rb"<RequestId>[^<]*</RequestId>", b"", response.body)


@pytest.mark.parametrize("wanted", RANGES)
def test_a_span_of_an_object_is_moto_s(ask: Ask, monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    ask(s3("PUT", "/lake/a"), bytes(range(250)) * 16)
    asked = [
        s3("GET", "/lake/a", HTTP_RANGE=f"bytes={wanted}"),
        s3("GET", "/lake/a", HTTP_RANGE=f"bytes={wanted}", HTTP_IF_MATCH='"x"'),
        s3("GET", "/lake/b", HTTP_RANGE=f"bytes={wanted}"),
    ]
    ours = [ask(environ) for environ in asked]
    monkeypatch.setattr(S3Response, "get_object", emulator._get_object)
    for answer, theirs in zip(ours, map(ask, asked), strict=True):
        assert comparable(answer)[:2] == comparable(theirs)[:2]
        assert answer.header("content-length") == theirs.header("content-length")
        assert answer.body == theirs.body or not answer.ok


@pytest.mark.parametrize("prefix", ["t", "none/", "t/å b+c%2F&<"])
@pytest.mark.parametrize("more", [{"delimiter": "/"}, {"max-keys": "2"}, {"start-after": "t/b"}])
def test_a_listing_is_moto_s(ask: Ask, monkeypatch: pytest.MonkeyPatch, prefix: str, more: dict[str, str]) -> None:
    for key in KEYS:
        ask(s3("PUT", f"/lake/{key}"), b"x")
    ask(s3("DELETE", "/lake/t/a.parquet"))
    ours = ask(s3("GET", "/lake", below(prefix, **more)))
    monkeypatch.setattr(S3Backend, "list_objects", emulator._list_objects)
    assert comparable(ours) == comparable(ask(s3("GET", "/lake", below(prefix, **more))))


EXPRESSIONS = (
    "",
    "day = '2024-06-01'",
    "day <> '2024-06-01' AND (kind = 'it''s' OR kind > 'b')",
    "kind = 'a' OR kind = 'å' AND day >= '2024-06-02'",
    "day in ('2024-06-01','2024-06-03') and hour = 3",
    "day IN ('2024-06-02') AND kind IN ('a', 'it''s', '')",
    "day BETWEEN '2024-06-01' AND '2024-06-02'",
    "kind LIKE 'i%'",
    "((day<'2024-06-03')) AND NOT kind = 'a'",
    "day = 2024",
    "other = 'a'",
    "kind IS NOT NULL",
    "day = '2024-06-01",
    "day = '2024-06-01' AND",
    "(day = '2024-06-01'",
    "day = '2024-06-01')",
    "day IN ()",
    "'2024-06-01' = day",
    "day = kind",
)


def test_the_partitions_of_an_expression_are_moto_s(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def say(action: str, **request: Any) -> Response:
        return ask(api_request("glue", "eu-west-2", f"AWSGlue.{action}"), json.dumps(request).encode())

    names = {"DatabaseName": "d", "TableName": "t"}
    keys = [{"Name": name, "Type": kind} for name, kind in (("day", "string"), ("kind", "string"), ("hour", "int"))]
    assert say("CreateDatabase", DatabaseInput={"Name": "d"}).ok
    assert say("CreateTable", DatabaseName="d", TableInput={"Name": "t", "PartitionKeys": keys}).ok
    for day in ("2024-06-01", "2024-06-02", "2024-06-03"):
        for kind in ("a", "it's", "å", "b"):
            assert say("CreatePartition", **names, PartitionInput={"Values": [day, kind, "3"]}).ok
    ours = [say("GetPartitions", **names, Expression=expression) for expression in EXPRESSIONS]
    monkeypatch.setattr(FakeTable, "get_partitions", partition_filter._get_partitions)
    for expression, answer in zip(EXPRESSIONS, ours, strict=True):
        assert comparable(answer) == comparable(say("GetPartitions", **names, Expression=expression)), expression
    assert len({answer.body for answer in ours if answer.ok}) > 7
