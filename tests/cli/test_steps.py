"""No command is silent for long: what it does is said, and said again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from dapflow.cli import steps
from dapflow.cli.steps import Steps

Said = Callable[[], str]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """What was said so far, where a second is a hundredth of one."""
    for name in ("_LOOK", "_AGAIN"):
        monkeypatch.setattr(steps, name, getattr(steps, name) / 100)
    parts: list[str] = []

    def read() -> str:
        parts.append(capsys.readouterr().err)
        return "".join(parts)

    return read


def wait_for(said: Said, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in said():
        assert time.monotonic() < deadline, said()
        time.sleep(0.005)


def test_a_step_is_said_at_once_and_again_while_it_goes_on(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_PATIENCE", 0.01)
    with Steps() as telling:
        telling.tell("starting airflow")
        assert said().startswith("starting airflow\n")
        wait_for(said, "starting airflow: not done yet (")
    before = said()
    time.sleep(0.05)
    assert said() == before


def test_a_short_step_is_not_mentioned_and_a_long_one_is(said: Said) -> None:
    with Steps() as telling:
        telling.expect("compiling")
        telling.expect("querying", after=0.01)
        wait_for(said, "querying\n")
    assert "compiling" not in said()


def test_an_error_ends_it(said: Said) -> None:
    with pytest.raises(ValueError, match="no"), Steps() as telling:
        telling.tell("working")
        raise ValueError("no")
    before = said()
    time.sleep(0.05)
    assert said() == before == "working\n"
