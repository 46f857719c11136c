"""``dapflow preview``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from dapflow.cli.asked import AskedStatement, QueriedPlatform
from dapflow.cli.environment_option import EnvironmentOption
from dapflow.cli.interruption import ends_when_interrupted
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.query import print_answer
from dapflow.cli.steps import Steps
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError, DapflowErrors


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview")(preview)


def preview(
    name: Annotated[
        str,
        typer.Argument(metavar="TRANSFORM", help="Its id, its name, or its .sql file.", show_default=False),
    ],
    cte: Annotated[
        str | None, typer.Option("--cte", "-c", metavar="NAME", help="Show this query of its WITH.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="Rows to ask for.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print the rows as a JSON array of objects.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Show the first rows that a transform gives over today's data. Nothing is published.

    The text of the file as it is saved reads what the current views show, with a LIMIT behind it unless it has its own.
    A LIMIT spares no bytes where all must be read to know the first rows; dapflow cost says how many. With
    --environment it is asked in the workgroup of the transform's service, whose limit holds. As of another day, or as
    a whole: dapflow query --as-of D --file.

    Example: dapflow preview airline_punctuality --cte monthly
    """
    platform = QueriedPlatform(project_root(project), environment or LOCAL)
    statement = platform.preview(name, cte, limit)
    with ends_when_interrupted(), platform.connected() as clients, Steps() as steps:
        from dapflow.query import ask  # noqa: PLC0415 (brings boto3)

        steps.expect("asking Athena", after=10.0)
        file = statement.file if statement.sent == statement.text else None
        workgroup = platform.workgroup(statement, None, None)
        try:
            answer = ask(clients, statement.sent, statement.database, file, workgroup=workgroup)
        except DapflowErrors as error:
            raise DapflowErrors(list(_mistakes(statement, error.errors))) from None
        steps.rest()
        if as_json:
            for line in answer.json():
                print(line)
        else:
            print_answer(answer, limit, more="--json prints all")


def _mistakes(statement: AskedStatement, errors: Iterable[DapflowError]) -> Iterator[DapflowError]:
    """What Athena refuses. A trap is no trap in a preview, and may stand in what was put behind the text."""
    from dapflow.runtime.text_edits import place_at  # noqa: PLC0415

    named = {place_at(statement.text, reference.start): reference.dataset for reference in statement.references}
    for error in errors:
        dataset = named.get((error.line or 0, error.column or 0))
        if error.code == "unknown-table" and dataset is not None:
            error.message = f"nothing of {dataset} is published"
            error.hint = f"publish it first: dapflow run {dataset}, or in an environment its service's DAG"
        if error.severity == "error":
            yield error
