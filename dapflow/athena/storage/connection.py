"""A connection to an HTTP server that stays open, for small requests and answers.

``http.client`` reads the headers of an answer as if they were an e-mail's, which takes longer than the rest of a call.
"""

from __future__ import annotations

import contextlib
import socket

import httptools

_PIECE = 1 << 16


class HttpAnswer:
    """The status and the body of an answer, as the parser finds them."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""
        self._pieces: list[bytes] = []
        self.is_whole = False
        self.stays_open = False
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes) -> None:
        """Take what has come. Raises httptools.HttpParserError."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.status = self._parser.get_status_code()
        self.body = b"".join(self._pieces)
        self.stays_open = self._parser.should_keep_alive()
        self.is_whole = True


class Connection:
    """One connection to ``host``; it is opened by the first request."""

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._address = (host, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def send(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        """Send a request. Its answer has to be received before the next one. Raises OSError."""
        lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {value}" for name, value in headers.items()]]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        try:
            self._opened().sendall(head.encode("latin-1") + body)
        except OSError:
            self.close()
            raise

    def receive(self) -> HttpAnswer:
        """Wait for the answer to what was sent. Raises OSError."""
        answer = HttpAnswer()
        try:
            while not answer.is_whole:
                data = self._opened().recv(_PIECE)
                if not data:
                    raise ConnectionError("the server closed the connection")
                answer.feed(data)
        except (OSError, httptools.HttpParserError) as error:
            self.close()
            raise ConnectionError(str(error)) from error
        if not answer.stays_open:
            self.close()
        return answer

    def _opened(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout)
            # What is sent in two parts would wait for the other side's acknowledgement of the first.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def close(self) -> None:
        """Give the socket back; the next request opens another."""
        with contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.close()
        self._socket = None
