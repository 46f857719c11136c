"""Orphans: datasets that were published and that the project no longer has. They are found, and removed when asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dapflow.branch import DATABASES
from dapflow.environment import Environment
from dapflow.errors import DapflowError
from dapflow.local.aws_session import connect_to_platform
from dapflow.local.cloudformation.provision import describe_local
from dapflow.local.processes.running import require_running
from dapflow.manifest import Dataset, Manifest, Zone
from dapflow.runtime import glue_parameters
from dapflow.runtime.aws import Clients, aws_errors
from dapflow.runtime.catalog import GlueCatalog
from dapflow.runtime.dataset_location import DatasetLocation
from dapflow.runtime.objects import delete_prefix
from dapflow.runtime.temporary import temporary_tables
from dapflow.servers.state import State

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient


@dataclass(frozen=True)
class Orphan:
    """A dataset that is in the catalog and not in the project.

    Attributes:
        history: the name of its history table; None where another dataset has it, or it is gone.
        current: the name of its current view; likewise.
        generations: how many its history holds.
    """

    id: str
    database: str
    history: str | None
    current: str | None
    generations: int

    def report(self) -> str:
        """What a user is told of it."""
        return f"Orphaned: {self.id} is published, and no file makes it any more. dapflow remove {self.id} removes it."


def find_orphans(clients: Clients, manifest: Manifest, environment: Environment) -> list[Orphan]:
    """The orphans of an environment of the embedded platform, by their ids."""
    catalog = GlueCatalog(clients.glue)
    places = [DatasetLocation.of(dataset, environment) for dataset in manifest.datasets.values()]
    used = {(place.database, name) for place in places for name in (place.history, place.current)}
    orphaned: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for database in _databases(clients.glue, environment):
        for table in catalog.tables(database, ".*"):
            made_of = table.get("Parameters", {}).get(glue_parameters.DATASET)
            if made_of and made_of not in manifest.datasets and (database, table["Name"]) not in used:
                orphaned[made_of, database].append(table)
    return [_orphan(catalog, *key, tables) for key, tables in sorted(orphaned.items())]


def orphans_of_platform(state: State, manifest: Manifest) -> list[Orphan]:
    """The orphans of the main environment; none where the platform does not run, or does not answer."""
    with suppress(DapflowError), aws_errors():
        clients = connect_to_platform(state, require_running(state))
        return find_orphans(clients, manifest, describe_local(state.root, manifest).environment)
    return []


def remove(clients: Clients, environment: Environment, orphan: Orphan) -> None:
    """Remove an orphan: its current view, its generations with their objects, its history table. Landing files stay.

    The history table goes last: until then it is found again, so that a removal that was killed can be repeated.
    """
    catalog, database = GlueCatalog(clients.glue), orphan.database
    with aws_errors():
        if orphan.current is not None:
            catalog.delete_table(database, orphan.current)
        if orphan.history is None:
            return
        dataset, place = _as_dataset(orphan, orphan.history, environment)
        for partition in catalog.partitions(database, orphan.history):
            catalog.delete_partition(database, orphan.history, partition.values)
        delete_prefix(clients.s3, place.prefix)
        for table in temporary_tables(catalog, dataset, place):
            catalog.delete_table(database, table["Name"])
        catalog.delete_table(database, orphan.history)


def _orphan(catalog: GlueCatalog, id_: str, database: str, tables: list[dict[str, Any]]) -> Orphan:
    views = [table["Name"] for table in tables if table.get("TableType") == "VIRTUAL_VIEW"]
    histories = [table["Name"] for table in tables if table["Name"] not in views]
    history = histories[0] if histories else None
    held = catalog.partitions(database, history) if history else []
    return Orphan(id_, database, history, views[0] if views else None, len(held))


def _as_dataset(orphan: Orphan, history: str, environment: Environment) -> tuple[Dataset, DatasetLocation]:
    service, zone, name = orphan.id.split(".")
    zones: dict[str, Zone] = {"raw": "raw", "refined": "refined", "trusted": "trusted"}
    current = orphan.current or name
    place = DatasetLocation(
        orphan.database,
        history,
        current,
        prefix=f"{environment.zones[zone]}{service}/{name}/",
        landing=f"{environment.zones['landing']}{service}/{name}/",
    )
    return Dataset(service, zones[zone], name, orphan.database, history, current), place


def _databases(glue: GlueClient, environment: Environment) -> Iterator[str]:
    """The databases of an environment, those too of services that the project no longer has."""
    own = f"{DATABASES}{environment.branch.replace('-', '_')}__"
    for page in glue.get_paginator("get_databases").paginate():
        for database in page["DatabaseList"]:
            name = database["Name"]
            if name.startswith(own) if environment.branch else not name.startswith(DATABASES):
                yield name
