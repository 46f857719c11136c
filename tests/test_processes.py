"""Work that several processes share: what comes of it is what one would have made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from dapflow import processes
from dapflow.processes import shared
from dapflow.project import compile_project
from dapflow.review.project_lineage import lineages
from tests.bench.compile import write_project

_CALLED = os.getpid()


@pytest.fixture(autouse=True)
def _several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three processors, whatever machine this is."""
    monkeypatch.setattr(processes, "_processors", lambda: 3)


def _doubled(number: int) -> tuple[int, int]:
    return number * 2, os.getpid()


def _made_elsewhere(number: int) -> int:
    if os.getpid() != _CALLED and number % 7 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def _refusing(number: int) -> int:
    if number == 100:
        raise ValueError(number)
    return number


@pytest.mark.parametrize(("method", "items"), [("fork", 200), ("spawn", 1300)])
def test_results_come_in_order_from_several_processes(monkeypatch: pytest.MonkeyPatch, method: str, items: int) -> None:
    monkeypatch.setattr(processes, "_METHOD", method)
    results = shared(_doubled, range(items))
    assert [result for result, _ in results] == list(range(0, 2 * items, 2))
    assert len({process for _, process in results}) == 3


def test_few_items_are_done_where_they_are() -> None:
    assert {process for _, process in shared(_doubled, range(20))} == {os.getpid()}
    assert shared(_doubled, []) == []


def test_the_share_of_a_process_that_is_killed_is_done_all_the_same() -> None:
    assert shared(_made_elsewhere, range(200)) == list(range(200))


def test_an_error_is_that_of_the_work(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="100"):
        shared(_refusing, range(200))
    assert capfd.readouterr() == ("", "")


def test_a_large_project_has_the_lineage_that_one_process_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path, services=5, transforms=150)
    manifest = compile_project(tmp_path)
    by_several = lineages(manifest)
    monkeypatch.setattr(processes, "_processors", lambda: 1)
    alone = lineages(manifest)
    assert len(by_several) == 150
    assert manifest.to_json(by_several) == manifest.to_json(alone)


def test_ctrl_c_ends_all_processes_without_a_word_of_theirs() -> None:
    program = """
        import time
        from dapflow import processes
        processes._processors = lambda: 3

        def slow(number):
            time.sleep(0.1 if number else 0.5)
            return number

        print("begins", flush=True)
        try:
            processes.shared(slow, range(600))
        except KeyboardInterrupt:
            print("interrupted")
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "begins\n"
        time.sleep(0.3)
        os.killpg(command.pid, signal.SIGINT)
        output, errors = command.communicate(timeout=20)
    assert (output, errors) == ("interrupted\n", "")
    with pytest.raises(ProcessLookupError):
        os.killpg(command.pid, 0)
