"""``dapflow query``."""

from __future__ import annotations

import itertools
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.asked import AskedStatement, QueriedPlatform
from dapflow.cli.environment_option import EnvironmentOption
from dapflow.cli.failure import print_findings
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.publications.as_of import QueryAsOf
    from dapflow.query import QueryAnswer
    from dapflow.runtime.aws import Clients


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
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", metavar="D", help="Read all tables as they were on this date, 2013-12-31.", show_default=False
        ),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="Rows to show; the query is left as it is.")] = 50,
    service: Annotated[
        str | None,
        typer.Option(
            "--service",
            "-s",
            metavar="SERVICE",
            help="Whose Athena workgroup asks. Default: of the file, of --database, or of the tables; on the embedded "
            "platform nobody's.",
            show_default=False,
        ),
    ] = None,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Ask Athena something: the embedded one, or that of an environment.

    A file of transforms/ is run where its service's own tables are found without a database. Mistakes, and what may
    be one, are those that dapflow check would name.

    With --as-of, the names of the project's tables are replaced as for a run of that date: a current view by its newest
    generation of that date or before, a history by those up to it. What was read is said, and is part of the JSON.

    With --environment, it is asked in the workgroup of a service, whose limit holds and whose account of costs it is.

    Example: dapflow query "SELECT count(*) FROM air_traffic_raw_zone.flights"
    """
    if as_csv and as_json:
        raise DapflowError("option", "--csv and --json exclude each other")
    text = _statement(sql, file)
    if not text.strip():
        raise DapflowError("option", "there is no statement in it", file=file, hint="give one, such as SELECT 1")
    day = None
    if as_of is not None:
        from dapflow.runtime.generation import Generation  # noqa: PLC0415

        day = Generation.parse(as_of)
    platform = QueriedPlatform(project_root(project), environment or LOCAL)
    with ends_when_interrupted(), platform.connected() as clients:
        from dapflow.query import ask  # noqa: PLC0415 (brings boto3)

        statement = platform.statement(text, file, database)
        workgroup = platform.workgroup(statement, service, database)
        past = platform.as_of(clients, statement, day) if day is not None else None
        # While Athena works, there is time to look at the text.
        with ThreadPoolExecutor(1) as beside, Steps() as steps:
            # A program that asks is not told of every second.
            steps.expect("asking Athena", after=10.0)
            looking = beside.submit(_warnings, clients, statement)
            sent = statement.sent if past is None else past.sql
            name = statement.file if sent == text else None
            answer = ask(clients, sent, statement.database, name, statement.findings or (), workgroup)
            noted = looking.result()
        print_findings(noted)
        for note in past.notes() if past is not None else ():
            sys.stderr.write(f"{note}\n")
        _print(answer, past, limit, as_csv=as_csv, as_json=as_json)


def _print(answer: QueryAnswer, past: QueryAsOf | None, limit: int, *, as_csv: bool, as_json: bool) -> None:
    if as_csv:
        for piece in answer.csv():
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    elif as_json and past is not None:
        read_as_of = json.dumps([read.as_dict() for read in past.read], ensure_ascii=False)
        print(f'{{"as_of": "{past.day}", "read": {read_as_of}, "rows":')
        for line in answer.json():
            print(line)
        print("}")
    elif as_json:
        for line in answer.json():
            print(line)
    else:
        print_answer(answer, limit)


def print_answer(answer: QueryAnswer, limit: int, more: str = "--csv or --json prints all") -> None:
    """Print the first rows of an answer, how many there are, and what they cost; ``more`` says how to see the rest."""
    from dapflow.cli.result_table import Heading, print_rows, size_text  # noqa: PLC0415

    rows = list(itertools.islice(answer.rows(), limit + 1)) if answer.columns else []
    if answer.columns:
        # All that DESCRIBE and SHOW give is text.
        typed = answer.location.endswith(".csv")
        headings = [
            Heading.of_type(column.name, column.type) if typed else Heading(column.name) for column in answer.columns
        ]
        print_rows(headings, rows[:limit])
    seconds = answer.milliseconds / 1000
    # Athena tells the number some time after the query, and not to everyone.
    total = answer.row_count if answer.row_count is not None and answer.row_count >= len(rows) else None
    if len(rows) > limit:
        of = f" of {total} rows" if total is not None else " rows, and there are more"
        sys.stderr.write(f"… the first {limit}{of}; {more}\n")
    shown = total if total is not None else min(len(rows), limit)
    sys.stderr.write(f"{shown} row{'' if shown == 1 else 's'}, ")
    sys.stderr.write(f"{size_text(answer.bytes_scanned)} scanned, {seconds:.2f} s\n")


def _warnings(clients: Clients, statement: AskedStatement) -> list[DapflowError]:
    from dapflow.review.statement_findings import warnings  # noqa: PLC0415 (brings DuckDB)

    return warnings(clients.glue, statement.text, statement.database, statement.file, statement.findings)


def _statement(sql: str | None, file: Path | None) -> str:
    if (sql is None) == (file is None):
        raise DapflowError("option", "give the statement, or a file that holds it with --file")
    if sql is not None:
        return sql
    assert file is not None  # noqa: S101 (one of both is given)
    return statement_in(file)


def statement_in(file: Path) -> str:
    """The text in a file, or on standard input where it is called ``-``. Raises DapflowError ``file``."""
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DapflowError("file", "the file is not UTF-8 text", file=file) from None
    except OSError as error:
        raise DapflowError("file", f"the file cannot be read: {error.strerror}", file=file) from None
