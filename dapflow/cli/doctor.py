"""``dapflow doctor``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dapflow.cli.environment_option import names_of, session_of
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.environment import LOCAL
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from pathlib import Path

    from dapflow.doctor import Diagnosis


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment",
            "-e",
            metavar="E",
            help="Look at your AWS credentials for this environment of cdk.json, too.",
            show_default=False,
        ),
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Say what is missing or wrong with the machine or the project, and what to do about it.

    Looked at are Python and its packages, git, Node.js, the disk, the files under transforms/, the manifest, a hook
    before commits, the embedded platform and its ports. Nothing is changed. Ends with status 1 where something must be
    mended before most of the work can be done.

    Example: dapflow doctor --environment staging
    """
    from dapflow.doctor import machine_diagnoses, project_diagnoses  # noqa: PLC0415 (brings PyYAML, psutil)

    root = project_root(project)
    diagnoses = [*machine_diagnoses(root), *project_diagnoses(root)]
    if environment is not None and environment != LOCAL:
        diagnoses.append(_credentials(root, environment))
    mended = all(diagnosis.state != "mend" for diagnosis in diagnoses)
    if as_json:
        print(json.dumps({"ok": mended, "diagnoses": [diagnosis.as_dict() for diagnosis in diagnoses]}, indent=2))
    else:
        _print(diagnoses)
    if not mended:
        raise typer.Exit(1)


def _credentials(root: Path, environment: str) -> Diagnosis:
    from dapflow.doctor import Diagnosis  # noqa: PLC0415
    from dapflow.project import read_as_far_as_possible  # noqa: PLC0415

    try:
        names = names_of(root, read_as_far_as_possible(root)[0], environment)
        session_of(names)
    except DapflowError as error:
        hint = error.hint or "sign in again, for example with aws sso login"
        return Diagnosis("credentials", "mend", error.message, hint)
    return Diagnosis("credentials", "ok", f"account {names.account}, {names.region}")


def _print(diagnoses: list[Diagnosis]) -> None:
    width = max(len(diagnosis.subject) for diagnosis in diagnoses)
    for diagnosis in diagnoses:
        print(f"{diagnosis.state:4}  {diagnosis.subject:{width}}  {diagnosis.said}")
        if diagnosis.state != "ok":
            print(f"{'':4}  {'':{width}}  hint: {diagnosis.hint}")
    sys.stdout.flush()
