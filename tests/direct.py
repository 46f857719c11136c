"""Calls of boto3 that the servers of the test's own process answer at once, without a connection.

The way over the loopback interface takes as much processor time as the answer, signing and looking whether to try again
half as much, and the tests of publishing make tens of thousands of calls. What a server makes of connections and
signatures is for its own tests: tests/athena and tests/local/aws.
"""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse, create_request_object
from botocore.endpoint import Endpoint
from botocore.httpchecksum import apply_request_checksum

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
    """From now on, what is called under these events, a client's or a session's, is answered here where it can be.

    A call that is answered here is answered once, and not tried again.
    """
    endpoint: Any = Endpoint("", "", events)

    def answered(model: Any, params: Any, request_signer: Any, context: Any, **_: Any) -> Any:
        # What reads a file tells of its progress between signing and sending.
        if urlsplit(params["url"]).netloc not in _answers or hasattr(params["body"], "read"):
            return None
        apply_request_checksum(params)
        params["headers"]["Authorization"] = _unsigned(request_signer)
        response, error = endpoint._do_get_response(create_request_object(params).prepare(), model, context)
        if error is not None:
            raise error
        return response

    events.register_last("before-call", answered)
    events.register("before-send", _sent)


def athena_without_connections(server: AthenaServer) -> None:
    """From now on, what an Athena of the test's process asks of AWS is answered here where it can be."""
    store = server.engine.store
    for client in (server.engine.glue, store.client):
        without_connections(client.meta.events)
    transport: Any = store._transport
    sent = transport._send

    def send(method: str, target: str, body: bytes, headers: dict[str, str]) -> Any:
        answer = _answers.get(transport._host)
        if answer is None:
            return sent(method, target, body, headers)
        scope = f"{transport._credentials.access_key}/20240605/{transport._region}/s3"
        signed: Any = {**headers, "Authorization": _credential(scope)}
        url = f"http://{transport._host}{transport._root}{target}"
        return _Answered(answer(AWSPreparedRequest(method, url, signed, body, False), body))

    vars(transport).update(_send=send, keep=lambda _: None)


class _Answered:
    """A connection on which an answer has come."""

    def __init__(self, response: Response) -> None:
        self.status = response.code
        self._body = response.body

    def getresponse(self) -> _Answered:
        """The answer."""
        return self

    def read(self) -> bytes:
        """What it says."""
        return self._body

    def close(self) -> None:
        """Nothing is open."""


def _unsigned(signer: Any) -> str:
    """What the servers look at of a signature: who calls which service where."""
    return _credential(f"{signer._credentials.access_key}/20240605/{signer.region_name}/{signer.signing_name}")


def _credential(scope: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential={scope}/aws4_request"


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
