"""The compiled project: everything the run time needs to know, as one JSON file.

Written at compile time (``dapflow compile``, ``cdk synth``), read at run time (Airflow, the embedded platform). It
imports the standard library only, because MWAA's stock image is all there is at run time.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from dapflow.errors import DapflowError
from dapflow.landing_formats import LANDING_FORMATS

SCHEMA = 3
# The file of a bundle that says which of its manifests is in force.
POINTER = "manifest.json"
# When a service runs that has no schedule and waits for nobody.
DAILY = "0 5 * * *"

Zone = Literal["raw", "refined", "trusted"]
Contract = Literal["new", "migrated"]
CheckSeverity = Literal["error", "warn"]
CheckKind = Literal[
    "not_null",
    "unique",
    "accepted_values",
    "range",
    "pattern",
    "relationships",
    "row_count",
    "freshness",
    "expression",
    "sql",
]


@dataclass(frozen=True)
class Column:
    """A column and its Athena type, written as in Athena DDL: ``bigint``, ``string``, ``decimal(10,2)``."""

    name: str
    type: str
    comment: str | None = None


@dataclass(frozen=True)
class SourceColumn(Column):
    """A column of a landing file. ``format`` is a ``date_parse`` pattern for dates and timestamps written otherwise."""

    format: str | None = None


# Letters that Unicode does not take apart into a base and an accent, and as which people write them.
_LETTERS = str.maketrans({"æ": "ae", "ð": "d", "đ": "d", "ħ": "h", "ł": "l", "ø": "o", "œ": "oe", "þ": "th"})


def column_name(heading: str) -> str:
    """The column name that a heading of a landing file gives: ``Flight No.`` → ``flight_no``, ``Größe`` → ``grosse``.

    Empty when the heading has neither a letter of the Latin alphabet nor a digit.
    """
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", heading).casefold()).translate(_LETTERS)
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9_]+", "_", text).strip("_")


@dataclass(frozen=True)
class LandingSource:
    """How the landing files of a raw dataset are written.

    Attributes:
        format: one of ``LANDING_FORMATS``.
        columns: None when service.yml leaves them to be inferred.
        null: the texts that stand for NULL. Without any, an empty CSV field is NULL, quoted or not: ``,,`` and
            ``,"",`` are told apart by giving a marker.
        encoding: a codec of Python's, or ``detect``.
        escape: the character that takes the meaning from a quote in a CSV field; None where quotes are doubled. The
            quote itself says that they are doubled, also where a backslash stands before one.
        skip: lines of CSV files before the header.
        allow_empty: whether files without rows are a generation.
    """

    format: str
    columns: tuple[SourceColumn, ...] | None
    delimiter: str = ","
    null: tuple[str, ...] = ()
    encoding: str = "utf-8"
    escape: str | None = None
    skip: int = 0
    allow_empty: bool = False

    @property
    def takes_no_bytes(self) -> bool:
        """Whether a file without a byte is one without rows."""
        return self.allow_empty and LANDING_FORMATS[self.format].is_text

    @property
    def nulls(self) -> tuple[str, ...]:
        """The texts that are read as NULL."""
        return self.null or LANDING_FORMATS[self.format].nulls


@dataclass(frozen=True)
class GenerationColumns:
    """The partition columns that identify a generation: ``<prefix>_year``, ``_month``, ``_day``, ``_date``.

    ``extra`` are further partition columns that follow them.
    """

    prefix: str = "import"
    extra: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The four generation columns in order, such as ``import_year`` … ``import_date``."""
        return tuple(f"{self.prefix}_{part}" for part in ("year", "month", "day", "date"))

    @property
    def partition_names(self) -> tuple[str, ...]:
        """All partition columns of the history table in order."""
        return self.names + self.extra


@dataclass(frozen=True)
class Reference:
    """A table reference in a transform's text: ``text[start:end]`` names ``dataset``.

    ``start`` and ``end`` count characters of ``Transform.sql``. ``kind`` says which of the dataset's names is used;
    ``suffix`` follows it for a table of metadata, such as ``$partitions``.
    ``alias`` is False when the text gives the table no alias, so that a replacement must bring its own (the table's
    bare name). ``database`` is the database as the text names it, where that is not ``Dataset.database``: the name
    that it has in another environment. ``query`` is where ``TABLE`` stands, which makes a query of the name.
    """

    start: int
    end: int
    dataset: str
    kind: Literal["current", "history"]
    alias: bool
    suffix: str = ""
    database: str | None = None
    query: int | None = None


@dataclass(frozen=True)
class Check:
    """What must hold of a generation before it is published.

    Attributes:
        name: its author's; several checks may have the same one.
        file: where it is written, with ``line`` and ``column``.
        columns: what it is about; those of ``unique`` together.
        where: the condition of the rows that are looked at.
        values: what ``accepted_values`` takes, as it is written.
        least, greatest: of ``range`` and ``row_count``, as they are written.
        percent: of ``row_count``: how much the generation before may have had less or more.
        text: the pattern, the condition, or the text of a check in SQL.
        references: the tables in that text; the current view of the dataset itself stands for what is staged.
        dataset: id of the other dataset, of ``relationships`` and ``freshness``. ``field`` is its column.
        days: of ``freshness``.
    """

    name: str
    kind: CheckKind
    severity: CheckSeverity
    file: str
    line: int | None
    column: int | None
    columns: tuple[str, ...] = ()
    where: str | None = None
    values: tuple[str, ...] = ()
    least: str | None = None
    greatest: str | None = None
    percent: int | None = None
    text: str = ""
    references: tuple[Reference, ...] = ()
    dataset: str | None = None
    field: str | None = None
    days: int = 0


@dataclass(frozen=True)
class Transform:
    """One ``.sql`` file.

    ``sql`` is the statement as written, without what Athena does not take inside ``UNLOAD (…)``: a BOM, the trailing
    ``;`` and what follows it. Not a character between is changed. ``computes_generation`` is True for a migrated
    transform whose generation columns are computed instead of passed through. ``comments`` are the descriptions of
    columns by name. ``slower_inputs`` are ids of the datasets of which the newest generation before the run's is read
    where there is none of the run's. ``allow_empty``: a generation without rows is meant. ``unsteady`` is what in the
    text may give other rows over the same tables; None where nobody has looked.
    """

    file: str
    sql: str
    sha: str
    references: tuple[Reference, ...]
    contract: Contract
    columns: tuple[str, ...] | None
    computes_generation: bool = False
    description: str | None = None
    tags: tuple[str, ...] = ()
    comments: dict[str, str] = field(default_factory=dict)
    slower_inputs: tuple[str, ...] = ()
    allow_empty: bool = False
    unsteady: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Dataset:
    """A raw table, a data product, or a table that something else makes: the same thing to those who read it.

    Attributes:
        name: as an analyst writes it, ``flights``.
        history: name of the history table, in ``database``.
        current: name of the current view, in ``database``.
        database: the logical Glue database; ``Environment.databases`` maps it to the physical one.
        depends_on: ids of the datasets that the transform and the checks read.
        source: set for raw datasets. transform: set for data products.
        external: something else makes its table or history; both ``source`` and ``transform`` are None then.
        checks: what must hold of a generation before it is published.
        personal: its columns of personal data, whose values are shown to nobody beside the tables themselves.
        has_generations: False for an external table that is not partitioned by generation columns. It is the one table
            ``current``, which ``history`` names too; every run reads it as it is, and nothing publishes it.
    """

    service: str
    zone: Zone
    name: str
    database: str
    history: str
    current: str
    generation: GenerationColumns = field(default_factory=GenerationColumns)
    description: str | None = None
    columns: tuple[Column, ...] | None = None
    source: LandingSource | None = None
    transform: Transform | None = None
    depends_on: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()
    personal: tuple[str, ...] = ()
    external: bool = False
    has_generations: bool = True

    @property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """The columns of each check that says of all rows of a generation that they are told apart by them."""
        return tuple(check.columns for check in self.checks if check.kind == "unique" and check.where is None)

    @property
    def id(self) -> str:
        """``<service>.<zone>.<name>``, unique in the project; also the name of the Airflow asset."""
        return f"{self.service}.{self.zone}.{self.name}"

    @property
    def task_id(self) -> str:
        """``<zone>.<name>``: the task of the service's DAG that publishes the dataset."""
        return f"{self.zone}.{self.name}"


@dataclass(frozen=True)
class Service:
    """A department or team: one folder under ``transforms/``, one DAG.

    ``database`` is where unqualified table names of its transforms live (logical name). ``schedule`` is a cron line,
    or None: then the DAG waits for the generation of every dataset it reads from other services, but for slower
    inputs, or runs daily when there is none to wait for. ``datasets`` are ids in the order in which they can be
    published; what has no generations is not among them. ``reads`` is what it asks to read of others,
    ``<service>.<zone>`` or ``<service>.<zone>.<dataset>``; ``grants`` is what of its own data others may read,
    ``<zone>`` or ``<zone>.<dataset>`` by their names. ``bytes_scanned_cutoff`` in bytes, per query. ``databases`` are
    the logical names by zone; ``environment_databases`` the physical ones by zone and environment, where an
    environment has one of its own.
    """

    name: str
    title: str
    database: str
    databases: dict[str, str]
    datasets: tuple[str, ...]
    description: str | None = None
    owner: str | None = None
    schedule: str | None = None
    timezone: str = "UTC"
    retries: int = 2
    reads: tuple[str, ...] = ()
    grants: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bytes_scanned_cutoff: int = 100 * 1024**3
    input_age_days: int = 35
    environment_databases: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The whole project. ``services`` by name, ``datasets`` by id, both in publishing order.

    ``deferred`` are ids of products that a branch leaves to its base, which has them as the branch would make them;
    ``base`` is the ``sha`` of the project that this was found by, empty where nothing was compared.
    """

    services: dict[str, Service]
    datasets: dict[str, Dataset]
    schema: int = SCHEMA
    deferred: frozenset[str] = frozenset()
    base: str = ""

    def dataset(self, dataset_id: str) -> Dataset:
        """The dataset with this id. Raises DapflowError ``unknown-dataset``."""
        try:
            return self.datasets[dataset_id]
        except KeyError:
            raise DapflowError("unknown-dataset", f"there is no dataset {dataset_id} in the manifest") from None

    def reading_older(self, dataset_id: str, inputs: Sequence[str]) -> Manifest:
        """The project in which a product has ``on_missing: previous`` for these inputs, whatever its ``.yml`` says."""
        dataset = self.dataset(dataset_id)
        if not inputs or dataset.transform is None:
            return self
        slower = tuple(sorted({*dataset.transform.slower_inputs, *inputs}))
        allowing = replace(dataset, transform=replace(dataset.transform, slower_inputs=slower))
        return replace(self, datasets={**self.datasets, dataset.id: allowing})

    def to_json(self, lineage: Mapping[str, Any] | None = None) -> str:
        """The manifest as text, one service or dataset a line; equal manifests give equal text.

        ``lineage`` of products by id may follow, for those who ask where columns come from; a run has no use for it.
        """
        more = f',\n"deferred": {json.dumps(sorted(self.deferred))}' if self.deferred else ""
        more += f',\n"base": {json.dumps(self.base)}' if self.base else ""
        more += f',\n"lineage": {{{_lines(lineage)}}}' if lineage is not None else ""
        return f'{{"schema": {self.schema},\n{self._text}{more}}}\n'

    # It is written, and named by its content: twice the same text, which is long.
    @cached_property
    def _text(self) -> str:
        return f'"services": {{{_lines(self.services)}}},\n"datasets": {{{_lines(self.datasets)}}}'

    @property
    def sha(self) -> str:
        """Sixteen hexadecimal digits that name this content."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]


def _lines(values: Mapping[str, Any]) -> str:
    """Named dataclasses as JSON."""
    return ",".join(
        f"\n{json.dumps(name)}: {json.dumps(value, default=vars, ensure_ascii=False)}" for name, value in values.items()
    )


def read_manifest(file: Path) -> Manifest:
    """Read a manifest written by ``Manifest.to_json``. Raises DapflowError ``manifest``."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DapflowError("manifest", "the manifest is missing", file=file, hint="run dapflow compile") from None
    except json.JSONDecodeError as error:
        raise DapflowError(
            "manifest", f"the manifest is not JSON: {error.msg}", file=file, line=error.lineno
        ) from error
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != SCHEMA:
        raise DapflowError(
            "manifest",
            f"the manifest has schema {schema}, this dapflow reads {SCHEMA}",
            file=file,
            hint="compile with the same release of dapflow that runs it",
        )
    try:
        services = {name: _service(value) for name, value in data["services"].items()}
        datasets = {name: _dataset(value) for name, value in data["datasets"].items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise DapflowError("manifest", f"the manifest is not one that dapflow wrote: {error}", file=file) from error
    deferred, base = frozenset(data.get("deferred", ())), str(data.get("base", ""))
    return Manifest(services=services, datasets=datasets, deferred=deferred, base=base)


def _service(data: dict[str, Any]) -> Service:
    grants = {reader: tuple(given) for reader, given in data["grants"].items()}
    return Service(**{**data, "datasets": tuple(data["datasets"]), "reads": tuple(data["reads"]), "grants": grants})


def _dataset(data: dict[str, Any]) -> Dataset:
    generation = GenerationColumns(data["generation"]["prefix"], tuple(data["generation"]["extra"]))
    columns = data["columns"] and tuple(Column(**column) for column in data["columns"])
    return Dataset(
        **{
            **data,
            "generation": generation,
            "columns": columns,
            "source": data["source"] and _source(data["source"]),
            "transform": data["transform"] and _transform(data["transform"]),
            "depends_on": tuple(data["depends_on"]),
            "checks": tuple(_check(check) for check in data["checks"]),
            "personal": tuple(data["personal"]),
        }
    )


def _check(data: dict[str, Any]) -> Check:
    references = tuple(Reference(**reference) for reference in data["references"])
    return Check(
        **{**data, "columns": tuple(data["columns"]), "values": tuple(data["values"]), "references": references}
    )


def _source(data: dict[str, Any]) -> LandingSource:
    columns = data["columns"] and tuple(SourceColumn(**column) for column in data["columns"])
    return LandingSource(**{**data, "columns": columns, "null": tuple(data["null"])})


def _transform(data: dict[str, Any]) -> Transform:
    return Transform(
        **{
            **data,
            "references": tuple(Reference(**reference) for reference in data["references"]),
            "columns": data["columns"] and tuple(data["columns"]),
            "tags": tuple(data["tags"]),
            "slower_inputs": tuple(data["slower_inputs"]),
            "unsteady": None if (unsteady := data.get("unsteady")) is None else tuple(unsteady),
        }
    )
