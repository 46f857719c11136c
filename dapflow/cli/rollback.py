"""``dapflow rollback``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.person import person
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rollback")(rollback)


def rollback(
    name: DatasetArgument,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="RUN", help="To what this run published, as dapflow history names it."),
    ] = None,
    generation: Annotated[
        str | None,
        typer.Option("--generation", "-g", metavar="D", help="Date, as 2013-12-31. Default: the newest one."),
    ] = None,
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Let a generation of a dataset be again what it was before it was last published, or what a run published.

    What was published is kept for `retention.replaced_days`. Rolling back is a publication of its own: it is in the
    history, it can be undone by --to, and the next run publishes over it. What was made of the generation is named.

    Example: dapflow rollback air_traffic.refined.daily_departures --generation 2013-12-31
    """
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    clients, names = connected(root, manifest, environment)
    from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)
    from dapflow.runs.history import chosen  # noqa: PLC0415
    from dapflow.runtime.generation import Generation  # noqa: PLC0415
    from dapflow.runtime.publish import Publisher  # noqa: PLC0415

    publications = Publications(clients, manifest, names)
    asked = Generation.parse(generation) if generation is not None else None
    wanted, instead_of = chosen(publications, dataset, asked, to)
    day = Generation.parse(wanted.generation)
    what = f"{dataset.id} {day} to run {wanted.run_id} of {(wanted.ended or wanted.started)[:16].replace('T', ' ')}"
    confirm(f"Roll back {what}?", f"{what} would be rolled back", yes=yes)
    made = Publisher(clients, manifest, names, by=person()).rollback(dataset.id, wanted, instead_of)
    readers = publications.readers(dataset.id, day)
    if as_json:
        read_by = [{"dataset": reader, "generation": str(made_of)} for reader, made_of in readers]
        print(json.dumps({**made.summary(), "restores": wanted.origin, "read_by": read_by}, ensure_ascii=False))
        return
    print(f"{dataset.id} {day} is again what run {wanted.origin} published: {made.rows:,} rows.")
    if made.current != day:
        print(f"The current view shows {made.current}, which stays as it is.")
    for reader, made_of in readers:
        print(f"It was read by {reader} {made_of}: run that again.")
