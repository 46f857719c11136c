"""``python -m dapflow.local.aws --port N --state DIR``: the server process.

Clients sign with the access key of its environment.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import logging
import os
import resource
import sys
import tempfile
from pathlib import Path

from dapflow.errors import DapflowError
from dapflow.local.aws.durable import DurableApplication
from dapflow.local.aws.emulator import Emulator, issue_keys_under
from dapflow.local.aws.server import serve
from dapflow.servers.access_key import AccessKey, key_of_environment
from dapflow.servers.state import PRIVATE_UMASK

log = logging.getLogger("dapflow.aws")


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m dapflow.local.aws", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on the loopback interface")
    parser.add_argument("--state", type=Path, required=True, help="directory that keeps what the server holds")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    _allow_many_files()
    os.umask(PRIVATE_UMASK)
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
    key = key_of_environment(os.environ)
    if key is None:
        log.error("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the key that clients are to sign with")
        return 1
    return _serve(arguments.port, state, key)


def _serve(port: int, state: Path, key: AccessKey) -> int:
    issue_keys_under(key)
    try:
        application = DurableApplication(Emulator(), state)
        application.restore()
        # What is here now stays, AWS's models and the objects of last time: the garbage collector need not look at it.
        gc.collect()
        gc.freeze()
        serve(application, port, state, key)
    except DapflowError as error:
        log.error("%s", error)  # noqa: TRY400 (the traceback says nothing more)
        return 1
    application.close()
    log.info("stopped")
    logging.shutdown()
    # Threads of requests that are still on their way would hold the interpreter; nothing they could do is left.
    os._exit(0)


def _allow_many_files() -> None:
    # moto holds a file open for each large object.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
