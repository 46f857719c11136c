"""What each service may touch in an environment: its own data, and what other services granted it by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dapflow.environment import Environment
from dapflow.errors import DapflowError, DapflowErrors
from dapflow.manifest import Dataset, Manifest, Service
from dapflow.platform import Platform

T = TypeVar("T")


@dataclass(frozen=True)
class Area:
    """A prefix of a bucket; ``prefix`` ends in ``/``. ``zone`` tells whose key encrypts it."""

    zone: str
    bucket: str
    prefix: str


@dataclass(frozen=True)
class Catalog:
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
    """

    service: str
    account: str
    region: str
    workgroup: str
    results: Area
    writes: tuple[Area, ...]
    reads: tuple[Area, ...]
    owns: tuple[Catalog, ...]
    may_read: tuple[Catalog, ...]
    secrets: str

    @property
    def areas(self) -> tuple[Area, ...]:
        """Every area, the results included."""
        return (*self.writes, *self.reads, self.results)


def service_access(manifest: Manifest, service: Service, platform: Platform, *, secrets: str) -> Access:
    """What a service may touch. In a branch environment its raw zone is another environment's, and only read."""
    environment = platform.environment
    owned = {database.name for database in platform.databases}
    writes: list[Area] = []
    reads: list[Area] = [_area(environment, "landing", f"{service.name}/")]
    owns: list[Catalog] = []
    may_read: list[Catalog] = []
    for zone, logical in service.databases.items():
        physical = environment.databases[logical]
        mine = physical in owned
        (owns if mine else may_read).append(Catalog(physical))
        (writes if mine else reads).append(_area(environment, zone, f"{service.name}/"))
    for grant in service.reads:
        owner, zone, *rest = grant.split(".")
        if rest:
            dataset = manifest.dataset(grant)
            may_read.append(Catalog(environment.databases[dataset.database], (dataset.history, dataset.current)))
            reads.append(_area(environment, zone, f"{owner}/{dataset.name}/"))
        else:
            # A whole zone: a product that is added to it later needs no new permission.
            may_read.append(Catalog(environment.databases[manifest.services[owner].databases[zone]]))
            reads.append(_area(environment, zone, f"{owner}/"))
    workgroup = next(each for each in platform.workgroups if each.service == service.name)
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
    )


def check_grants(manifest: Manifest, root: Path) -> None:
    """Every grant names something, and every read of another service's data is granted. Raises DapflowErrors."""
    errors: list[DapflowError] = []
    for service in manifest.services.values():
        for grant in service.reads:
            if grant not in manifest.datasets and grant not in _zones(manifest):
                errors.append(_unknown_grant(manifest, service, grant, root))
        granted = set(service.reads)
        for dataset_id in service.datasets:
            dataset = manifest.datasets[dataset_id]
            for needed in dataset.depends_on:
                other = manifest.datasets[needed]
                if other.service != service.name and not granted & {needed, f"{other.service}.{other.zone}"}:
                    errors.append(_ungranted(dataset, other))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise DapflowErrors(errors)


def _zones(manifest: Manifest) -> set[str]:
    """Every ``<service>.<zone>``, those that hold nothing yet too."""
    return {f"{service.name}.{zone}" for service in manifest.services.values() for zone in service.databases}


def _unknown_grant(manifest: Manifest, service: Service, grant: str, root: Path) -> DapflowError:
    file = f"transforms/{service.name}/service.yml"
    line = column = source = None
    path = root / file
    if path.is_file():
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if grant in text:
                line, column, source = number, text.index(grant) + 1, text
                break
    known = sorted(zone for zone in _zones(manifest) if not zone.startswith(f"{service.name}."))
    return DapflowError(
        "unknown-grant",
        f"reads: {grant} names no dataset",
        file=file,
        line=line,
        column=column,
        source=source,
        hint=f"a grant is <service>.<zone> or <service>.<zone>.<dataset>; there are {', '.join(known)}",
    )


def _ungranted(dataset: Dataset, other: Dataset) -> DapflowError:
    file = dataset.transform.file if dataset.transform else f"transforms/{dataset.service}/service.yml"
    return DapflowError(
        "not-granted",
        f"{dataset.id} reads {other.id}, which {dataset.service} is not granted",
        file=file,
        hint=f"add `reads: [{other.id}]` to transforms/{dataset.service}/service.yml, reviewed by {other.service}",
    )


def _area(environment: Environment, zone: str, below: str) -> Area:
    return _split(zone, environment.zones[zone] + below)


def _split(zone: str, uri: str) -> Area:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return Area(zone, bucket, prefix)


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _merged(catalogs: Iterable[Catalog]) -> tuple[Catalog, ...]:
    """One entry per database."""
    tables: dict[str, list[str]] = {}
    whole = set()
    for catalog in catalogs:
        tables.setdefault(catalog.database, []).extend(catalog.tables)
        if not catalog.tables:
            whole.add(catalog.database)
    return tuple(Catalog(database, () if database in whole else _unique(names)) for database, names in tables.items())
