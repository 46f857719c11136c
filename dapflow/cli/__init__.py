"""The command line. Each module holds one group of commands and registers itself below in one line."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable

import typer

from dapflow.cli import (
    accept_schema,
    athena,
    backfill,
    branch,
    check,
    check_results,
    codeowners,
    columns,
    compile,  # noqa: A004 - named after its command
    cost,
    demo,
    deps,
    diff,
    doctor,
    format,  # noqa: A004 - named after its command
    history,
    land,
    local,
    ls,
    lsp,
    new,
    preview,
    query,
    remove,
    rename,
    reset,
    rollback,
    run,
    runs,
    ship,
    show,
    test,
    why,
    withdraw,
)
from dapflow.cli.failure import disk_full, print_failure
from dapflow.cli.help_groups import GroupedHelp
from dapflow.errors import DapflowError

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
accept_schema.register(app)
athena.register(app)
backfill.register(app)
branch.register(app)
check.register(app)
check_results.register(app)
codeowners.register(app)
columns.register(app)
compile.register(app)
cost.register(app)
demo.register(app)
deps.register(app)
diff.register(app)
doctor.register(app)
format.register(app)
history.register(app)
land.register(app)
local.register(app)
ls.register(app)
lsp.register(app)
new.register(app)
preview.register(app)
query.register(app)
remove.register(app)
rename.register(app)
reset.register(app)
rollback.register(app)
run.register(app)
runs.register(app)
ship.register(app)
show.register(app)
test.register(app)
why.register(app)
withdraw.register(app)


@functools.cache
def _command() -> Callable[[], object]:
    """All commands as one, which Typer would make of their functions again for each call."""
    return typer.main.get_command(app)


def main() -> None:
    """Run the command line; a mistake of the user ends it with status 1 and words, never with a traceback."""
    try:
        try:
            _command()()
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
