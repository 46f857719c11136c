"""Requests that are not Athena's go on to the endpoint below, so that one URL serves a client for everything."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import urllib3
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_CHUNK = 1 << 20
_IN_MEMORY = 8 << 20
# What belongs to one connection and not to the message.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"})


class Forwarder:
    """Sends requests on. Signatures are not made anew: an emulator checks no more than the key."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._place = urlsplit(self._endpoint).netloc.rpartition("@")[2]
        self._pool = urllib3.PoolManager(maxsize=32, retries=False, timeout=urllib3.Timeout(connect=10, read=300))

    async def forward(self, request: Request) -> Response:
        """Pass the request on, and its answer back; but what moto serves beside AWS, such as the way to empty it."""
        if unquote(request.scope["raw_path"].decode("ascii")).split("/")[1:2] == ["moto-api"]:
            return Response("403 Forbidden: this is no part of AWS\n", 403)
        body = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            await run_in_threadpool(body.write, chunk)
        body.seek(0)
        return await run_in_threadpool(self._send, request, body, size)

    def _send(self, request: Request, body: tempfile.SpooledTemporaryFile[bytes], size: int) -> Response:
        path = request.scope["raw_path"].decode("ascii")
        query = request.scope["query_string"].decode("ascii")
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        headers["host"] = self._host(request.headers["host"])
        if size:
            headers["content-length"] = str(size)
        with body:
            answer = self._pool.request(
                request.method,
                f"{self._endpoint}{path}{'?' if query else ''}{query}",
                headers=headers,
                body=body if size else None,
                preload_content=False,
                decode_content=False,
            )
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
        length = answer.headers.get("content-length")
        if length is not None:
            kept["content-length"] = length
        return StreamingResponse(_chunks(answer), answer.status, kept)

    def _host(self, host: str) -> str:
        """The name by which the endpoint is asked: its own, below which S3 may have that of a bucket."""
        name = host.rpartition(":")[0].lower()
        if not name.endswith(".localhost"):
            return self._place
        port = urlsplit(f"//{self._place}").port
        return name if port is None else f"{name}:{port}"


def _chunks(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from answer.stream(_CHUNK, decode_content=False)
    finally:
        answer.release_conn()
