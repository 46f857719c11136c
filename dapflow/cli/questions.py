"""What a command asks for where it was not given."""

from __future__ import annotations

import sys

import typer

from dapflow.errors import DapflowError


def answer(given: str | None, question: str, wanted: str) -> str:
    """What was given, or else what a person answers. Without a terminal: DapflowError ``option``, which says what is
    ``wanted``.
    """
    if given:
        return given
    if not is_terminal():
        raise DapflowError("option", f"{wanted} is missing", hint="name it, or call the command where it can ask")
    return str(typer.prompt(question)).strip()


def is_terminal() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()
