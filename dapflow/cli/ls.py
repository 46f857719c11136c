"""``dapflow ls``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dapflow.cli.environment_option import EnvironmentOption, connected
from dapflow.cli.project_option import ProjectOption, project_root
from dapflow.cli.schedule_words import schedules_in_words
from dapflow.errors import DapflowError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from dapflow.manifest import Dataset, Manifest, Service
    from dapflow.runs.standing import DatasetStanding


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ls")(ls)


def ls(
    service: Annotated[
        str | None, typer.Argument(metavar="SERVICE", help="Of this service. Default: of all.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    environment: EnvironmentOption = None,
    project: ProjectOption = None,
) -> None:
    """List what there is: services, raw tables and products, who owns them, when they run.

    Where the platform runs, also the generation that each shows, and what became of its last run.

    Example: dapflow ls air_traffic
    """
    from dapflow.project import compile_project  # noqa: PLC0415 (brings PyYAML)

    root = project_root(project)
    manifest = compile_project(root)
    if service is not None and service not in manifest.services:
        hint = f"there are {', '.join(manifest.services)}" if manifest.services else None
        raise DapflowError("unknown-service", f"there is no service {service!r}", hint=hint)
    services = [manifest.services[service]] if service else list(manifest.services.values())
    names = {listed.name for listed in services}
    datasets = [dataset for dataset in manifest.datasets.values() if dataset.service in names]
    standing = _standings(root, manifest, datasets, environment)
    if as_json:
        print(json.dumps(_document(services, datasets, standing), indent=2, ensure_ascii=False))
    else:
        _print(manifest, datasets, standing)


def _standings(
    root: Path, manifest: Manifest, datasets: Sequence[Dataset], environment: str | None
) -> dict[str, DatasetStanding] | None:
    """How they stand; None where nobody named an environment and the embedded platform is not running."""
    try:
        clients, names = connected(root, manifest, environment)
    except DapflowError as error:
        if error.code != "embedded-platform-not-up":
            raise
        return None
    from dapflow.publications.published import Publications  # noqa: PLC0415 (brings boto3)
    from dapflow.runs.standing import standings  # noqa: PLC0415

    return standings(Publications(clients, manifest, names), datasets)


def _print(manifest: Manifest, datasets: Sequence[Dataset], standing: dict[str, DatasetStanding] | None) -> None:
    from dapflow.cli.result_table import Heading, print_rows  # noqa: PLC0415

    headings = [Heading("dataset", whole=True), *map(Heading, ("kind", "owner", "schedule"))]
    if standing is not None:
        headings += [Heading("generation", whole=True), Heading("last run", whole=True)]
    when = schedules_in_words(manifest)
    rows = []
    for dataset in datasets:
        service = manifest.services[dataset.service]
        # A service of nothing but what others make has no runs.
        row = [dataset.id, _kind(dataset), service.owner or "", when.get(service.name, "")]
        if standing is not None:
            stands = standing[dataset.id]
            row += [str(stands.shown) if stands.shown else "", stands.last_run]
        rows.append(row)
    if rows:
        print_rows(headings, rows)
    else:
        print("There is no dataset yet: dapflow new service begins a service.")
    if standing is None:
        sys.stderr.write("The embedded platform is not running: what is published is not known.\n")


def _document(
    services: Sequence[Service], datasets: Sequence[Dataset], standing: dict[str, DatasetStanding] | None
) -> dict[str, Any]:
    def stands(dataset: Dataset) -> dict[str, str | None]:
        if standing is None:
            return {}
        known = standing[dataset.id]
        return {"generation": str(known.shown) if known.shown else None, "last_run": known.last_run or None}

    return {
        "services": [
            {
                "name": service.name,
                "title": service.title,
                "description": service.description,
                "owner": service.owner,
                "schedule": service.schedule,
                "timezone": service.timezone,
            }
            for service in services
        ],
        "datasets": [
            {
                "id": dataset.id,
                "kind": _kind(dataset),
                "description": dataset.description,
                "file": dataset.transform.file if dataset.transform else None,
                **stands(dataset),
            }
            for dataset in datasets
        ],
    }


def _kind(dataset: Dataset) -> str:
    return "external" if dataset.external else "raw table" if dataset.transform is None else "product"
