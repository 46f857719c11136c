"""The command line. A module for each command, or group of them, registers it."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import chain

import typer

from dapflow.cli.failure import disk_full, print_failure
from dapflow.cli.help_groups import EVERY_DAY, OTHERS, GroupedHelp
from dapflow.errors import DapflowError

#: Each stands in a module that is called as it is.
_COMMANDS = sorted({*EVERY_DAY, *chain(*OTHERS.values())})


def command_line(names: Sequence[str] = _COMMANDS) -> typer.Typer:
    """The command line, with all commands or with some of them."""
    app = typer.Typer(
        name="dapflow",
        cls=GroupedHelp,
        help="Commit Athena SQL, get data products. dapflow COMMAND --help says how.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        # With Rich, --help takes three times as long.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in names:
        import_module(f"dapflow.cli.{name.replace('-', '_')}").register(app)
    return app


@functools.cache
def _command(name: str) -> Callable[[], object]:
    """The command line as far as it is needed for a command; whole where there is none of this name.

    Typer makes it of functions, and of all of them it would take as long as Python takes to start.
    """
    return typer.main.get_group(command_line([name] if name in _COMMANDS else _COMMANDS))


def main() -> None:
    """Run the command line; a mistake of the user ends it with status 1 and words, never with a traceback."""
    try:
        try:
            _command(sys.argv[1] if len(sys.argv) > 1 else "")()
        finally:
            sys.stdout.flush()
    except DapflowError as error:
        print_failure(error)
        sys.exit(1)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        # What is left in the buffer of standard output would fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print_failure(disk_full(error))
        sys.exit(1)
