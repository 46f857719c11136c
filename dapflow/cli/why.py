"""``dapflow why``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.project_option import DatasetArgument, ProjectOption, project_root

if TYPE_CHECKING:
    from dapflow.runs.why import Currency, Reason


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("why")(why)


def why(
    name: DatasetArgument,
    generation: Annotated[
        str | None,
        typer.Option(
            "--generation", "-g", metavar="D", help="Date, as 2013-12-31. Default: the newest that should be there."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """Say why a dataset is not current: which input, check or error, since when, and what to do.

    It looks through all that the dataset is made of, up to the landing files: what has not landed, failed, was killed
    or never ran; what was published again, or by another text, since it was read.

    Example: dapflow why air_traffic.refined.daily_departures
    """
    from dapflow.project import compile_project, find_dataset  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    dataset = find_dataset(manifest, root, name)
    clients, names = connected(root, manifest, environment)
    from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)
    from dapflow.runs.why import CurrencyLook  # noqa: PLC0415
    from dapflow.runtime.generation import Generation  # noqa: PLC0415

    day = Generation.parse(generation) if generation is not None else None
    currency = CurrencyLook(Publications(clients, manifest, names)).at(dataset, day)
    if as_json:
        print(json.dumps(currency.as_dict(), indent=2, ensure_ascii=False))
    else:
        _print(currency)


def _print(currency: Currency) -> None:
    shown = f"shows {currency.shown}" if currency.shown else "shows nothing"
    if currency.expected is None:
        print(f"{currency.dataset} {shown}, and nothing that it is made of is there.")
        return
    if currency.current:
        print(f"{currency.dataset} is current: {currency.expected} is there, by the text and the inputs of now.")
        if currency.unpublished is not None:
            print("A later run of it has published nothing:")
            _print_reason(currency.unpublished)
        return
    print(f"{currency.dataset} {shown}; {currency.expected} is not as it should be:")
    for reason in currency.reasons:
        _print_reason(reason)


def _print_reason(reason: Reason) -> None:
    since = f", since {reason.since[:16].replace('T', ' ')} UTC" if reason.since else ""
    print(f"- {reason.dataset} {reason.generation}: {reason.message} [{reason.code}]{since}")
    if reason.through:
        print(f"  read by {' ← '.join(reversed(reason.through))}")
    if reason.hint:
        print(f"  hint: {reason.hint}")
