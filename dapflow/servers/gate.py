"""What stands before every server of the embedded platform: it hears its own address only, and no page of another.

Any web page that is open in a browser on this machine can send requests to its loopback interface. A page of another
site says so in ``Origin``; one whose name was made to lead here (DNS rebinding) says so in ``Host``. No answer of
these servers is for such a page, so none of them has a CORS header.

The standard library alone: Airflow's API server, which must not see the installed dapflow, loads this file by its path.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_Application = Callable[[MutableMapping[str, Any], _Receive, _Send], Awaitable[None]]

_NAMES = ("127.0.0.1", "localhost", "[::1]")
# Browsers and resolvers let no name below this one lead anywhere but here (RFC 6761, section 6.3).
_BELOW = ".localhost"


class Gate:
    """An ASGI application that answers what ``application`` may hear.

    ``buckets``: names below ``localhost`` are this server's too, as S3 clients that name the bucket in the host use
    them. ``pages``: this server has pages of its own, whose requests carry its own origin; others take none at all.
    """

    def __init__(self, application: _Application, port: int, *, buckets: bool = False, pages: bool = False) -> None:
        self._application = application
        self._port = port
        self._buckets = buckets
        self._pages = pages

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Answer one request, or refuse it with 403."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or not self._is_own(hosts[0]):
            await _refuse(send, f"this server is http://127.0.0.1:{self._port}, and answers to no other name")
        elif any(not self._is_own_page(origin) for origin in origins) or scope.get("method") == "OPTIONS":
            await _refuse(send, "this server answers no page of another site")
        else:
            await self._application(scope, receive, _without_cors(send))

    def _is_own(self, host: str) -> bool:
        name, port = _split(host.lower())
        if port != str(self._port):
            return False
        return name in _NAMES or (self._buckets and name.endswith(_BELOW) and name != _BELOW)

    def _is_own_page(self, origin: str) -> bool:
        scheme, separator, host = origin.partition("://")
        return self._pages and bool(separator) and scheme == "http" and self._is_own(host)


def _split(host: str) -> tuple[str, str]:
    """Name and port of a ``Host``; 80 is HTTP's own."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdecimal() else (host, "80")


def _values(scope: MutableMapping[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.lower() == name]


async def _refuse(send: _Send, message: str) -> None:
    body = f"403 Forbidden: {message}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_cors(send: _Send) -> _Send:
    """What sends an answer without the headers that would open it to pages of other sites; moto adds them to all."""

    async def send_closed(message: _Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            message["headers"] = [header for header in headers if not header[0].lower().startswith(b"access-control-")]
        await send(message)

    return send_closed
