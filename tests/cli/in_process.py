"""The command line in the test's own process: all that a process of its own would print, without its start."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import boto3

from dapflow.cli import main
from tests.local.projects import LocalProject

# These work with processes, of which the test's must be none.
STARTING_OR_STOPPING = {("local", "up"), ("local", "down")}


def dapflow(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder; texts are as they were written, line ends and all."""
    return called(arguments, cwd, {**os.environ, "COLUMNS": "100", **environment})


def called(
    arguments: tuple[str, ...], cwd: Path, environment: Mapping[str, str], typed: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder, with these variables alone, and with a text as its standard input."""
    stdin, stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(3))
    stdin.write(typed)
    stdin.seek(0)
    status: object = 0
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.multiple(sys, argv=["dapflow", *arguments], stdin=stdin, stdout=stdout, stderr=stderr),
        # The session that boto3 makes by itself keeps the key that it was made with.
        mock.patch.object(boto3, "DEFAULT_SESSION", None),
        contextlib.chdir(cwd),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
    return subprocess.CompletedProcess(
        arguments, status if isinstance(status, int) else 1, _text(stdout), _text(stderr)
    )


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@dataclass
class PlatformProject(LocalProject):
    """A project whose platform is made of processes, and whose other commands are run in the test's."""

    def run(self, *arguments: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        if arguments[:2] in STARTING_OR_STOPPING or set(options) - {"input"}:
            return self.process(*arguments, check=check, **options)
        words = (*arguments, "--project", str(self.root))
        done = called(words, Path("/"), self.variables, options.get("input", ""))
        assert not check or done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def process(self, *arguments: str, check: bool = True, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as a process of its own, as a user does."""
        return super().run(*arguments, check=check, **options)

    def started(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that runs, as a process in a group of its own."""
        return subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.variables,
            cwd="/",
            start_new_session=True,
        )

    def killed(self, after: float, *arguments: str) -> None:
        """Start a command, and after so many seconds kill it with all that it has started (SIGKILL)."""
        process = self.started(*arguments)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after)
        # All of it has ended where nothing is left of the group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        assert "Traceback" not in said, said
