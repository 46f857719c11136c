"""What is answered without moto's general machinery is what moto would have answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from moto.moto_api._internal import moto_api_backend

from dapflow.local.aws import emulator, shortcuts
from dapflow.local.aws.emulator import Emulator
from dapflow.local.aws.wsgi import Environ, Response, api_request, call, restored
from tests.local.aws.s3_requests import KEYS, below, s3


class Pair:
    """moto as it is and moto behind the shortcuts, over one state."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._emulator = Emulator()
        self._monkeypatch = monkeypatch
        self.taken: list[bool] = []

    def direct(self, environ: Environ, body: bytes) -> Response:
        with self._monkeypatch.context() as patched:
            patched.setattr(emulator, "shortcut", lambda _: None)
            return call(self._emulator, restored(environ), body)

    def quick(self, environ: Environ, body: bytes) -> Response:
        def noted(environ: Environ) -> Response | None:
            answer = shortcuts.shortcut(environ)
            self.taken.append(answer is not None)
            return answer

        with self._monkeypatch.context() as patched:
            patched.setattr(emulator, "shortcut", noted)
            return call(self._emulator, restored(environ), body)

    def both(self, environ: Environ, body: bytes = b"", *, shorter: bool = True) -> Response:
        """The quick answer, which has to be the other's too, and taken by a shortcut or not."""
        direct, quick = self.direct(environ, body), self.quick(environ, body)
        assert self.taken[-1] is shorter
        assert (quick.status, headers(quick)) == (direct.status, headers(direct))
        assert content(quick) == content(direct)
        return quick


def headers(response: Response) -> dict[str, str]:
    own = {"x-amzn-requestid", "content-length", "server", "access-control-allow-origin"}
    return {name.lower(): value for name, value in response.headers if name.lower() not in own}


def content(response: Response) -> Any:
    if not response.body:
        return None
    if response.body.startswith(b"<"):
        return tree(ElementTree.fromstring(response.body))  # noqa: S314 (written in this process)
    return json.loads(response.body)


def tree(element: ElementTree.Element) -> Any:
    return element.tag, element.text, sorted(tree(child) for child in element if child.tag != "RequestId")


def glue(action: str) -> Environ:
    return api_request("glue", "eu-west-2", f"AWSGlue.{action}")


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    pair = Pair(monkeypatch)
    moto_api_backend.reset()
    location = (
        b"<CreateBucketConfiguration><LocationConstraint>eu-west-2</LocationConstraint></CreateBucketConfiguration>"
    )
    assert pair.direct(s3("PUT", "/lake"), location).ok
    yield pair
    moto_api_backend.reset()


@pytest.mark.parametrize("prefix", ["t", "t/", "t/å", "t/deep/er/", "none/", "t/å b+c%2F&<"])
def test_a_listing_is_moto_s(pair: Pair, prefix: str) -> None:
    for key in KEYS:
        pair.direct(s3("PUT", f"/lake/{key}"), b"x")
    pair.direct(s3("DELETE", "/lake/t/a.parquet"), b"")
    checked = {"HTTP_X_AMZ_SDK_CHECKSUM_ALGORITHM": "CRC32", "HTTP_X_AMZ_STORAGE_CLASS": "STANDARD_IA"}
    pair.direct(s3("PUT", "/lake/t/checked", **checked), b"x")
    pair.both(s3("GET", "/lake", below(prefix)))


def test_a_listing_of_more_than_one_page_or_in_another_form_is_moto_s(pair: Pair) -> None:
    for number in range(1001):
        pair.quick(s3("PUT", f"/lake/many/{number}"), b"")
    first = content(pair.both(s3("GET", "/lake", below("many/")), shorter=False))
    assert len([child for child in first[2] if child[0].endswith("Contents")]) == 1000
    for more in ({"delimiter": "/"}, {"max-keys": "7"}, {"start-after": "many/5"}, {"fetch-owner": "true"}):
        pair.both(s3("GET", "/lake", below("many/10", **more)), shorter=False)
    pair.both(s3("GET", "/nothing", below("t/")), shorter=False)


def test_the_catalog_is_moto_s(pair: Pair) -> None:
    def say(action: str, **request: Any) -> None:
        assert pair.direct(glue(action), json.dumps(request).encode()).ok

    say("CreateDatabase", DatabaseInput={"Name": "d", "Description": "é", "Parameters": {"k": "v"}})
    columns = [{"Name": "a", "Type": "int", "Comment": "é", "Parameters": {"p": "q"}}, {"Name": "b", "Type": "int"}]
    serde = {"SerializationLibrary": "x", "Parameters": {"serialization.format": "1"}}
    storage = {
        "Columns": columns,
        "Location": "s3://lake/t/",
        "Compressed": False,
        "NumberOfBuckets": -1,
        "SerdeInfo": serde,
        "SortColumns": [{"Column": "a", "SortOrder": 1}],
        "SkewedInfo": {"SkewedColumnNames": []},
    }
    keys = [{"Name": "p", "Type": "string"}]
    table = {"TableType": "EXTERNAL_TABLE", "PartitionKeys": keys, "StorageDescriptor": storage, "Retention": 0}
    for name in ("t", "t2"):
        given = {**table, "Name": name, "LastAccessTime": 1700000000, "Unknown": 1}
        say("CreateTable", DatabaseName="d", TableInput=given)
    say("CreateTable", DatabaseName="d", TableInput={"Name": "v", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "x"})
    say("UpdateTable", DatabaseName="d", TableInput={**table, "Name": "t2", "Owner": "o"})
    for value in ("1", "é"):
        given = {"Values": [value], "StorageDescriptor": storage, "Parameters": {"a": "b"}}
        say("CreatePartition", DatabaseName="d", TableName="t", PartitionInput=given)

    for action, request in (
        ("GetDatabase", {"Name": "d"}),
        ("GetDatabases", {}),
        ("GetTable", {"DatabaseName": "d", "Name": "t2"}),
        ("GetTables", {"DatabaseName": "d"}),
        ("GetTables", {"DatabaseName": "d", "Expression": "t|v"}),
        ("GetPartitions", {"DatabaseName": "d", "TableName": "t"}),
        ("GetPartitions", {"DatabaseName": "d", "TableName": "t", "Expression": "p = '1'"}),
        ("GetPartition", {"DatabaseName": "d", "TableName": "t", "PartitionValues": ["1"]}),
    ):
        pair.both(glue(action), json.dumps(request).encode())
    for action, request in (
        ("GetDatabase", {"Name": "none"}),
        ("GetTable", {"DatabaseName": "d", "Name": "none"}),
        ("GetTables", {"DatabaseName": "none"}),
        ("GetPartition", {"DatabaseName": "d", "TableName": "t", "PartitionValues": ["none"]}),
    ):
        assert pair.both(glue(action), json.dumps(request).encode(), shorter=False).code == 400
