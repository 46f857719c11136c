"""The tables of a project by database and name, and what a table name in SQL means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dapflow.errors import DapflowError
from dapflow.manifest import GenerationColumns, Zone
from dapflow.project.file_position import FilePosition
from dapflow.project.model import ZONES, ExternalTable, Product, Project, ServiceFolder, SourceTable, TableNames
from dapflow.sql import SqlText, TableName
from dapflow.sql.missing import CATALOG, missing_catalog, missing_database, missing_table, near_database

# Athena's metadata tables beside a Glue table: "flights_history$partitions".
METADATA = ("$partitions", "$files", "$properties", "$history", "$manifests", "$snapshots")


@dataclass(frozen=True)
class UncompiledDataset:
    """A dataset before it is compiled."""

    id: str
    service: ServiceFolder
    zone: Zone
    name: str
    database: str
    history: str
    current: str
    place: FilePosition
    source: SourceTable | None = None
    product: Product | None = None
    external: ExternalTable | None = None

    @property
    def generation(self) -> GenerationColumns:
        """The generation columns of its history table."""
        own = self.external.generation if self.external is not None else None
        return own or self.service.generation

    @property
    def has_generations(self) -> bool:
        """Whether it has a history. An external table may be one table without generations."""
        return self.external is None or self.external.generation is not None


@dataclass(frozen=True)
class DatasetTable:
    """What a name in SQL stands for: a dataset's current view or its history. ``suffix`` is ``$partitions`` or such.

    A table without generations is its own ``current``.
    """

    node: UncompiledDataset
    kind: Literal["current", "history"]
    suffix: str = ""


class Tables:
    """Every table of a project."""

    def __init__(self, project: Project) -> None:
        self.nodes: dict[str, UncompiledDataset] = {}
        self.errors: list[DapflowError] = []
        # Every name that a database has in some environment → the one by which the manifest knows it.
        self._logical: dict[str, str] = {}
        self._owner: dict[str, tuple[str, str]] = {}
        self._tables: dict[tuple[str, str], DatasetTable] = {}
        for service in project.services.values():
            self._claim_databases(service)
        for service in project.services.values():
            self._check_default(service)
            for source in service.sources:
                self._add(_node(service, "raw", source.name, source.place, source.names, source=source))
            for external in service.external:
                names = external.names
                self._add(_node(service, external.zone, external.name, external.place, names, external=external))
            for product in service.products:
                place = FilePosition(product.file)
                self._add(_node(service, product.zone, product.name, place, product.names, product=product))

    def _claim_databases(self, service: ServiceFolder) -> None:
        for zone in ZONES:
            logical = service.databases[zone]
            for database in dict.fromkeys([logical, *service.environment_databases.get(zone, {}).values()]):
                owner = self._owner.setdefault(database, (service.name, zone))
                if owner == (service.name, zone):
                    self._logical[database] = logical
                    continue
                same = owner[0] == service.name
                other = f"its {owner[1]} zone" if same else f"the {owner[1]} zone of service {owner[0]!r}"
                self.errors.append(
                    service.database_places.get(zone, service.place).error(
                        "database-claimed-twice",
                        f"database {database!r} of the {zone} zone of service {service.name!r} is also that of {other}",
                        "give each service and zone a database of its own: databases: {" + zone + ": …}",
                    )
                )

    def logical(self, database: str) -> str:
        """The name by which the manifest knows a database that may be named as one environment names it."""
        return self._logical.get(database, database)

    def _check_default(self, service: ServiceFolder) -> None:
        if service.database not in self._owner:
            place = service.database_places.get("database", service.place)
            message = f"no service has a database {service.database!r}"
            self.errors.append(place.error("unknown-database", message, near_database(service.database, self._owner)))

    def _add(self, node: UncompiledDataset) -> None:
        same = self.nodes.get(node.id)
        if same is not None:
            message = f"{node.id} is there twice"
            self.errors.append(
                node.place.error("duplicate-dataset", message, f"rename one of them; the other is in {same.place.file}")
            )
            return
        if node.has_generations and node.current == node.history:
            message = f"the history and the current view of {node.id} are both called {node.current}"
            self.errors.append(node.place.error("bad-value", message, "give one of them another name"))
            return
        rival: UncompiledDataset | None = None
        kinds: list[tuple[str, Literal["current", "history"]]] = [(node.current, "current")]
        if node.has_generations:
            kinds.append((node.history, "history"))
        for name, kind in kinds:
            table = DatasetTable(node, kind)
            other = self._tables.setdefault((node.database, name), table)
            if other is not table and other.node is not rival:
                rival = other.node
                self.errors.append(
                    node.place.error(
                        "duplicate-dataset",
                        f"{node.id} and {other.node.id} both need the table {node.database}.{name}",
                        f"rename one of them, or its tables by current: and history:; "
                        f"the other is in {other.node.place.file}",
                    )
                )
        if rival is None:
            self.nodes[node.id] = node

    def find(self, name: TableName, service: ServiceFolder, text: SqlText) -> DatasetTable | None:
        """The table that a name means in a service's SQL; None for ``information_schema``. Raises DapflowError."""
        database = self.logical(name.database or service.database)
        if name.catalog not in {None, CATALOG}:
            raise missing_catalog(text, name)
        if database == "information_schema":
            return None
        if database not in self._owner:
            raise missing_database(text, name, database, self._owner)
        bare, suffix = _split(name.name)
        table = self._tables.get((database, bare))
        if table is None:
            raise missing_table(text, name._replace(name=bare), database, self._tables)
        if suffix and table.kind == "current" and table.node.has_generations:
            history = f'"{table.node.history}{suffix}"'
            raise text.error(
                "unknown-table",
                f"{bare!r} is a view and has no {suffix!r} table",
                name.start,
                f"read {history} instead",
            )
        return DatasetTable(table.node, table.kind, suffix)

    def at(self, database: str, written: str) -> DatasetTable | None:
        """The table of this name in a database; None where the project has none."""
        bare, suffix = _split(written)
        table = self._tables.get((self.logical(database), bare))
        return DatasetTable(table.node, table.kind, suffix) if table is not None else None

    def named(self, written: str, service: ServiceFolder) -> UncompiledDataset | None:
        """The dataset of which a text names a table, ``table`` or ``database.table``, as a service's SQL would."""
        *before, name = (part.strip('"') for part in written.lower().split("."))
        database = self.logical(before[-1] if before else service.database)
        table = self._tables.get((database, _split(name)[0]))
        return table.node if table else None

    def called(self, identities: Iterable[str], service: ServiceFolder) -> str:
        """The names of datasets' tables as ``named`` takes them from a service."""
        nodes = (self.nodes[identity] for identity in identities)
        names = (
            node.current if node.database == service.database else f"{node.database}.{node.current}" for node in nodes
        )
        return ", ".join(sorted(names)) or "no tables"


def table_names(service: ServiceFolder, name: str, names: TableNames, *, single: bool) -> tuple[str, str]:
    """What the current view and the history of a dataset are called; one table where it has no generations."""
    if single:
        return (names.current or name,) * 2
    latest = service.naming == "latest"
    return names.current or (f"{name}_latest" if latest else name), names.history or (
        name if latest else f"{name}_history"
    )


def _split(name: str) -> tuple[str, str]:
    bare, dollar, kind = name.rpartition("$")
    return (bare, f"${kind}") if dollar and f"${kind}" in METADATA else (name, "")


def _node(
    service: ServiceFolder,
    zone: Zone,
    name: str,
    place: FilePosition,
    names: TableNames,
    *,
    source: SourceTable | None = None,
    product: Product | None = None,
    external: ExternalTable | None = None,
) -> UncompiledDataset:
    single = external is not None and external.generation is None
    current, history = table_names(service, name, names, single=single)
    return UncompiledDataset(
        id=f"{service.name}.{zone}.{name}",
        service=service,
        zone=zone,
        name=name,
        database=service.databases[zone],
        history=history,
        current=current,
        place=place,
        source=source,
        product=product,
        external=external,
    )
