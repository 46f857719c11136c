"""What each service may touch in an environment: its own data, and what other services granted it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from dapflow.branch import OFFERS, OWN_ZONES
from dapflow.environment import Environment, LakeNames
from dapflow.manifest import Manifest, Service
from dapflow.platform import Platform
from dapflow.project.grants import granted_reads

T = TypeVar("T")
# Before the zones of the environment that a branch reads, which the branch has too.
BASE = "base "
BASE_RESULTS = f"{BASE}athena-results"
# What branches have written, whose key is that of the results of their host.
BRANCHES = "branches"


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
        offers: where a branch notes what it has published; takes: what branches have published of the service, where it
            is taken over. Both are for the run time, and not for people.
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
    offers: tuple[Area, ...] = ()
    takes: tuple[Area, ...] = ()

    @property
    def areas(self) -> tuple[Area, ...]:
        """Every area that its people may read too, the results included."""
        return (*self.writes, *self.reads, self.results)


def service_access(manifest: Manifest, service: Service, platform: Platform, *, secrets: str) -> Access:
    """What a service may touch. What a branch environment does not publish is its base's, and only read."""
    environment, base = platform.environment, platform.environment.base
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
        if mine and base is not None:
            may_read.append(ReadableDatabase(base.databases[logical]))
            reads.append(_area(base, zone, f"{service.name}/"))
        if zone == "raw" and mine:
            # Who owns the raw zone ingests it.
            reads.append(_area(environment, "landing", f"{service.name}/"))
    homes: tuple[Environment | LakeNames, ...] = (environment,) if base is None else (environment, base)
    for grant in granted_reads(manifest, service):
        owner, zone, *rest = grant.split(".")
        for names in homes:
            if rest:
                dataset = manifest.dataset(grant)
                tables = (dataset.history, dataset.current)
                may_read.append(ReadableDatabase(names.databases[dataset.database], tables))
                reads.append(_area(names, zone, f"{owner}/{dataset.name}/"))
            else:
                # A whole zone: a product that is added to it later needs no new permission.
                may_read.append(ReadableDatabase(names.databases[manifest.services[owner].databases[zone]]))
                reads.append(_area(names, zone, f"{owner}/"))
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
        offers=(_split("athena-results", f"{environment.offers}{service.name}/"),) if environment.offers else (),
        takes=tuple(
            # Every branch's, by whatever slug.
            _split(BRANCHES, f"{environment.takes_from}*/{kind}/{service.name}/")
            for kind in (OFFERS, *OWN_ZONES)
            if environment.takes_from
        ),
    )


def _area(names: Environment | LakeNames, zone: str, below: str) -> Area:
    # A branch's own zones are encrypted by another key than those that it reads.
    of_base = isinstance(names, LakeNames) and zone in OWN_ZONES
    return _split(f"{BASE}{zone}" if of_base else zone, names.zones[zone] + below)


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
