"""The calls that most queries make, without botocore's general machinery, at an emulator.

Writing a result, listing a table's objects and asking Glue for tables are what a short query waits for. botocore
resolves the endpoint of each call by rules and builds user agent, events and retries anew: 2 to 3 ms of processor time
a call. What does not answer with 200 here is asked again in the general way, which knows retries and errors; at AWS
itself only that way is taken.

A call is begun and its answer waited for in two steps, so that many are on their way without a thread for each.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote_plus, urlencode, urlsplit
from xml.etree import ElementTree

from botocore.credentials import Credentials

from dapflow.athena.storage.connection import Connection
from dapflow.athena.storage.locations import Location
from dapflow.athena.storage.signature import Signer

_MOMENTS = ("CreateTime", "UpdateTime", "LastAccessTime", "LastAnalyzedTime")
_PATIENCE_SECONDS = 60

Result = TypeVar("Result")


class AwsCall(Generic[Result]):
    """A request that was sent. ``connection`` is None where that failed already."""

    def __init__(
        self,
        connection: Connection | None,
        give_back: Callable[[Connection], None],
        read: Callable[[bytes], Result | None],
    ) -> None:
        self._connection = connection
        self._give_back = give_back
        self._read = read

    def result(self) -> Result | None:
        """Wait for the answer, once; None if it is not what was hoped for."""
        connection, self._connection = self._connection, None
        if connection is None:
            return None
        try:
            answer = connection.receive()
        except OSError:
            return None
        self._give_back(connection)
        return self._read(answer.body) if answer.status == 200 else None

    def forget(self) -> None:
        """Do without the answer."""
        if self._connection is not None:
            self._connection.close()


class Quick:
    """Calls at one endpoint without TLS; buckets stand in the path. What fails, for any reason, gives None."""

    def __init__(self, endpoint: str, credentials: Credentials, region: str, connections: int) -> None:
        parts = urlsplit(endpoint)
        self._root = parts.path.rstrip("/")
        self._host = parts.netloc.rpartition("@")[2]
        self._s3 = Signer(credentials, "s3", region)
        self._glue = Signer(credentials, "glue", region)
        self._connect = functools.partial(Connection, parts.hostname or "", parts.port or 80, _PATIENCE_SECONDS)
        self._idle: deque[Connection] = deque(maxlen=connections)

    def put(self, location: Location, body: bytes, content_type: str) -> AwsCall[bool]:
        """PutObject; True when it is done."""
        path = f"/{quote(location.bucket)}/{quote(location.key, safe='/~')}"
        return self._begin(self._s3, "PUT", path, body, {"Content-Type": content_type}, lambda _: True)

    def list_objects(self, prefix: Location) -> AwsCall[list[dict[str, Any]]]:
        """ListObjectsV2, as boto3 gives its ``Contents``; None too where there is more than one page."""
        wanted = {"encoding-type": "url", "list-type": "2", "prefix": prefix.key}
        target = f"/{quote(prefix.bucket)}?{urlencode(wanted, quote_via=quote, safe='')}"
        return self._begin(self._s3, "GET", target, b"", {}, _listed)

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """GetTable of Glue, as boto3 gives its ``Table``."""
        answer = self._ask_glue("GetTable", {"DatabaseName": database, "Name": name})
        return None if answer is None else _table(answer["Table"])

    def tables(self, database: str, names: list[str]) -> list[dict[str, Any]]:
        """Those of some tables that GetTables of Glue gives at once."""
        expression = "|".join(re.escape(name) for name in names)
        answer = self._ask_glue("GetTables", {"DatabaseName": database, "Expression": expression})
        return [_table(table) for table in (answer or {}).get("TableList", []) if table["Name"] in names]

    def _ask_glue(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AWSGlue.{operation}"}
        read: Callable[[bytes], dict[str, Any]] = json.loads
        return self._begin(self._glue, "POST", "/", json.dumps(request).encode(), headers, read).result()

    def _begin(
        self,
        signer: Signer,
        method: str,
        target: str,
        body: bytes,
        headers: dict[str, str],
        read: Callable[[bytes], Result | None],
    ) -> AwsCall[Result]:
        target = self._root + target
        signed = signer.headers(method, target, self._host, body, dt.datetime.now(dt.UTC))
        connection: Connection | None
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.send(method, target, {**headers, **signed}, body)
        except OSError:
            connection = None
        return AwsCall(connection, self._idle.append, read)


def _table(table: dict[str, Any]) -> dict[str, Any]:
    """A table of Glue's answer, as boto3 gives it."""
    for key in _MOMENTS:
        if isinstance(table.get(key), int | float):
            table[key] = dt.datetime.fromtimestamp(table[key], dt.UTC)
    return table


def _listed(answer: bytes) -> list[dict[str, Any]] | None:
    page = ElementTree.fromstring(answer)  # noqa: S314 - the endpoint is the one that the user trusts with the data
    space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
    if page.findtext(f"{space}IsTruncated") != "false":
        return None
    encoded = page.findtext(f"{space}EncodingType") == "url"
    return [_object(item, space, encoded) for item in page.iterfind(f"{space}Contents")]


def _object(item: ElementTree.Element, space: str, encoded: bool) -> dict[str, Any]:
    key = item.findtext(f"{space}Key", "")
    return {
        "Key": unquote_plus(key) if encoded else key,
        "Size": int(item.findtext(f"{space}Size", "0")),
        "ETag": item.findtext(f"{space}ETag", ""),
        "LastModified": dt.datetime.fromisoformat(item.findtext(f"{space}LastModified", "")),
    }
