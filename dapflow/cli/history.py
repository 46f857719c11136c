"""``dapflow history``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.branch_option import BranchOption, host_of, publications_of_branch
from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.runs.history import PastPublication, PublicationHistory

_COMMIT, _SQL = 9, 9


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("history")(history)


def history(
    name: DatasetArgument,
    generation: Annotated[
        str | None,
        typer.Option("--generation", "-g", metavar="D", help="Of this date alone, as 2013-12-31.", show_default=False),
    ] = None,
    most: Annotated[int, typer.Option("--most", "-n", min=1, help="How many, from the newest on.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole records as JSON.")] = False,
    branch: BranchOption = None,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """List the publications of a dataset: when, by whom, of which commit and text, from what, how much.

    `published` is what is read of its generation. What it took the place of is `kept` for a while, and can be gone back
    to with dapflow rollback; `swept` is gone. `damaged` is what was changed by hand since: its objects, its partition.

    Example: dapflow history air_traffic.refined.daily_departures
    """
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)

    if branch is None:
        clients, names = connected(root, manifest, environment)
        publications = Publications(clients, manifest, names)
    else:
        publications = publications_of_branch(root, branch, host_of(root, environment))
        dataset = publications.manifest.dataset(dataset.id)
    from dapflow.runs.history import history_of  # noqa: PLC0415
    from dapflow.runtime.generation import Generation  # noqa: PLC0415
    from dapflow.runtime.publish import Publisher  # noqa: PLC0415

    day = Generation.parse(generation) if generation is not None else None
    publisher = Publisher(publications.clients, publications.manifest, publications.environment)
    listed = history_of(publisher, publications, dataset, day, most)
    if as_json:
        print(json.dumps({"dataset": dataset.id, **listed.as_dict()}, indent=2, ensure_ascii=False))
    else:
        _print(dataset.id, listed)


def _print(dataset: str, listed: PublicationHistory) -> None:
    from dapflow.cli.result_table import Heading, print_rows, size_text  # noqa: PLC0415

    if not listed.past and not listed.unrecorded:
        print(f"Nothing of {dataset} is published.")
        return
    headings = [Heading(name, whole=True) for name in ("generation", "published", "run", "by", "commit", "sql")]
    headings += [
        Heading("rows", number=True),
        Heading("size", number=True),
        Heading("now", whole=True),
        Heading("from"),
    ]
    print_rows(
        headings,
        [
            (
                publication.record.generation,
                (publication.record.ended or publication.record.started)[:19].replace("T", " "),
                publication.record.run_id,
                publication.record.ran_by,
                publication.record.commit[:_COMMIT] + ("+" if publication.record.commit.endswith("+changes") else ""),
                publication.record.sql_sha256[:_SQL],
                "" if publication.state == "withdrawn" else f"{publication.record.rows or 0:,}",
                "" if publication.state == "withdrawn" else size_text(publication.record.bytes or 0),
                publication.state,
                _made_of(publication),
            )
            for publication in listed.past
        ],
    )
    for publication in listed.past:
        if publication.damage:
            print(f"{publication.record.generation} was changed by hand: {publication.damage}; publish it again")
    for day, made in listed.unrecorded.items():
        print(f"{day} was published without a record: {made.rows:,} rows, {made.at}")
    if listed.shown:
        print(f"The current view shows {listed.shown}.")


def _made_of(publication: PastPublication) -> str:
    from dapflow.runtime.limit import limited_said  # noqa: PLC0415

    record = publication.record
    if publication.state == "withdrawn":
        return f"taken out by dapflow {record.kind}"
    read = ", ".join(f"{source.dataset} {source.generation}".strip() for source in record.inputs)
    read = "; ".join(filter(None, (limited_said(record.limits), read)))
    if record.taken_from:
        return f"taken over from {record.taken_from}; {read}".rstrip("; ")
    return f"rolled back to {record.restores}; {read}".rstrip("; ") if record.restores else read
