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
from dapflow.project import check_project, compile_project
from dapflow.review.project_lineage import lineages
from tests.bench.compile import write_project

_COPIED = pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")


def _program(text: str) -> list[str]:
    """A program of its own, which has one thread, on three processors."""
    begin = "import os, time\nfrom dapflow import processes\nprocesses._processors = lambda: 3\n"
    return [sys.executable, "-c", begin + textwrap.dedent(text)]


@_COPIED
def test_results_come_in_order_whatever_becomes_of_the_processes() -> None:
    program = """
        called = os.getpid()
        ran = processes.shared(lambda number: (number, os.getpid()), range(200))
        print([number for number, _ in ran] == list(range(200)), len({process for _, process in ran}))
        print({*processes.shared(lambda _: os.getpid(), range(20))} == {called})

        def killed(number):
            if number % 7 == 0 and os.getpid() != called:
                os.kill(os.getpid(), 9)
            return number

        print(processes.shared(killed, range(200)) == list(range(200)))
        try:
            processes.shared(lambda number: 1 / (100 - number), range(200))
        except ZeroDivisionError as error:
            print(error)
    """
    ended = subprocess.run(_program(program), capture_output=True, text=True, check=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("True 3\nTrue\nTrue\ndivision by zero\n", "")


@_COPIED
def test_ctrl_c_ends_all_processes_without_a_word_of_theirs() -> None:
    program = """
        print("begins", flush=True)
        try:
            processes.shared(lambda _: time.sleep(0.2), range(600))
        except KeyboardInterrupt:
            print("interrupted")
    """
    with subprocess.Popen(
        _program(program), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "begins\n"
        time.sleep(0.3)
        os.killpg(command.pid, signal.SIGINT)
        assert command.communicate(timeout=20) == ("interrupted\n", "")
    with pytest.raises(ProcessLookupError):
        os.killpg(command.pid, 0)


@_COPIED
def test_no_process_outlives_the_one_that_was_called() -> None:
    program = """
        print("begins", flush=True)
        processes.shared(lambda _: time.sleep(0.01) or "x" * 10_000, range(300))
    """
    with subprocess.Popen(_program(program), stdout=subprocess.PIPE, start_new_session=True) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"begins\n"
        time.sleep(0.3)
        command.kill()
        # It ends when no process is left that could write to it.
        assert command.stdout.read() == b""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that several processes share."""
    root = tmp_path_factory.mktemp("large")
    write_project(root, services=5, transforms=150)
    return root


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that begin anew, as on macOS: this one may have threads."""
    monkeypatch.setattr(processes, "_processors", lambda: 3)
    monkeypatch.setattr(processes, "_METHOD", "spawn")
    monkeypatch.setattr(processes, "_WORTH_ONE", {"spawn": 50})


def test_a_large_project_is_compiled_to_what_one_process_makes_of_it(
    large: Path, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = compile_project(large)
    by_several = manifest.to_json(lineages(manifest))
    monkeypatch.setattr(processes, "_processors", lambda: 1)
    manifest = compile_project(large)
    alone = lineages(manifest)
    assert len(alone) == 150
    assert by_several == manifest.to_json(alone)


def test_mistakes_in_a_large_project_are_those_that_one_process_finds(
    large: Path, several: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    mistakes = {
        "service_01/refined/no_sql.sql": b"SELEC 1",
        "service_02/refined/no_column.sql": b"SELECT nothing FROM table_1",
        "service_03/refined/not_granted.sql": b"SELECT id FROM service_01_raw_zone.table_1",
        "service_04/refined/no_sql.yml": b"description: no text",
        "service_04/checks/latin.sql": b"SELECT '\xe9'",
    }
    for name, text in mistakes.items():
        file = large / "transforms" / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(text)
    _, by_several = check_project(large)
    monkeypatch.setattr(processes, "_processors", lambda: 1)
    _, alone = check_project(large)
    assert len(alone) >= len(mistakes)
    assert [error.as_dict() for error in by_several] == [error.as_dict() for error in alone]
