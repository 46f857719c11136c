"""The platform's lock: commands wait for as long as others take turns, and a minute for any one of them."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from dapflow.errors import DapflowError
from dapflow.servers import state as servers_state
from dapflow.servers.state import State

HALF_A_MINUTE = 30.0


class Others:
    """Other commands, which hold the lock for some half minutes, each for as many as are named."""

    def __init__(self, lock: IO[str], *turns: int) -> None:
        self.now = 0.0
        self._lock = lock
        self._turns = [number for number, turn in enumerate(turns, start=1) for _ in range(turn)]
        self._take()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, _seconds: float) -> None:
        self.now += HALF_A_MINUTE
        self._take()

    def _take(self) -> None:
        if not self._turns:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            return
        self._lock.seek(0)
        self._lock.truncate()
        self._lock.write(f"{self._turns.pop(0)}\n")
        self._lock.flush()


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[State, IO[str]]]:
    state = State.of(tmp_path)
    state.create()
    with (state.directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield state, lock


def test_it_waits_while_others_take_turns(held: tuple[State, IO[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    state, lock = held
    others = Others(lock, *[1] * 20)
    monkeypatch.setattr(servers_state, "time", others)
    told: list[str] = []
    with state.locked(told.append):
        assert others.now == 20 * HALF_A_MINUTE
    assert told == ["another dapflow command starts or stops this platform: waiting for it"]


def test_one_that_keeps_it_for_more_than_a_minute_is_named(
    held: tuple[State, IO[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, lock = held
    monkeypatch.setattr(servers_state, "time", Others(lock, 1, 1, 9))
    with pytest.raises(DapflowError, match="for a minute") as raised, state.locked():
        pass
    assert (raised.value.code, raised.value.hint) == ("platform-busy", "wait for it, or end it: process 3")
