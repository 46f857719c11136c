"""The tables of a project by database and name, and what a table name in SQL means."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal

from dapflow.errors import DapflowError
from dapflow.manifest import GenerationColumns, Zone
from dapflow.project.model import ZONES, Place, Product, Project, ServiceFolder, SourceTable
from dapflow.sql import SqlText, TableName

CATALOG = "awsdatacatalog"
# Athena's metadata tables beside a Glue table: "flights_history$partitions".
METADATA = ("$partitions", "$files", "$properties", "$history", "$manifests", "$snapshots")


@dataclass(frozen=True)
class Node:
    """A dataset before it is compiled."""

    id: str
    service: ServiceFolder
    zone: Zone
    name: str
    database: str
    history: str
    current: str
    place: Place
    source: SourceTable | None = None
    product: Product | None = None

    @property
    def generation(self) -> GenerationColumns:
        """The generation columns of its history table."""
        return self.service.generation


@dataclass(frozen=True)
class Table:
    """What a name in SQL stands for: a dataset's current view or its history. ``suffix`` is ``$partitions`` or such."""

    node: Node
    kind: Literal["current", "history"]
    suffix: str = ""


class Tables:
    """Every table of a project."""

    def __init__(self, project: Project) -> None:
        self.nodes: dict[str, Node] = {}
        self.errors: list[DapflowError] = []
        self._owner: dict[str, tuple[str, str]] = {}
        self._tables: dict[tuple[str, str], Table] = {}
        for service in project.services.values():
            self._claim_databases(service)
        for service in project.services.values():
            self._check_default(service)
            for source in service.sources:
                self._add(_node(service, "raw", source.name, source.place, source=source))
            for product in service.products:
                self._add(_node(service, product.zone, product.name, Place(product.file), product=product))

    def _claim_databases(self, service: ServiceFolder) -> None:
        for zone in ZONES:
            database = service.databases[zone]
            owner = self._owner.setdefault(database, (service.name, zone))
            if owner != (service.name, zone):
                same = owner[0] == service.name
                other = f"its {owner[1]} zone" if same else f"the {owner[1]} zone of service {owner[0]!r}"
                self.errors.append(
                    service.database_places.get(zone, service.place).error(
                        "database-claimed-twice",
                        f"database {database!r} of the {zone} zone of service {service.name!r} is also that of {other}",
                        "give each service and zone a database of its own: databases: {" + zone + ": …}",
                    )
                )

    def _check_default(self, service: ServiceFolder) -> None:
        if service.database not in self._owner:
            place = service.database_places.get("database", service.place)
            message = f"no service has a database {service.database!r}"
            self.errors.append(place.error("unknown-database", message, self._near_database(service.database)))

    def _add(self, node: Node) -> None:
        rival: Node | None = None
        kinds: tuple[tuple[str, Literal["current", "history"]], ...] = (
            (node.current, "current"),
            (node.history, "history"),
        )
        for name, kind in kinds:
            table = Table(node, kind)
            other = self._tables.setdefault((node.database, name), table)
            if other is not table and other.node is not rival:
                rival = other.node
                self.errors.append(
                    node.place.error(
                        "duplicate-dataset",
                        f"{node.id} and {other.node.id} both need the table {node.database}.{name}",
                        f"rename one of them; the other is in {other.node.place.file}",
                    )
                )
        if rival is None:
            self.nodes[node.id] = node

    def find(self, name: TableName, service: ServiceFolder, text: SqlText) -> Table | None:
        """The table that a name means in a service's SQL; None for ``information_schema``. Raises DapflowError."""
        database = name.database or service.database
        if name.catalog not in {None, CATALOG}:
            raise text.error(
                "unknown-database",
                f"there is no catalog {name.catalog!r}",
                name.start,
                f"write database.table; the catalog is {CATALOG}",
            )
        if database == "information_schema":
            return None
        if database not in self._owner:
            raise text.error(
                "unknown-database", f"no service has a database {database!r}", name.start, self._near_database(database)
            )
        bare, suffix = _split(name.name)
        table = self._tables.get((database, bare))
        if table is None:
            raise text.error(
                "unknown-table",
                f"there is no table {bare!r} in database {database!r}",
                name.start,
                self._near_table(database, bare, name.database is None),
            )
        if suffix and table.kind == "current":
            history = f'"{table.node.history}{suffix}"'
            raise text.error(
                "unknown-table",
                f"{bare!r} is a view and has no {suffix!r} table",
                name.start,
                f"read {history} instead",
            )
        return Table(table.node, table.kind, suffix)

    def _near_database(self, database: str) -> str:
        near = difflib.get_close_matches(database, sorted(self._owner), n=3)
        if near:
            return f"did you mean {' or '.join(quoted(name) for name in near)}?"
        return "databases of this project are named by its services; add the service that owns the table"

    def _near_table(self, database: str, name: str, unqualified: bool) -> str:
        here = sorted(table for owner, table in self._tables if owner == database)
        near = difflib.get_close_matches(name, here, n=3)
        if near:
            return f"did you mean {' or '.join(quoted(table) for table in near)}?"
        elsewhere = sorted(owner for owner, table in self._tables if table == name)
        if elsewhere:
            places = " or ".join(f"{quoted(owner)}.{quoted(name)}" for owner in elsewhere[:3])
            return f"did you mean {places}?"
        if unqualified:
            return f"a name without a database is looked up in {quoted(database)}; add the source to service.yml?"
        if not here:
            return f"{quoted(database)} has no tables yet"
        return f"tables there: {', '.join(here[:8])}{' …' if len(here) > 8 else ''}"


def quoted(name: str) -> str:
    """An identifier as Athena takes it, in double quotes where it needs them."""
    plain = name.replace("_", "a").isalnum() and not name[0].isdigit()
    return name if plain else f'"{name}"'


def _split(name: str) -> tuple[str, str]:
    bare, dollar, kind = name.rpartition("$")
    return (bare, f"${kind}") if dollar and f"${kind}" in METADATA else (name, "")


def _node(
    service: ServiceFolder,
    zone: Zone,
    name: str,
    place: Place,
    *,
    source: SourceTable | None = None,
    product: Product | None = None,
) -> Node:
    latest = service.naming == "latest"
    return Node(
        id=f"{service.name}.{zone}.{name}",
        service=service,
        zone=zone,
        name=name,
        database=service.databases[zone],
        history=name if latest else f"{name}_history",
        current=f"{name}_latest" if latest else name,
        place=place,
        source=source,
        product=product,
    )
