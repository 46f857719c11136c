"""How a command ends that the user interrupts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def ends_when_interrupted() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end the command, after its clean-up, as a shell expects."""
    from dapflow.local.processes.interrupts import Interrupted, interruptible  # noqa: PLC0415

    try:
        with interruptible():
            yield
    except Interrupted as interrupted:
        sys.stderr.write("interrupted\n")
        raise typer.Exit(128 + interrupted.number) from None
