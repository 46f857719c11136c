"""``--project DIR``, and how transforms and datasets are named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dapflow.root import find_project

ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project", metavar="DIR", help="The repository; by default the nearest folder that holds transforms/."
    ),
]
SelectedArgument = Annotated[
    str,
    typer.Argument(
        metavar="TRANSFORM|SERVICE",
        help="A transform (its id, its name, its .sql file), a raw table's id, or a service: all it publishes.",
        show_default=False,
    ),
]
DatasetArgument = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="A transform or a raw table: its id (air_traffic.raw.flights), its name, or a .sql file.",
        show_default=False,
    ),
]


def project_root(option: Path | None) -> Path:
    """The repository that a command works on. Raises DapflowError ``no-project``."""
    return option if option is not None else find_project(Path.cwd())
