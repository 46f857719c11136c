"""``dapflow query``."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.local.query import Answer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("query")(query)


def query(
    sql: Annotated[str | None, typer.Argument(metavar="SQL", help="The statement.", show_default=False)] = None,
    *,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the statement from a file; - is stdin.")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", "-d", metavar="DB", help="Where names without a database are looked up.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV, as Athena writes it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all rows as a JSON array of objects.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show; the query is left as it is.")] = 50,
    project: ProjectOption = None,
) -> None:
    """Ask the embedded Athena something.

    Example: dapflow query "SELECT count(*) FROM air_traffic_raw_zone.flights"
    """
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415 (brings boto3)
    from dapflow.local.running import require_running  # noqa: PLC0415
    from dapflow.local.state import State  # noqa: PLC0415

    if as_csv and as_json:
        raise DapflowError("option", "--csv and --json exclude each other")
    text = _statement(sql, file)
    state = State.of(project_root(project))
    ports = require_running(state)
    with ends_when_interrupted():
        clients = connect_to_platform(state, ports)
        from dapflow.local.query import ask  # noqa: PLC0415

        with Steps() as steps:
            steps.expect("asking Athena")
            answer = ask(clients, text, database, str(file) if file is not None and str(file) != "-" else None)
        if as_csv:
            for piece in answer.csv():
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        elif as_json:
            for line in answer.json():
                print(line)
        else:
            print_answer(answer, limit)


def print_answer(answer: Answer, limit: int) -> None:
    """Print the first rows of an answer, how many there are, and what they cost."""
    from dapflow.cli.result_table import Heading, print_rows, size_text  # noqa: PLC0415

    rows = list(itertools.islice(answer.rows(), limit + 1)) if answer.columns else []
    if answer.columns:
        print_rows([Heading.of_type(column.name, column.type) for column in answer.columns], rows[:limit])
    total = answer.row_count if answer.row_count is not None else len(rows)
    seconds = answer.milliseconds / 1000
    if len(rows) > limit:
        sys.stderr.write(f"… the first {limit} of {max(total, len(rows))} rows; --csv or --json prints all\n")
    sys.stderr.write(f"{max(total, min(len(rows), limit))} rows, ")
    sys.stderr.write(f"{size_text(answer.bytes_scanned)} scanned, {seconds:.2f} s\n")


def _statement(sql: str | None, file: Path | None) -> str:
    if (sql is None) == (file is None):
        raise DapflowError("option", "give the statement, or a file that holds it with --file")
    if sql is not None:
        return sql
    if str(file) == "-":
        return sys.stdin.read()
    assert file is not None  # noqa: S101 (one of both is given)
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DapflowError("file", "the file is not UTF-8 text", file=file) from None
    except OSError as error:
        raise DapflowError("file", f"the file cannot be read: {error.strerror}", file=file) from None
