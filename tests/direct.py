"""Calls of boto3 that the servers of the test's own process answer at once, without a connection.

The way over the loopback interface takes as much processor time as the answer, and the tests of publishing make tens of
thousands of calls. What a server makes of connections is for its own tests: tests/athena and tests/local/aws.
"""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from dapflow.athena.server import AthenaServer, perform, since_a_moment
from dapflow.local.aws.emulator import Emulator
from dapflow.local.aws.server import environ_of, is_quick
from dapflow.local.aws.wsgi import Application, Environ, Response, StartResponse, call

Answer = Callable[[AWSPreparedRequest, bytes], Response]
_answers: dict[str, Answer] = {}
_LONG_POLL_SECONDS = 0.2


class OneAtATime:
    """The emulator as its server asks it, whoever asks: what has no thread there is answered one after the other."""

    def __init__(self) -> None:
        self._application: Application = Emulator()
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not (is_quick(environ) and isinstance(environ["wsgi.input"], io.BytesIO)):
            return self._application(environ, start_response)
        with self._lock:
            return [*self._application(environ, start_response)]


@contextlib.contextmanager
def answering(url: str, answer: Answer) -> Iterator[None]:
    """While this is entered, ``answer`` is the server at ``url`` for those who call ``without_connections``."""
    place = urlsplit(url).netloc
    _answers[place] = answer
    try:
        yield
    finally:
        del _answers[place]


def without_connections(events: Any) -> None:
    """From now on, what is sent under these events, a client's or a session's, is answered here where it can be."""
    events.register("before-send", _sent)


def _sent(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
    answer = _answers.get(urlsplit(request.url).netloc)
    if answer is None:
        return None
    response = answer(request, _content(request.body))
    headers: Any = dict(response.headers)
    return AWSResponse(request.url, response.code, headers, _Body(response.body))


def _content(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return bytes(body.read() if hasattr(body, "read") else body or b"")


class _Body(io.BytesIO):
    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """All of it, as urllib3 gives it."""
        yield self.read()


def aws_answers(application: Application) -> Answer:
    """What the embedded AWS answers."""

    def answer(request: AWSPreparedRequest, body: bytes) -> Response:
        target = urlsplit(request.url)
        headers = {"host": target.netloc, **{name.lower(): _text(value) for name, value in request.headers.items()}}
        scope = {
            "method": request.method,
            "raw_path": target.path.encode(),
            "query_string": target.query.encode(),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
        return call(application, environ_of(scope), body)

    return answer


def athena_answers(server: AthenaServer) -> Answer:
    """What the embedded Athena answers; as its server does, it waits a moment for the end of a query."""

    def answer(request: AWSPreparedRequest, body: bytes) -> Response:
        target = _text(request.headers["X-Amz-Target"])
        if target.endswith(".GetQueryExecution") and (execution := since_a_moment(server.service, body)):
            ended = threading.Event()
            execution.when_ended(ended.set)
            ended.wait(_LONG_POLL_SECONDS)
        status, content = perform(server.service, target, body)
        headers = [("Content-Type", "application/x-amz-json-1.1")]
        return Response.of(f"{status} {'OK' if status < 300 else 'Error'}", headers, json.dumps(content).encode())

    return answer


def _text(value: bytes | str) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
