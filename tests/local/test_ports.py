"""Ports of platforms that start at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dapflow.local.processes.ports import choose_ports
from dapflow.servers.state import State, write_json
from tests.local.ports import free_port


def test_a_port_that_another_platform_will_listen_on_is_passed_over(tmp_path: Path) -> None:
    ours, theirs = State.of(tmp_path / "ours"), State.of(tmp_path / "theirs")
    port = free_port()
    for state in (ours, theirs):
        state.create()
        write_json(state.ports_file, {"airflow": port})
    command = [sys.executable, "-c", "input()", "dapflow", "--port", str(port)]
    with subprocess.Popen(command, cwd=theirs.root, stdin=subprocess.PIPE) as starting:
        try:
            told: list[str] = []
            assert choose_ports(ours, set(), told.append).airflow != port
            assert any(f"port {port}" in line for line in told)
            assert choose_ports(theirs, set(), told.append).airflow == port
        finally:
            starting.kill()
