"""What our ASGI servers have in common: a loopback port, a gate, uvicorn without what they do not need."""

from __future__ import annotations

import errno
import socket
from typing import Any

import uvicorn

from dapflow.errors import DapflowError
from dapflow.servers import HOST
from dapflow.servers.gate import Gate

_GRACE_SECONDS = 2


def uvicorn_server(application: Any, port: int, *, buckets: bool = False, **more: Any) -> uvicorn.Server:
    """A server of ``application`` behind its gate; ``more`` are settings of uvicorn's."""
    config = uvicorn.Config(
        Gate(application, port, buckets=buckets),
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
        **more,
    )
    return uvicorn.Server(config)


def listen(port: int) -> socket.socket:
    """A socket that listens; 0 is any port that is free. Raises DapflowError when the port cannot be had."""
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
