"""The HTTP server: Athena's JSON 1.1 protocol on the loopback interface."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import urllib3
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from dapflow.athena.api import catalogs, executions, query_results, saved_queries, tags, workgroups
from dapflow.athena.api.api_context import ApiContext, Operation
from dapflow.athena.api.protocol import ApiError, check_request, service_model
from dapflow.athena.api.workgroup_store import WorkGroups
from dapflow.athena.engine.engine import Engine
from dapflow.athena.engine.execution import Execution
from dapflow.athena.engine.faults import DISK_FULL, disk_fault
from dapflow.athena.forward import Forwarder
from dapflow.athena.server_settings import AthenaSettings
from dapflow.servers import HEALTH_PATH, HOST
from dapflow.servers.access_key import signed_with
from dapflow.servers.loopback import listen, uvicorn_server

_log = logging.getLogger(__name__)
_TARGET = "AmazonAthena."
OPERATIONS: dict[str, Operation] = {
    **executions.OPERATIONS,
    **query_results.OPERATIONS,
    **workgroups.OPERATIONS,
    **saved_queries.OPERATIONS,
    **catalogs.OPERATIONS,
    **tags.OPERATIONS,
}
# Answered from memory; all others may wait for S3, Glue or the disk, and do so on a thread.
_QUICK = frozenset({"GetQueryExecution"})
# Long polling: who asks for the state of a query that was just submitted is answered when it ends, or after this time.
# So a client that polls sees the end of a short query at once, instead of one pause too late.
_LONG_POLL_SECONDS = 0.2
_JUST_SUBMITTED_SECONDS = 1.0
_THREADS = 32
_STOP_SECONDS = 8.0
# A query has 262,144 bytes at most, each of which JSON may write as six.
_MOST_BYTES = 4 << 20
_UNKNOWN_KEY = {
    "__type": "UnrecognizedClientException",
    "message": "the request is not signed with the access key of this server, which its environment or output names",
}
_TOO_LONG = {"__type": "RequestEntityTooLargeException", "message": f"the request is longer than {_MOST_BYTES} bytes"}
Answer = tuple[int, dict[str, Any]]


def perform(service: ApiContext, target: str, body: bytes) -> Answer:
    """The status and the body that answer a request, whatever goes wrong."""
    try:
        return 200, _answer(service, target, body)
    except ApiError as error:
        return error.status, error.body
    except Exception as error:  # noqa: BLE001 - the client gets Athena's own answer to that, the log the traceback
        _log.exception("%s failed", target)
        reason = DISK_FULL if disk_fault(error) else "The request failed inside the server"
        return 500, {"__type": "InternalServerException", "Message": reason, "message": reason}


def _answer(service: ApiContext, target: str, body: bytes) -> dict[str, Any]:
    name = target.removeprefix(_TARGET)
    if not target.startswith(_TARGET) or name not in service_model().operation_names:
        raise ApiError("UnknownOperationException", f"Unknown operation: {target or 'no X-Amz-Target header'}")
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        raise ApiError("SerializationException", "The request is not JSON") from None
    operation = OPERATIONS.get(name)
    if operation is None:
        raise ApiError("InvalidRequestException", f"{name} is not supported by the embedded Athena")
    check_request(name, request)
    return operation(service, request)


def since_a_moment(service: ApiContext, body: bytes) -> Execution | None:
    """The execution that is asked for, if it was just submitted and has not ended."""
    execution = service.engine.running(_execution_id(body))
    if execution is None or time.time() - execution.submitted > _JUST_SUBMITTED_SECONDS:
        return None
    return execution


class Application:
    """The ASGI application. It stands alone, without a framework, because each layer costs every request its time."""

    def __init__(self, service: ApiContext) -> None:
        self._service = service
        self._key = service.engine.settings.access_key
        below = service.engine.settings.aws_endpoint
        self._forwarder = Forwarder(below) if below is not None else None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["path"] == HEALTH_PATH:
            await _respond(send, 200, {"service": "athena", "status": "ready", "pid": os.getpid()})
            return
        target = _header(scope, b"x-amz-target")
        query = scope["query_string"].decode("latin-1")
        if not self._key.admits(signed_with(_header(scope, b"authorization"), query)):
            await _respond(send, 400, _UNKNOWN_KEY)
            return
        if self._forwarder is not None and not target.startswith(_TARGET):
            await self._forward(self._forwarder, scope, receive, send)
            return
        body = await _whole_body(receive)
        if body is None:
            await _respond(send, 413, _TOO_LONG)
        else:
            await _respond(send, *await self._perform(target, body))

    async def _perform(self, target: str, body: bytes) -> Answer:
        if target.removeprefix(_TARGET) not in _QUICK:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, perform, self._service, target, body)
        await self._wait_for_end(body)
        return perform(self._service, target, body)

    async def _wait_for_end(self, body: bytes) -> None:
        """Wait a moment for the end of the execution that is asked for, if it was just submitted."""
        execution = since_a_moment(self._service, body)
        if execution is None:
            return
        loop = asyncio.get_running_loop()
        told: asyncio.Future[None] = loop.create_future()

        def settle() -> None:
            if not told.done():
                told.set_result(None)

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed when the server stops
                loop.call_soon_threadsafe(settle)

        timeout = loop.call_later(_LONG_POLL_SECONDS, settle)
        execution.when_ended(tell)
        try:
            await told
        finally:
            timeout.cancel()

    @staticmethod
    async def _forward(forwarder: Forwarder, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await forwarder.forward(Request(scope, receive))
        except urllib3.exceptions.HTTPError as error:
            message = f"The AWS endpoint below does not answer: {type(error).__name__}"
            await _respond(send, 503, {"__type": "ServiceUnavailable", "Message": message})
        else:
            await answer(scope, receive, send)


def _header(scope: Scope, name: bytes) -> str:
    """A header of a request; '' where it has none."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


async def _whole_body(receive: Receive) -> bytes | None:
    """The body of a request, or None where it is longer than any that Athena takes; such a one is not kept."""
    pieces: list[bytes] = []
    length, more = 0, True
    while more:
        message = await receive()
        piece: bytes = message.get("body", b"")
        length += len(piece)
        if length <= _MOST_BYTES:
            pieces.append(piece)
        more = message.get("more_body", False)
    return b"".join(pieces) if length <= _MOST_BYTES else None


def _execution_id(body: bytes) -> str:
    """The execution that a request is about; '' where it does not say, which is not for here to refuse."""
    try:
        identity = json.loads(body)["QueryExecutionId"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return identity if isinstance(identity, str) else ""


async def _respond(send: Send, status: int, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/x-amz-json-1.1"),
        (b"content-length", str(len(content)).encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


class AthenaServer:
    """A server with its engine. ``start`` serves from a thread, ``run`` from the calling one."""

    def __init__(self, settings: AthenaSettings) -> None:
        self._socket = listen(settings.port)
        self.port: int = self._socket.getsockname()[1]
        try:
            self.engine = Engine(settings)
        except BaseException:
            self._socket.close()
            raise
        self.service = ApiContext(self.engine, WorkGroups(self.engine.state))
        self._server = uvicorn_server(Application(self.service), self.port, buckets=settings.aws_endpoint is not None)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """What clients take as their endpoint."""
        return f"http://{HOST}:{self.port}"

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM."""
        asked = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: asked.set())
        self.start()
        # What is here now stays: the garbage collector need not look at it.
        gc.collect()
        gc.freeze()
        try:
            asked.wait()
        finally:
            # DuckDB and S3 are asked to end what they do for a query, and may take as long as they please.
            last = threading.Timer(_STOP_SECONDS, os._exit, [0])
            last.daemon = True
            last.start()
            self.stop()
            last.cancel()

    def start(self) -> AthenaServer:
        """Serve from a thread until ``stop``. Once it serves, this does nothing."""
        if self._thread is not None:
            return self
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="athena", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread that ``start`` made; running queries are stopped."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
        self._close()

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()
        self.engine.close()

    def __enter__(self) -> AthenaServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
