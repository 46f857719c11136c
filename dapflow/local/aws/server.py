"""The HTTP server on the loopback interface: requests of an ASGI server for a WSGI application.

Small requests that moto answers from memory, in a millisecond or two, are answered in the server's loop: threads would
answer none of them sooner. The rest, and all bodies that are not small, have threads.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)
from starlette.types import Receive, Scope, Send

from dapflow.local.aws.refused_requests import unknown_key
from dapflow.local.aws.wsgi import (
    Application,
    Environ,
    Response,
    access_key_of,
    call,
    content_length,
    restored,
    service_of,
)
from dapflow.servers import HEALTH_PATH
from dapflow.servers.access_key import AccessKey
from dapflow.servers.loopback import listen, uvicorn_server

log = logging.getLogger("dapflow.aws")
_THREADS, _IDLE_SECONDS = 32, 60
_SMALL_BYTES = 1 << 16


class Front:
    """The ASGI application in front of ``application``: health, the access key, and a log of what is refused."""

    def __init__(self, application: Application, state: Path, key: AccessKey) -> None:
        self._application = application
        self._state = state
        self._key = key
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] == HEALTH_PATH:
            await _respond(send, self._health())
            return
        environ = environ_of(scope)
        if not self._key.admits(access_key_of(environ)):
            log.info(
                '"%s %s" not signed with the key of this platform', environ["REQUEST_METHOD"], environ["PATH_INFO"]
            )
            await _respond(send, unknown_key(service_of(environ)))
            return
        try:
            response = await self._answer(environ, receive)
        except ConnectionError:
            log.info('"%s %s" the client went away', environ["REQUEST_METHOD"], environ["PATH_INFO"])
            return
        if response.code >= 400:
            log.info('"%s %s" %s', environ["REQUEST_METHOD"], environ["PATH_INFO"], response.status)
        await _respond(send, response)

    def _health(self) -> Response:
        body = json.dumps({"state": str(self._state), "pid": os.getpid()}).encode()
        return Response.of("200 OK", [("Content-Type", "application/json")], body)

    async def _answer(self, environ: Environ, receive: Receive) -> Response:
        length = content_length(environ)
        loop = asyncio.get_running_loop()
        if length is None or length > _SMALL_BYTES:
            body = io.BufferedReader(_Body(receive, loop))
            return await loop.run_in_executor(self._threads, call, self._application, environ, body, length)
        content = b"".join([piece async for piece in _pieces(receive)])
        if is_quick(environ):
            return call(self._application, environ, content)
        return await loop.run_in_executor(self._threads, call, self._application, environ, content)


def is_quick(environ: Environ) -> bool:
    """Whether a request is for Glue, or to list or to store; others may copy much or call other services."""
    service, method = service_of(environ), environ["REQUEST_METHOD"]
    if service != "s3":
        return service == "glue"
    if method == "PUT":
        return "HTTP_X_AMZ_COPY_SOURCE" not in environ
    return method == "GET" and "/" not in environ["PATH_INFO"][1:]


def environ_of(scope: Scope) -> Environ:
    """The environment of a request as moto takes it from its own server."""
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    target = f"{path}?{query}" if query else path
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        # Keys of objects may hold an encoded slash, and underscores in the names of their metadata.
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": target,
        "REQUEST_URI": target,
    }
    preserved = environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        key = environ_key_for_header(name)
        environ[key] = f"{environ[key]},{value}" if key in environ else value
        if should_preserve_original_header_name(name):
            preserved[key] = name
    if environ.pop("HTTP_TRANSFER_ENCODING", "").lower() == "chunked":
        environ["wsgi.input_terminated"] = True
    return restored(environ)


async def _pieces(receive: Receive) -> Any:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client went away before it had sent the whole request")
        yield message.get("body", b"")
        more = message.get("more_body", False)


class _Body(io.RawIOBase):
    """The body of a request as a stream, for a thread beside the server's loop."""

    def __init__(self, receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._pieces = _pieces(receive)
        self._loop = loop
        self._left = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for some bytes; 0 at the end."""
        while not self._left:
            following = self._next()
            if following is None:
                return 0
            self._left = following
        taken = self._left[: len(buffer)]
        self._left = self._left[len(taken) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def _next(self) -> bytes | None:
        waiting = asyncio.run_coroutine_threadsafe(anext(self._pieces, None), self._loop)
        try:
            return waiting.result(_IDLE_SECONDS)
        except TimeoutError:
            waiting.cancel()
            raise ConnectionError("the client stopped in the middle of the request") from None


async def _respond(send: Send, response: Response) -> None:
    without_body = response.code in {204, 304}
    headers = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in response.headers
        if not (without_body and name.lower() == "content-length")
    ]
    await send({"type": "http.response.start", "status": response.code, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if without_body else response.body})


def serve(application: Application, port: int, state: Path, key: AccessKey) -> None:
    """Serve those who sign with ``key`` until SIGTERM or SIGINT. Raises DapflowError when the port is taken."""
    asked = threading.Event()
    listener = listen(port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    # moto's answers name their server.
    front = Front(application, state, key)
    server = uvicorn_server(
        front, listener.getsockname()[1], buckets=True, server_header=False, timeout_keep_alive=_IDLE_SECONDS
    )

    def run() -> None:
        try:
            server.run(sockets=[listener])
        finally:
            asked.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    log.info("serving AWS on http://%s:%d", *listener.getsockname())
    asked.wait()
    server.should_exit = True
    thread.join()
