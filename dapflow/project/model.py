"""What people wrote, read and checked file by file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from yaml import Node

from dapflow.errors import DapflowError
from dapflow.manifest import Column, GenerationColumns, Source, Zone
from dapflow.project.marked_yaml import YamlFile
from dapflow.sql import Statement

ZONES: tuple[Zone, ...] = ("raw", "refined", "trusted")
PRODUCT_ZONES: tuple[Zone, ...] = ("refined", "trusted")


@dataclass(frozen=True)
class Place:
    """Where something is written, for errors that are found later."""

    file: str
    line: int | None = None
    column: int | None = None
    source: str | None = None

    @classmethod
    def of(cls, yaml: YamlFile, node: Node) -> Place:
        """The place of a value in a YAML file."""
        mark = node.start_mark
        return cls(yaml.file, mark.line + 1, mark.column + 1, yaml.line(mark.line))

    def error(self, code: str, message: str, hint: str | None = None) -> DapflowError:
        """An error that points here."""
        return DapflowError(
            code, message, file=self.file, line=self.line, column=self.column, source=self.source, hint=hint
        )


@dataclass(frozen=True)
class TableNames:
    """What a dataset's tables are called, where the naming of the service does not say it."""

    current: str | None = None
    history: str | None = None


SERVICE_NAMING = TableNames()


@dataclass(frozen=True)
class SourceTable:
    """A table that a service ingests."""

    name: str
    source: Source
    place: Place
    description: str | None = None
    names: TableNames = SERVICE_NAMING


@dataclass(frozen=True)
class ExternalTable:
    """A table that something else makes.

    ``generation`` is None where the table is not partitioned by generation columns. ``columns`` is None where
    service.yml does not name them; then Glue alone knows them.
    """

    name: str
    zone: Zone
    place: Place
    generation: GenerationColumns | None = None
    columns: tuple[Column, ...] | None = None
    description: str | None = None
    names: TableNames = SERVICE_NAMING


@dataclass(frozen=True)
class Comment:
    """The description of a column, and where it is written."""

    text: str
    place: Place


@dataclass(frozen=True)
class InputNote:
    """What a product's ``.yml`` says about a table that it reads.

    ``previous``: where the run's generation is missing, the newest before it is read.
    """

    table: str
    place: Place
    previous: bool


@dataclass(frozen=True)
class Product:
    """A data product: one ``.sql`` file and the ``.yml`` beside it. ``statement`` is None when it cannot be read.

    ``allow_empty``: a generation without rows is meant.
    """

    name: str
    zone: Zone
    file: str
    statement: Statement | None
    description: str | None = None
    comments: dict[str, Comment] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    names: TableNames = SERVICE_NAMING
    inputs: tuple[InputNote, ...] = ()
    allow_empty: bool = False


@dataclass(frozen=True)
class Named:
    """A service, zone or dataset by its name, and where it is written."""

    text: str
    place: Place


@dataclass(frozen=True)
class Grant:
    """One line of ``grants``: what of its own data, ``<zone>`` or ``<zone>.<dataset>``, a service lets another read."""

    reader: Named
    given: tuple[Named, ...]


@dataclass(frozen=True)
class ServiceFolder:
    """One folder under ``transforms/``.

    ``reviewers`` are its people, as .github/CODEOWNERS names them. ``reads`` is what it asks to read of others,
    ``<service>.<zone>`` or ``<service>.<zone>.<dataset>``; ``grants`` is what others may read of it.
    ``owner_place`` says where the owner is written, ``database_places`` where the names of databases are, by zone, for
    those that are not made of the pattern; ``database`` stands for the default one. ``environment_databases`` are names
    that a zone's database has in single environments.
    """

    name: str
    place: Place
    title: str
    databases: dict[str, str]
    database: str
    description: str | None = None
    owner: str | None = None
    owner_place: Place | None = None
    reviewers: tuple[str, ...] = ()
    schedule: str | None = None
    timezone: str = "UTC"
    retries: int = 2
    naming: Literal["history", "latest"] = "history"
    generation: GenerationColumns = field(default_factory=GenerationColumns)
    reads: tuple[Named, ...] = ()
    grants: tuple[Grant, ...] = ()
    bytes_scanned_cutoff: int = 100 * 1024**3
    sources: tuple[SourceTable, ...] = ()
    external: tuple[ExternalTable, ...] = ()
    products: tuple[Product, ...] = ()
    database_places: dict[str, Place] = field(default_factory=dict)
    environment_databases: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """Everything under ``transforms/`` of one repository. ``services`` by name, in the order of their names."""

    root: Path
    services: dict[str, ServiceFolder]
