"""``dapflow query``."""

from __future__ import annotations

import itertools
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from dapflow.cli.failure import print_findings
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.steps import Steps
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from dapflow.local.query import QueryAnswer
    from dapflow.publications.as_of import QueryAsOf
    from dapflow.runtime.aws import Clients
    from dapflow.runtime.generation import Generation


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
    project: ProjectOption = None,
) -> None:
    """Ask the embedded Athena something.

    A file of transforms/ is run where its service's own tables are found without a database. Mistakes, and what may
    be one, are those that dapflow check would name.

    With --as-of, the names of the project's tables are replaced as for a run of that date: a current view by its newest
    generation of that date or before, a history by those up to it. What was read is said, and is part of the JSON.

    Example: dapflow query "SELECT count(*) FROM air_traffic_raw_zone.flights"
    """
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415 (brings boto3)
    from dapflow.local.processes import components  # noqa: PLC0415 (brings psutil)
    from dapflow.local.processes.running import explained, require_running  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    if as_csv and as_json:
        raise DapflowError("option", "--csv and --json exclude each other")
    text = _statement(sql, file)
    if not text.strip():
        raise DapflowError("option", "there is no statement in it", file=file, hint="give one, such as SELECT 1")
    day = None
    if as_of is not None:
        from dapflow.runtime.generation import Generation  # noqa: PLC0415

        day = Generation.parse(as_of)
    root = project_root(project)
    state = State.of(root)
    ports = require_running(state)
    with ends_when_interrupted(), explained(state, (components.AWS, components.ATHENA)):
        clients = connect_to_platform(state, ports)
        from dapflow.local.query import DEFAULT, ask  # noqa: PLC0415

        name = str(file) if file is not None and str(file) != "-" else None
        place, checked = database or DEFAULT, None
        transform = _transform(root, file) if file is not None and name is not None else None
        if transform is not None:
            name, checked = transform.file, transform.findings
            place = database or transform.database
        past = _as_of(root, clients, text, place, name, day) if day is not None else None
        # While Athena works, there is time to look at the text.
        with ThreadPoolExecutor(1) as beside, Steps() as steps:
            # A program that asks is not told of every second.
            steps.expect("asking Athena", after=10.0)
            looking = beside.submit(_warnings, clients, text, place, name, checked)
            sent = text if past is None else past.sql
            answer = ask(clients, sent, place, name if sent == text else None, checked or ())
            noted = looking.result()
        print_findings(noted)
        for note in past.notes() if past is not None else ():
            sys.stderr.write(f"{note}\n")
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


def _as_of(root: Path, clients: Clients, text: str, place: str, name: str | None, day: Generation) -> QueryAsOf:
    """The text with the project's tables as they were on a day. What else it reads is said to be read as it is."""
    from dapflow.local.cloudformation.provision import describe_local  # noqa: PLC0415
    from dapflow.project import read_as_far_as_possible  # noqa: PLC0415
    from dapflow.project.asked import read_asked  # noqa: PLC0415
    from dapflow.publications.as_of import query_as_of  # noqa: PLC0415

    manifest, _ = read_as_far_as_possible(root)
    environment = describe_local(root, manifest).environment
    logical = {physical: database for database, physical in environment.databases.items()}
    asked = read_asked(root, text, place, logical, name)
    for other in asked.others:
        sys.stderr.write(f"{other} is read as it is: it is not a table of the project\n")
    return query_as_of(clients, manifest, environment, asked.sql, asked.references, day)


def print_answer(answer: QueryAnswer, limit: int) -> None:
    """Print the first rows of an answer, how many there are, and what they cost."""
    from dapflow.cli.result_table import Heading, print_rows, size_text  # noqa: PLC0415

    rows = list(itertools.islice(answer.rows(), limit + 1)) if answer.columns else []
    if answer.columns:
        # All that DESCRIBE and SHOW give is text.
        typed = answer.location.endswith(".csv")
        headings = [
            Heading.of_type(column.name, column.type) if typed else Heading(column.name) for column in answer.columns
        ]
        print_rows(headings, rows[:limit])
    total = answer.row_count if answer.row_count is not None else len(rows)
    seconds = answer.milliseconds / 1000
    if len(rows) > limit:
        sys.stderr.write(f"… the first {limit} of {max(total, len(rows))} rows; --csv or --json prints all\n")
    shown = max(total, min(len(rows), limit))
    sys.stderr.write(f"{shown} row{'' if shown == 1 else 's'}, ")
    sys.stderr.write(f"{size_text(answer.bytes_scanned)} scanned, {seconds:.2f} s\n")


def _warnings(
    clients: Clients, text: str, place: str, name: str | None, checked: list[DapflowError] | None
) -> list[DapflowError]:
    from dapflow.review.statement_findings import warnings  # noqa: PLC0415 (brings DuckDB)

    return warnings(clients.glue, text, place, name, checked)


class _AskedFile(NamedTuple):
    """A file of transforms/ that is asked: its name, where its names are looked up, and what check says of it."""

    file: str
    database: str
    findings: list[DapflowError]


def _transform(root: Path, file: Path) -> _AskedFile | None:
    transforms = root.resolve() / "transforms"
    if not file.resolve().is_relative_to(transforms):
        return None
    from dapflow.local.cloudformation.provision import describe_local  # noqa: PLC0415
    from dapflow.project import read_as_far_as_possible  # noqa: PLC0415
    from dapflow.review.transforms import review  # noqa: PLC0415 (brings DuckDB)
    from dapflow.runtime.dataset_location import physical  # noqa: PLC0415

    name = file.resolve().relative_to(root.resolve()).as_posix()
    manifest, errors = read_as_far_as_possible(root)
    service = manifest.services.get(file.resolve().relative_to(transforms).parts[0])
    if service is None:
        return None
    database = physical(describe_local(root, manifest).environment, service.database)
    return _AskedFile(name, database, [finding for finding in review(manifest, errors) if finding.file == name])


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
