"""What a start that is undone leaves running, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapflow.local import startup as module
from dapflow.local.startup import Startup
from dapflow.manifest import Manifest
from dapflow.servers.state import State


@pytest.mark.parametrize(
    ("alive", "started", "words"),
    [
        ("aws athena airflow", "", "the platform stays up"),
        ("aws athena", "", "the platform stays up"),
        ("aws athena airflow", "aws athena airflow", "the platform is stopped"),
        ("aws athena", "aws athena", "the platform is stopped"),
        ("aws athena airflow", "airflow", "airflow stopped again, as found; aws and athena still up"),
        ("aws athena airflow", "athena airflow", "athena and airflow stopped again, as found; aws still up"),
    ],
)
def test_what_a_start_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alive: str, started: str, words: str
) -> None:
    monkeypatch.setattr(module, "running", lambda _state, name: name in alive.split())
    startup = Startup(State.of(tmp_path), Manifest({}, {}), print, started=started.split())
    assert startup.leaves() == words
