"""The HTTP server: Athena's JSON 1.1 protocol on the loopback interface."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import signal
import socket
import threading
import uuid
from typing import Any

import urllib3
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dapflow.errors import DapflowError
from dapflow.local.athena.api import catalogs, executions, query_results, saved_queries, tags, workgroups
from dapflow.local.athena.api.protocol import ApiError, check_request, service_model
from dapflow.local.athena.api.service import Operation, Service
from dapflow.local.athena.engine.engine import Engine
from dapflow.local.athena.forward import Forwarder
from dapflow.local.athena.settings import Settings

HOST = "127.0.0.1"
HEALTH_PATH = "/dapflow/health"
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


def _respond(body: dict[str, Any], status: int = 200) -> Response:
    headers = {"x-amzn-RequestId": str(uuid.uuid4())}
    return Response(json.dumps(body), status, headers, "application/x-amz-json-1.1")


def _perform(service: Service, target: str, body: bytes) -> Response:
    try:
        return _respond(_answer(service, target, body))
    except ApiError as error:
        return _respond(error.body, error.status)
    except Exception:  # noqa: BLE001 - the client gets Athena's own answer to that, the log the traceback
        _log.exception("%s failed", target)
        failure = {"__type": "InternalServerException", "Message": "The request failed inside the server"}
        return _respond(failure, 500)


def _answer(service: Service, target: str, body: bytes) -> dict[str, Any]:
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


def application(service: Service) -> Starlette:
    """The ASGI application."""
    endpoint_below = service.engine.settings.aws_endpoint
    forwarder = Forwarder(endpoint_below) if endpoint_below is not None else None

    async def endpoint(request: Request) -> Response:
        target = request.headers.get("x-amz-target", "")
        if forwarder is not None and not target.startswith(_TARGET):
            return await forwarder.forward(request)
        body = await request.body()
        if target.removeprefix(_TARGET) in _QUICK:
            return _perform(service, target, body)
        return await run_in_threadpool(_perform, service, target, body)

    async def health(_: Request) -> Response:
        return _respond({"service": "athena", "status": "ready"})

    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    return Starlette(
        routes=[Route(HEALTH_PATH, health, methods=["GET"]), Route("/{path:path}", endpoint, methods=methods)],
        exception_handlers={urllib3.exceptions.HTTPError: _below_is_away},
    )


async def _below_is_away(_: Request, error: Exception) -> Response:
    message = f"The AWS endpoint below does not answer: {type(error).__name__}"
    return _respond({"__type": "ServiceUnavailable", "Message": message}, 503)


class AthenaServer:
    """A server with its engine. ``start`` serves from a thread, ``run`` from the calling one."""

    def __init__(self, settings: Settings) -> None:
        self._socket = _listen(settings.port)
        self.port: int = self._socket.getsockname()[1]
        try:
            self.engine = Engine(settings)
        except BaseException:
            self._socket.close()
            raise
        self.service = Service(self.engine, workgroups.WorkGroups(self.engine.state))
        config = uvicorn.Config(
            application(self.service),
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
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
        try:
            asked.wait()
        finally:
            self.stop()

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


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            reason = "in use by another program" if error.errno == errno.EADDRINUSE else "not allowed"
            raise DapflowError(
                "port", f"port {port} is {reason}", hint="choose another one, or 0 for any that is free"
            ) from error
        raise
    return listener
