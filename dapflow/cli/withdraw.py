"""``dapflow withdraw``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dapflow.cli.confirmation import YesOption, confirm
from dapflow.cli.person import person
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("withdraw")(withdraw)


def withdraw(
    name: DatasetArgument,
    generation: Annotated[
        str, typer.Option("--generation", "-g", metavar="D", help="Date, as 2013-12-31.", show_default=False)
    ],
    yes: YesOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    project: ProjectOption = None,
) -> None:
    """Take a generation out of a dataset on the embedded platform.

    The current view goes back to the newest generation that remains. What was made of the generation stays, and is
    named, so that it can be run again.

    Example: dapflow withdraw air_traffic.raw.flights --generation 2030-01-01
    """
    from dapflow.local.aws_session import connect_to_platform  # noqa: PLC0415 (brings boto3)
    from dapflow.local.processes import components  # noqa: PLC0415 (brings psutil)
    from dapflow.local.processes.running import explained, require_running  # noqa: PLC0415
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)
    from dapflow.runtime.generation import Generation  # noqa: PLC0415
    from dapflow.servers.state import State  # noqa: PLC0415

    root = project_root(project)
    state = State.of(root)
    day = Generation.parse(generation)
    ports = require_running(state)
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    what = f"generation {day} of {dataset.id}"
    confirm(f"Withdraw {what}?", f"{what} would be withdrawn", yes=yes)
    with explained(state, components.SERVERS):
        from dapflow.local.cloudformation.provision import describe_local  # noqa: PLC0415
        from dapflow.publications.published import Publications  # noqa: PLC0415
        from dapflow.runtime.publish import Publisher  # noqa: PLC0415

        environment = describe_local(root, manifest).environment
        clients = connect_to_platform(state, ports)
        current = Publisher(clients, manifest, environment, by=person()).withdraw(dataset.id, day)
        readers = Publications(clients, manifest, environment).readers(dataset.id, day)
    if as_json:
        made = [{"dataset": reader, "generation": str(made_of)} for reader, made_of in readers]
        shown = str(current) if current else None
        print(json.dumps({"dataset": dataset.id, "withdrawn": str(day), "current": shown, "read_by": made}))
        return
    now = f"{dataset.id} now shows {current}" if current else f"{dataset.id} has no generation any more"
    print(f"Generation {day} is withdrawn; {now}.")
    for reader, made_of in readers:
        print(f"It was read by {reader} {made_of}: run that again, or withdraw it too.")
