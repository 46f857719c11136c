"""``python -m dapflow.local.aws --port N --state DIR``: the server process."""

from __future__ import annotations

import argparse
import fcntl
import functools
import json
import logging
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from dapflow.local.aws.durable import DurableApplication
from dapflow.local.aws.wsgi import Application, Environ, Response, StartResponse
from dapflow.local.ports import HEALTH_PATH

log = logging.getLogger("dapflow.aws")


class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """moto's dispatcher, that looks through moto's directory for each request, with its findings remembered."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.get_backend_for_host = functools.cache(super().get_backend_for_host)


class _Handler(MotoRequestHandler):  # type: ignore[misc]
    # Connections are kept open; without these, each answer on one would wait for the client's delayed acknowledgement.
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say what was refused; the rest is too much to read."""
        if str(code) >= "400":
            log.info('%s "%s" %s', self.address_string(), self.requestline, code)


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m dapflow.local.aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on the loopback interface")
    parser.add_argument("--state", type=Path, required=True, help="directory that keeps what the server holds")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    _allow_many_files()
    state: Path = arguments.state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    lock = (state / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.error("another process is using %s", state)  # noqa: TRY400 (the traceback says nothing more)
        return 1
    # moto puts large objects into temporary files: on the disk that the user chose for the state.
    temporary = state / "tmp"
    temporary.mkdir(exist_ok=True)
    tempfile.tempdir = str(temporary)
    return _serve(arguments.port, state)


def _serve(port: int, state: Path) -> int:
    application = DurableApplication(_Dispatcher(), state)
    application.restore()
    server = make_server("127.0.0.1", port, _with_health(application, state), threaded=True, request_handler=_Handler)

    def stop(*_: object) -> None:
        # shutdown() waits for the loop that this handler interrupts, so it needs a thread of its own.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("serving AWS on http://127.0.0.1:%d", server.port)
    server.serve_forever(poll_interval=0.1)
    application.close()
    log.info("stopped")
    logging.shutdown()
    # Threads of connections that clients keep open would hold the interpreter; nothing they could do is left.
    os._exit(0)


def _with_health(application: Application, state: Path) -> Application:
    def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != HEALTH_PATH:
            return application(environ, start_response)
        body = json.dumps({"state": str(state), "pid": os.getpid()}).encode()
        headers: list[Any] = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        return Response("200 OK", headers, body).send(start_response)

    return answer


def _allow_many_files() -> None:
    # moto holds a file open for each large object.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
