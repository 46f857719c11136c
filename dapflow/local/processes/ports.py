"""The ports of the embedded platform: the same at each start where possible, and never somebody else's."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass

import psutil

from dapflow.servers import HOST
from dapflow.servers.state import State, damaged, read_json, write_json


@dataclass(frozen=True)
class Ports:
    """One port for each server; the first choice of a project that has none yet."""

    aws: int = 4700
    athena: int = 4701
    airflow: int = 8080


def read_ports(state: State) -> Ports:
    """The ports of the platform that is running, or was. Raises DapflowError ``state-damaged``."""
    noted = read_json(state.ports_file)
    known = {name: port for name, port in noted.items() if name in asdict(Ports())}
    if not all(isinstance(port, int) and 0 < port < 1 << 16 for port in known.values()):
        raise damaged(state.ports_file)
    return Ports(**known)


def choose_ports(state: State, in_use: set[str], tell: Callable[[str], None]) -> Ports:
    """Ports for the servers that are to be started; those named ``in_use`` run already and keep theirs."""
    chosen: dict[str, int] = {}
    claimed = _claimed(state)
    for name, port in asdict(read_ports(state)).items():
        chosen[name] = port
        if name not in in_use and (port in list(chosen.values())[:-1] or port in claimed or not is_free(port)):
            chosen[name] = _free_port()
            tell(f"port {port}{_user_of(port)} is in use; {name} takes {chosen[name]}")
    write_json(state.ports_file, chosen)
    return Ports(**chosen)


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        # As servers do: connections that were closed a moment ago do not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
        return True


def _claimed(state: State) -> set[int]:
    """Ports of other platforms that are starting: Airflow listens on its port only after many seconds."""
    ports = set()
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or ()
        if "--port" not in command[:-1] or not any("dapflow" in part for part in command):
            continue
        port = command[command.index("--port") + 1]
        with contextlib.suppress(psutil.Error):
            if port.isdecimal() and process.cwd() != str(state.root):
                ports.add(int(port))
    return ports


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _user_of(port: int) -> str:
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
            if listens and connection.pid is not None:
                return f" of {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
