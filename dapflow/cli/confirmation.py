"""The second step of what cannot be taken back."""

from __future__ import annotations

import sys
from collections.abc import Sized
from typing import Annotated

import typer

from dapflow.errors import DapflowError

YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirm(question: str, would: str, *, yes: bool) -> None:
    """Ask, unless ``--yes`` was said. Without a terminal: DapflowError ``option``, which says what ``would`` be."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise DapflowError("option", would, hint="say --yes")
    typer.confirm(question, abort=True)


def counted(generations: Sized) -> str:
    """``1 generation``, ``3 generations``."""
    return f"{len(generations)} generation{'' if len(generations) == 1 else 's'}"
