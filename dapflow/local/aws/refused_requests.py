"""What is answered where a request is refused before moto: in its service's protocol, so that clients can say it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from xml.sax.saxutils import escape

from dapflow.local.aws.wsgi import Environ, Response, StartResponse

# Services whose protocol is AWS's Query, with answers in XML; but for S3, the others answer in JSON.
_QUERY_SERVICES = frozenset({"iam", "sts", "sns", "cloudformation", "monitoring", "ec2"})


def s3_error(status: str, code: str, message: str) -> Response:
    """An error of S3's."""
    return _xml(status, f"<Error>{_code(code, message)}</Error>")


def json_error(status: str, code: str, message: str) -> Response:
    """An error of a service whose protocol is JSON."""
    body = json.dumps({"__type": code, "message": message}).encode()
    return Response.of(status, [("Content-Type", "application/x-amz-json-1.1")], body)


def not_kept(service: str, error: OSError) -> Response:
    """The answer to a change that could not be written to the disk."""
    # 507 and not 503: AWS clients make a request with 503 again and again before they show what is wrong.
    status, code = "507 Insufficient Storage", "InsufficientStorage"
    message = f"nothing was changed: {error.strerror or error} (writing the state of the embedded platform)"
    return s3_error(status, code, message) if service == "s3" else json_error(status, code, message)


def unknown_key(service: str) -> Response:
    """AWS's answer to a request that is signed with no key that it knows, or not at all."""
    message = "this is not the access key of the embedded platform, which dapflow local env prints"
    if service == "s3":
        return s3_error("403 Forbidden", "InvalidAccessKeyId", message)
    if service in _QUERY_SERVICES:
        error = f"<Error>{_code('InvalidClientTokenId', message)}</Error>"
        return _xml("403 Forbidden", f"<ErrorResponse>{error}</ErrorResponse>")
    return json_error("400 Bad Request", "UnrecognizedClientException", message)


def closed(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A WSGI application for what moto serves beside AWS: routes that empty it, and an EC2 machine's own metadata."""
    message = f"the embedded platform does not serve {environ['PATH_INFO']}"
    return json_error("403 Forbidden", "AccessDenied", message).send(start_response)


def _xml(status: str, body: str) -> Response:
    return Response.of(status, [("Content-Type", "application/xml")], body.encode())


def _code(code: str, message: str) -> str:
    return f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
