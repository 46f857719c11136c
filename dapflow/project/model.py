"""What people wrote, read and checked file by file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dapflow.manifest import Column, GenerationColumns, LandingSource, Zone
from dapflow.project.check_terms import CheckTerms
from dapflow.project.file_position import FilePosition, PlacedText
from dapflow.project.product_terms import ProductTerms
from dapflow.project.service_terms import Naming
from dapflow.sql import FileStatement

ZONES: tuple[Zone, ...] = ("raw", "refined", "trusted")
PRODUCT_ZONES: tuple[Zone, ...] = ("refined", "trusted")


@dataclass(frozen=True)
class TableNames:
    """What a dataset's tables are called, where the naming of the service does not say it."""

    current: str | None
    history: str | None


@dataclass(frozen=True)
class SourceTable:
    """A table that a service ingests. ``personal`` are its columns of personal data."""

    name: str
    source: LandingSource
    place: FilePosition
    description: str | None
    names: TableNames
    checks: dict[PlacedText, CheckTerms]
    personal: tuple[str, ...]


@dataclass(frozen=True)
class ExternalTable:
    """A table that something else makes.

    ``generation`` is None where the table is not partitioned by generation columns. ``columns`` is None where
    service.yml does not name them; then Glue alone knows them.
    """

    name: str
    zone: Zone
    place: FilePosition
    generation: GenerationColumns | None
    columns: tuple[Column, ...] | None
    description: str | None
    names: TableNames


@dataclass(frozen=True)
class Product:
    """A data product: one ``.sql`` file and the ``.yml`` beside it. ``statement`` is None when it cannot be read."""

    name: str
    zone: Zone
    file: str
    statement: FileStatement | None
    terms: ProductTerms

    @property
    def description(self) -> str | None:
        """What the ``.yml`` says it is."""
        return self.terms.description

    @property
    def names(self) -> TableNames:
        """What its tables are called."""
        return TableNames(self.terms.current, self.terms.history)


@dataclass(frozen=True)
class ServiceFolder:
    """One folder under ``transforms/``.

    ``reviewers`` are its people, as .github/CODEOWNERS names them. ``reads`` is what it asks to read of others,
    ``<service>.<zone>`` or ``<service>.<zone>.<dataset>``; ``grants`` is what of its own data, ``<zone>`` or
    ``<zone>.<dataset>``, others may read, by their names. ``database_places`` says where the names of databases are
    written, by zone, for those that are not made of the pattern; ``database`` stands for the default one.
    ``environment_databases`` are names that a zone's database has in single environments. ``input_age_days`` is how
    old a slower input may be. ``check_files`` are the checks in SQL by the names of their files, None where one cannot
    be read.
    """

    name: str
    place: FilePosition
    title: str
    description: str | None
    owner: PlacedText | None
    reviewers: tuple[str, ...]
    schedule: str | None
    timezone: str
    retries: int
    naming: Naming
    generation: GenerationColumns
    reads: tuple[PlacedText, ...]
    grants: dict[PlacedText, tuple[PlacedText, ...]]
    bytes_scanned_cutoff: int
    input_age_days: int
    databases: dict[str, str]
    database: str
    database_places: dict[str, FilePosition]
    environment_databases: dict[str, dict[str, str]]
    sources: tuple[SourceTable, ...]
    external: tuple[ExternalTable, ...]
    products: tuple[Product, ...] = ()
    check_files: dict[str, FileStatement | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Project:
    """Everything under ``transforms/`` of one repository. ``services`` by name, in the order of their names."""

    root: Path
    services: dict[str, ServiceFolder]
