"""Write docs/reference/cli.md from the program itself: ``python -m tests.docs.cli_reference``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import typer.main

# typer brings a click of its own.
from typer._click.core import Command, Context, Parameter
from typer.core import TyperGroup

from dapflow.cli import command_line
from tests.docs.markdown import ROOT

FILE = ROOT / "docs" / "reference" / "cli.md"
HEAD = """# Commands

Generated from the program by `python -m tests.docs.cli_reference`; a test fails when it is not current.
`--help` behind any command says the same.

Every command ends with status 0 when it did what was asked, and with another one when it did not. A mistake is
reported as `file:line:column: what is wrong [code]`, the line at fault with a caret, and a hint;
[errors.md](errors.md) lists the codes.
"""


def commands() -> dict[str, Command]:
    """Every command that does something, by its words: ``local up``."""
    return dict(_walk("", typer.main.get_command(command_line())))


def _walk(words: str, command: Command) -> Iterator[tuple[str, Command]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            if not inner.hidden:
                yield from _walk(f"{words} {name}".strip(), inner)
    else:
        yield words, command


def reference() -> str:
    """The whole page."""
    return HEAD + "".join(_section(words, command) for words, command in commands().items())


def _section(words: str, command: Command) -> str:
    context = Context(command, info_name=f"dapflow {words}")
    text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    lines = [
        f"\n## dapflow {words}\n",
        "```text",
        command.get_usage(context).removeprefix("Usage: "),
        "```\n",
        text,
        "",
    ]
    rows = [row for parameter in command.params if (row := _row(parameter, context))]
    if rows:
        lines += ["| argument or option | meaning |", "| --- | --- |", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _row(parameter: Parameter, context: Context) -> str | None:
    record = parameter.get_help_record(context)
    if record is None or getattr(parameter, "hidden", False) or parameter.name == "help":
        return None
    name, meaning = record
    meaning = re.sub(r"\s+", " ", meaning).replace("|", "\\|")
    return f"| `{name.replace('|', ' or ')}` | {meaning} |"


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8")
