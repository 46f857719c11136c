"""The calls that most queries make, without botocore's general machinery, at an emulator.

Writing a result, listing a table's objects and asking Glue for tables are what a short query waits for. botocore
resolves the endpoint of each call by rules and builds user agent, events and retries anew: 2 to 3 ms of processor time
a call. What does not answer with 200 here is asked again in the general way, which knows retries and errors; at AWS
itself only that way is taken.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections import deque
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode, urlsplit
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dapflow.local.athena.storage.connection import Connection
from dapflow.local.athena.storage.locations import Location

_MOMENTS = ("CreateTime", "UpdateTime", "LastAccessTime", "LastAnalyzedTime")
_PATIENCE_SECONDS = 60


class Quick:
    """Calls at one endpoint without TLS; buckets stand in the path. What fails, for any reason, gives None or False."""

    def __init__(self, endpoint: str, credentials: Credentials, region: str, connections: int) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._root = urlsplit(endpoint).path.rstrip("/")
        self._s3 = S3SigV4Auth(credentials, "s3", region)
        self._glue = SigV4Auth(credentials, "glue", region)
        parts = urlsplit(endpoint)
        self._host = parts.netloc.rpartition("@")[2]
        self._connect = functools.partial(Connection, parts.hostname or "", parts.port or 80, _PATIENCE_SECONDS)
        self._idle: deque[Connection] = deque(maxlen=connections)

    def put(self, location: Location, body: bytes, content_type: str) -> bool:
        """PutObject."""
        path = f"/{location.bucket}/{quote(location.key, safe='/~')}"
        return self._call(self._s3, "PUT", path, body, {"Content-Type": content_type}) is not None

    def list_objects(self, prefix: Location) -> list[dict[str, Any]] | None:
        """ListObjectsV2, as boto3 gives its ``Contents``; None too where there is more than one page."""
        wanted = {"encoding-type": "url", "list-type": "2", "prefix": prefix.key}
        answer = self._call(self._s3, "GET", f"/{prefix.bucket}?{urlencode(wanted, quote_via=quote)}", b"", {})
        if answer is None:
            return None
        page = ElementTree.fromstring(answer)  # noqa: S314 - the endpoint is the one that the user trusts with the data
        space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
        if page.findtext(f"{space}IsTruncated") != "false":
            return None
        encoded = page.findtext(f"{space}EncodingType") == "url"
        return [_object(item, space, encoded) for item in page.iterfind(f"{space}Contents")]

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """GetTable of Glue, as boto3 gives its ``Table``."""
        answer = self._glue_call("GetTable", {"DatabaseName": database, "Name": name})
        return None if answer is None else _table(answer["Table"])

    def tables(self, database: str, names: list[str]) -> list[dict[str, Any]]:
        """Those of some tables that GetTables of Glue gives at once."""
        expression = "|".join(re.escape(name) for name in names)
        answer = self._glue_call("GetTables", {"DatabaseName": database, "Expression": expression})
        return [_table(table) for table in (answer or {}).get("TableList", []) if table["Name"] in names]

    def _glue_call(self, operation: str, request: dict[str, Any]) -> dict[str, Any] | None:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AWSGlue.{operation}"}
        answer = self._call(self._glue, "POST", "/", json.dumps(request).encode(), headers)
        return None if answer is None else dict(json.loads(answer))

    def _call(self, signer: SigV4Auth, method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes | None:
        request = AWSRequest(method, self._endpoint + path, headers, body)
        signer.add_auth(request)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            answer = connection.request(method, self._root + path, {"Host": self._host, **request.headers}, body)
        except OSError:
            return None
        self._idle.append(connection)
        return answer.body if answer.status == 200 else None


def _table(table: dict[str, Any]) -> dict[str, Any]:
    """A table of Glue's answer, as boto3 gives it."""
    for key in _MOMENTS:
        if isinstance(table.get(key), int | float):
            table[key] = dt.datetime.fromtimestamp(table[key], dt.UTC)
    return table


def _object(item: ElementTree.Element, space: str, encoded: bool) -> dict[str, Any]:
    key = item.findtext(f"{space}Key", "")
    return {
        "Key": unquote_plus(key) if encoded else key,
        "Size": int(item.findtext(f"{space}Size", "0")),
        "ETag": item.findtext(f"{space}ETag", ""),
        "LastModified": dt.datetime.fromisoformat(item.findtext(f"{space}LastModified", "")),
    }
