"""What each service may touch in an environment: its own data, and what other services granted it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from dapflow.environment import Environment
from dapflow.manifest import Manifest, Service
from dapflow.platform import Platform
from dapflow.project.grants import granted_reads

T = TypeVar("T")


@dataclass(frozen=True)
class Area:
    """A prefix of a bucket; ``prefix`` ends in ``/``. ``zone`` tells whose key encrypts it."""

    zone: str
    bucket: str
    prefix: str


@dataclass(frozen=True)
class ReadableDatabase:
    """A Glue database, and the tables of it that may be read: all of them when ``tables`` is empty."""

    database: str
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Access:
    """What one service's roles are given.

    Attributes:
        writes, reads: areas of the lake, apart from the results of its queries.
        results: where its workgroup puts results.
        owns, may_read: Glue databases.
        secrets: prefix of the names of its secrets.
        alerts: ARN of the topic that tells its people; empty where nobody is told.
    """

    service: str
    account: str
    region: str
    workgroup: str
    results: Area
    writes: tuple[Area, ...]
    reads: tuple[Area, ...]
    owns: tuple[ReadableDatabase, ...]
    may_read: tuple[ReadableDatabase, ...]
    secrets: str
    alerts: str = ""

    @property
    def areas(self) -> tuple[Area, ...]:
        """Every area, the results included."""
        return (*self.writes, *self.reads, self.results)


def service_access(manifest: Manifest, service: Service, platform: Platform, *, secrets: str) -> Access:
    """What a service may touch. In a branch environment its raw zone is another environment's, and only read."""
    environment = platform.environment
    owned = {database.name for database in platform.databases}
    writes: list[Area] = []
    reads: list[Area] = []
    owns: list[ReadableDatabase] = []
    may_read: list[ReadableDatabase] = []
    for zone, logical in service.databases.items():
        physical = environment.databases[logical]
        mine = physical in owned
        (owns if mine else may_read).append(ReadableDatabase(physical))
        (writes if mine else reads).append(_area(environment, zone, f"{service.name}/"))
        if zone == "raw" and mine:
            # Who owns the raw zone ingests it.
            reads.append(_area(environment, "landing", f"{service.name}/"))
    for grant in granted_reads(manifest, service):
        owner, zone, *rest = grant.split(".")
        if rest:
            dataset = manifest.dataset(grant)
            may_read.append(
                ReadableDatabase(environment.databases[dataset.database], (dataset.history, dataset.current))
            )
            reads.append(_area(environment, zone, f"{owner}/{dataset.name}/"))
        else:
            # A whole zone: a product that is added to it later needs no new permission.
            may_read.append(ReadableDatabase(environment.databases[manifest.services[owner].databases[zone]]))
            reads.append(_area(environment, zone, f"{owner}/"))
    workgroup = next(group for group in platform.workgroups if group.service == service.name)
    return Access(
        service=service.name,
        account=environment.account,
        region=environment.region,
        workgroup=workgroup.name,
        results=_split("athena-results", workgroup.output_location),
        writes=tuple(writes),
        reads=_unique(reads),
        owns=_unique(owns),
        may_read=_merged(may_read),
        secrets=secrets,
        alerts=environment.services[service.name].alerts,
    )


def _area(environment: Environment, zone: str, below: str) -> Area:
    return _split(zone, environment.zones[zone] + below)


def _split(zone: str, uri: str) -> Area:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return Area(zone, bucket, prefix)


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _merged(catalogs: Iterable[ReadableDatabase]) -> tuple[ReadableDatabase, ...]:
    """One entry per database."""
    tables: dict[str, list[str]] = {}
    whole = set()
    for catalog in catalogs:
        tables.setdefault(catalog.database, []).extend(catalog.tables)
        if not catalog.tables:
            whole.add(catalog.database)
    return tuple(
        ReadableDatabase(database, () if database in whole else _unique(names)) for database, names in tables.items()
    )
