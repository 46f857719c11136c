"""Requests and responses of a WSGI application, as values that can be stored and sent again."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

from dapflow.servers.access_key import signed_with

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# moto restores the underscores in names of S3 metadata from this.
_EXTRA_KEYS = ("CONTENT_TYPE", "RAW_URI", "REQUEST_URI", "moto.preserved_header_names")
# What is true of the connection or of the moment, not of the request that is sent again.
_TRANSIENT = (
    "HTTP_EXPECT",
    "HTTP_CONNECTION",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_IF_MATCH",
    "HTTP_IF_NONE_MATCH",
    "HTTP_X_AMZ_SECURITY_TOKEN",
)
_CREDENTIAL = re.compile(r"Credential=([^/,\s]*)/(\d+)/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True)
class Response:
    """A whole response."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, status: str, headers: list[tuple[str, str]], body: bytes) -> Response:
        """A response that says how long its body is."""
        return cls(status, [*headers, ("Content-Length", str(len(body)))], body)

    @property
    def code(self) -> int:
        """The status as a number."""
        return int(self.status.split()[0])

    @property
    def ok(self) -> bool:
        """Whether the request did what it was asked to."""
        return self.code < 300

    def header(self, name: str) -> str | None:
        """The value of a header, whatever the case of its name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with this response."""
        start_response(self.status, self.headers)
        return [self.body]


def call(application: Application, environ: Environ, body: bytes | IO[bytes], length: int | None = None) -> Response:
    """Send a request within the process. ``length`` is of a body that is a stream; None where nobody has said it."""
    stream, size = (io.BytesIO(body), len(body)) if isinstance(body, bytes) else (body, length)
    # A terminated input ends with the body: werkzeug then reads it in one piece.
    request = {**environ, "wsgi.input": stream, "wsgi.input_terminated": True}
    request["CONTENT_LENGTH"] = "" if size is None else str(size)
    started: list[Any] = []
    chunks: list[bytes] = []

    def start_response(*what: Any) -> Callable[[bytes], None]:
        started[:] = what
        return chunks.append

    answer = application(request, start_response)
    try:
        chunks += answer
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return Response(started[0], started[1], b"".join(chunks))


def storable(environ: Environ) -> Environ:
    """The part of a request's environment that must be kept to send it again: no signature, no connection."""
    kept = {
        key: value
        for key, value in environ.items()
        if (key.startswith("HTTP_") and key not in _TRANSIENT)
        or key in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", *_EXTRA_KEYS)
    }
    scope = _credential(environ)
    kept.pop("HTTP_AUTHORIZATION", None)
    if scope:
        kept["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 {scope[0]}"
    return kept


def restored(kept: Environ) -> Environ:
    """A complete environment from what ``storable`` kept."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **kept,
    }


def api_request(service: str, region: str, target: str | None = None, **environ: str) -> Environ:
    """The environment of a request that this process makes itself."""
    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=local/20200101/{region}/{service}/aws4_request",
        **environ,
    }
    if target:
        request |= {"HTTP_X_AMZ_TARGET": target, "CONTENT_TYPE": "application/x-amz-json-1.1"}
    return request


def _credential(environ: Environ) -> re.Match[str] | None:
    """Access key, day, region and service that a request is signed with."""
    return _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))


def service_of(environ: Environ) -> str:
    """The AWS service that a request is signed for; S3 when it is not signed, as moto has it."""
    scope = _credential(environ)
    return scope[4].lower() if scope else "s3"


def region_of(environ: Environ) -> str:
    """The region that a request is signed for."""
    scope = _credential(environ)
    return scope[3] if scope else "us-east-1"


def access_key_of(environ: Environ) -> str:
    """The access key that a request is signed with; '' when it is not signed."""
    return signed_with(environ.get("HTTP_AUTHORIZATION", ""), environ.get("QUERY_STRING", ""))


def content_length(environ: Environ) -> int | None:
    """The length of a request's body; None when it ends where the stream ends."""
    if environ.get("wsgi.input_terminated") and not environ.get("CONTENT_LENGTH"):
        return None
    return int(environ.get("CONTENT_LENGTH") or 0)


def read_body(environ: Environ) -> bytes:
    """The whole body of a request."""
    length = content_length(environ)
    stream: IO[bytes] = environ["wsgi.input"]
    return stream.read() if length is None else stream.read(length)


def query_of(environ: Environ) -> dict[str, str]:
    """The query string's parameters; of one that is repeated, the last."""
    parsed = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return {name: values[-1] for name, values in parsed.items()}


def bucket_and_key(environ: Environ) -> tuple[str, str]:
    """The S3 bucket and key that a request addresses, in its path or in its host name; '' for what it leaves out."""
    path = environ.get("PATH_INFO", "/").encode("latin-1").decode("utf-8", "replace")
    host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname or ""
    virtual = re.match(r"(.+)\.(?:localhost$|s3[.-])", host)
    if virtual:
        return virtual[1], path[1:]
    bucket, _, key = path[1:].partition("/")
    return bucket, key
