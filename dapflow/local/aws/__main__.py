"""``python -m dapflow.local.aws --port N --state DIR``: the server process."""

from __future__ import annotations

import argparse
import fcntl
import gc
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
from urllib.parse import unquote

from cheroot.wsgi import Gateway_10, Server
from moto.core.request import (
    PRESERVED_HEADER_NAMES_ENVIRON_KEY,
    environ_key_for_header,
    should_preserve_original_header_name,
)

from dapflow.local.aws.durable import DurableApplication
from dapflow.local.aws.emulator import Emulator
from dapflow.local.aws.wsgi import Application, Environ, Response, StartResponse
from dapflow.local.ports import HEALTH_PATH, HOST

log = logging.getLogger("dapflow.aws")
_THREADS, _CONNECTIONS, _IDLE_SECONDS = 16, 200, 60


class _Gateway(Gateway_10):
    """A request as moto takes it from its own server, which closes the connection after each."""

    def get_environ(self) -> Environ:  # type: ignore[override]
        """The environment of the request."""
        environ: Environ = super().get_environ()  # type: ignore[no-untyped-call]
        target = self.req.uri.decode("latin-1")
        # Keys of objects may hold an encoded slash, and underscores in the names of their metadata.
        path = target.partition("?")[0]
        environ["PATH_INFO"] = unquote(path, "latin-1")
        environ["RAW_URI"] = target
        names = [name.decode("latin-1").lower() for name in self.req.inheaders]
        environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = {
            environ_key_for_header(name): name for name in names if should_preserve_original_header_name(name)
        }
        return environ


class _Server(Server):
    """The HTTP server. Connections stay open."""

    keep_alive_conn_limit = _CONNECTIONS

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """What goes wrong outside the application."""
        log.log(level, msg, exc_info=traceback)


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
    application = DurableApplication(Emulator(), state)
    application.restore()
    # What is here now stays, AWS's models and the objects of last time: the garbage collector need not look at it.
    gc.collect()
    gc.freeze()
    server = _Server((HOST, port), _front(application, state), numthreads=_THREADS, timeout=_IDLE_SECONDS)
    server.gateway = _Gateway
    server.prepare()

    def stop(*_: object) -> None:
        # stop() waits for the loop that this handler interrupts, so it needs a thread of its own.
        threading.Thread(target=server.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("serving AWS on http://%s:%d", *server.bind_addr)
    server.serve()
    application.close()
    log.info("stopped")
    logging.shutdown()
    # Threads of connections that clients keep open would hold the interpreter; nothing they could do is left.
    os._exit(0)


def _front(application: Application, state: Path) -> Application:
    """The application, with a health check, and a log of what it refuses."""

    def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == HEALTH_PATH:
            body = json.dumps({"state": str(state), "pid": os.getpid()}).encode()
            headers: list[Any] = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            return Response("200 OK", headers, body).send(start_response)

        def noted(status: str, *more: Any) -> Any:
            if status >= "400":
                log.info('"%s %s" %s', environ["REQUEST_METHOD"], environ["RAW_URI"], status)
            return start_response(status, *more)

        return application(environ, noted)

    return answer


def _allow_many_files() -> None:
    # moto holds a file open for each large object.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
