"""Small calls to S3 at an endpoint without TLS, by Python's HTTP client and botocore's signatures alone.

boto3 takes a millisecond of processor time for a call, four times as long: it finds the endpoint by rules and builds
user agent, events and retries anew. What is not answered with 200 is asked again by boto3, which knows every error.

A request is sent and its answer waited for in two steps, so that many are on their way without a thread for each.
"""

from __future__ import annotations

import datetime as dt
import http.client
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from urllib.parse import quote, unquote_plus, urlencode, urlsplit
from xml.etree import ElementTree

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from dapflow.athena.storage.locations import Location
from dapflow.athena.storage.transport import CONTENT_TYPE, AwsCall, Transport

_PATIENCE_SECONDS = 60

Result = TypeVar("Result")


class LoopbackTransport:
    """S3 at ``endpoint``, where buckets stand in the path; ``general`` makes those that fail here."""

    def __init__(
        self, endpoint: str, credentials: Credentials, region: str, connections: int, general: Transport
    ) -> None:
        parts = urlsplit(endpoint)
        self._root = parts.path.rstrip("/")
        self._host = parts.netloc.rpartition("@")[2]
        self._credentials = credentials
        self._region = region
        self._general = general
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=connections)

    def put(self, location: Location, body: bytes) -> AwsCall[None]:
        """PutObject."""
        target = f"/{quote(location.bucket)}/{quote(location.key, safe='/~')}"
        sent = self._send("PUT", target, body, {"Content-Type": CONTENT_TYPE})
        return _SentRequest(self, sent, lambda _: None, lambda: self._general.put(location, body).result())

    def list_objects(self, prefix: Location) -> AwsCall[list[dict[str, Any]]]:
        """ListObjectsV2, where that is one page."""
        wanted = {"encoding-type": "url", "list-type": "2", "prefix": prefix.key}
        target = f"/{quote(prefix.bucket)}?{urlencode(wanted, quote_via=quote, safe='')}"
        sent = self._send("GET", target, b"", {})
        return _SentRequest(self, sent, _listed, lambda: self._general.list_objects(prefix).result())

    def close(self) -> None:
        """Begin nothing more."""
        self._general.close()

    def _send(
        self, method: str, target: str, body: bytes, headers: dict[str, str]
    ) -> http.client.HTTPConnection | None:
        """The connection on which the answer will come; None where the request could not be sent."""
        target = self._root + target
        request = AWSRequest(method, f"http://{self._host}{target}", headers, body)
        S3SigV4Auth(self._credentials.get_frozen_credentials(), "s3", self._region).add_auth(request)
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = http.client.HTTPConnection(self._host, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(method, target, body, dict(request.headers.items()))
        except (OSError, http.client.HTTPException):
            connection.close()
            return None
        return connection

    def keep(self, connection: http.client.HTTPConnection) -> None:
        """Take back a connection whose answer was read."""
        self._idle.append(connection)


class _MorePagesError(Exception):
    """An answer is not all that was asked for."""


class _SentRequest(Generic[Result]):
    """A request that was sent. ``otherwise`` gives the result where the answer is not what was hoped for."""

    def __init__(
        self,
        transport: LoopbackTransport,
        connection: http.client.HTTPConnection | None,
        read: Callable[[bytes], Result],
        otherwise: Callable[[], Result],
    ) -> None:
        self._transport = transport
        self._connection = connection
        self._read = read
        self._otherwise = otherwise

    def result(self) -> Result:
        """Wait for the answer, once."""
        connection, self._connection = self._connection, None
        if connection is None:
            return self._otherwise()
        try:
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return self._otherwise()
        self._transport.keep(connection)
        if answer.status != http.HTTPStatus.OK:
            return self._otherwise()
        try:
            return self._read(body)
        except _MorePagesError:
            return self._otherwise()

    def cancel(self) -> None:
        """Do without the answer."""
        if self._connection is not None:
            self._connection.close()


def _listed(answer: bytes) -> list[dict[str, Any]]:
    page = ElementTree.fromstring(answer)  # noqa: S314 - the endpoint is the one that the user trusts with the data
    space = page.tag.partition("}")[0] + "}" if page.tag.startswith("{") else ""
    if page.findtext(f"{space}IsTruncated") != "false":
        raise _MorePagesError
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
