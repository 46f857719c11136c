"""What an environment consists of: buckets, databases, workgroups and roles, described once.

The CDK stacks are built from this description, and `environment.json`, which tells the run time of them, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dapflow.environment import Environment, ServiceEnvironment
from dapflow.errors import DapflowError
from dapflow.manifest import Manifest, Service

BUCKET_ZONES = ("landing", "raw", "refined", "trusted")
ZONES_WITH_BUCKETS = (*BUCKET_ZONES, "athena-results")

# What AWS takes at most.
MAX_BUCKET_NAME, MAX_ROLE_NAME, MAX_WORKGROUP_NAME = 63, 64, 128


@dataclass(frozen=True)
class Bucket:
    """An S3 bucket; ``zone`` is landing, raw, refined, trusted or athena-results."""

    name: str
    zone: str


@dataclass(frozen=True)
class Database:
    """A Glue database of one service and zone; ``location`` is the S3 URI of its tables."""

    name: str
    service: str
    zone: str
    location: str


@dataclass(frozen=True)
class WorkGroup:
    """An Athena workgroup with enforced settings. ``output_location`` ends in ``/``; the cutoff is in bytes."""

    name: str
    service: str
    output_location: str
    bytes_scanned_cutoff: int


@dataclass(frozen=True)
class Role:
    """The runner role of a service, that only the Airflow environment may assume.

    ``path`` is its IAM path: the Airflow environment may assume the roles below the path of its own environment.
    """

    name: str
    arn: str
    service: str
    path: str = "/"


@dataclass(frozen=True)
class Platform:
    """The names of what is provisioned for one environment, and the ``environment.json`` that names it at run time."""

    buckets: tuple[Bucket, ...]
    databases: tuple[Database, ...]
    workgroups: tuple[WorkGroup, ...]
    roles: tuple[Role, ...]
    environment: Environment


def describe(
    manifest: Manifest,
    *,
    name: str,
    account: str,
    region: str,
    prefix: str = "dapflow",
    poll_seconds: float = 5.0,
    deferrable: bool = True,
    adopted_buckets: Mapping[str, str] | None = None,
    database_prefix: str = "",
) -> Platform:
    """Describe the environment ``name`` of a project.

    ``adopted_buckets`` are those of an existing lake, by zone. ``database_prefix`` tells its databases from those of
    another environment: Glue has one catalog for an account and region. A name that service.yml gives a database in
    this environment is taken as it is.
    """
    stem = f"{prefix}-{name}"
    adopted = adopted_buckets or {}

    def physical(service: Service, zone: str) -> str:
        own = service.environment_databases.get(zone, {}).get(name)
        return own or f"{database_prefix}{service.databases[zone]}"

    buckets = tuple(Bucket(adopted.get(zone) or bucket_name(stem, zone, account), zone) for zone in ZONES_WITH_BUCKETS)
    uri = {bucket.zone: f"s3://{bucket.name}/" for bucket in buckets}
    services = tuple(manifest.services.values())
    roles = tuple(_role(service, stem, account, f"/{prefix}/{name}/runner/") for service in services)
    return Platform(
        buckets=buckets,
        databases=tuple(
            Database(physical(service, zone), service.name, zone, f"{uri[zone]}{service.name}/")
            for service in services
            for zone in service.databases
        ),
        workgroups=tuple(
            WorkGroup(
                _workgroup(service, stem),
                service.name,
                f"{uri['athena-results']}{service.name}/",
                service.bytes_scanned_cutoff,
            )
            for service in services
        ),
        roles=roles,
        environment=Environment(
            name=name,
            region=region,
            account=account,
            zones={zone: uri[zone] for zone in BUCKET_ZONES},
            databases={
                database: physical(service, zone)
                for service in services
                for zone, database in service.databases.items()
            },
            services={
                service.name: ServiceEnvironment(
                    workgroup=_workgroup(service, stem),
                    connection=f"dapflow_{service.name}",
                    pool=f"dapflow_{service.name}",
                    role_arn=role.arn,
                )
                for service, role in zip(services, roles, strict=True)
            },
            poll_seconds=poll_seconds,
            deferrable=deferrable,
        ),
    )


def describe_branch(
    manifest: Manifest, *, branch: str, host: Environment, raw: Environment, bucket: str, prefix: str = "dapflow"
) -> Platform:
    """Describe the throw-away environment of a git branch.

    It runs on the Airflow environment of ``host``, reads the raw zone of ``raw``, and writes its refined and trusted
    zones below a prefix of its own in ``bucket``. It has no buckets of its own.
    """
    slug = branch_slug(branch)
    services = tuple(manifest.services.values())
    stem = f"{prefix}-{host.name}-{slug}"
    own = {zone: f"s3://{bucket}/{slug}/{zone}/" for zone in ("refined", "trusted")}
    results = f"s3://{bucket}/{slug}/athena-results/"
    databases = tuple(
        Database(f"{slug.replace('-', '_')}__{database}", service.name, zone, f"{own[zone]}{service.name}/")
        for service in services
        for zone, database in service.databases.items()
        if zone in own
    )
    external = {each.database for each in manifest.datasets.values() if each.external}
    logical = [database for service in services for zone, database in service.databases.items() if zone in own]
    roles = tuple(_role(service, stem, host.account, f"/{prefix}/{host.name}/branch/{slug}/") for service in services)
    return Platform(
        buckets=(),
        databases=databases,
        workgroups=tuple(
            WorkGroup(
                _workgroup(service, stem), service.name, f"{results}{service.name}/", service.bytes_scanned_cutoff
            )
            for service in services
        ),
        roles=roles,
        environment=Environment(
            name=slug,
            region=host.region,
            account=host.account,
            zones={"landing": raw.zones["landing"], "raw": raw.zones["raw"], **own},
            databases={
                **{
                    service.databases["raw"]: raw.databases.get(service.databases["raw"], service.databases["raw"])
                    for service in services
                    if "raw" in service.databases
                },
                **{name: database.name for name, database in zip(logical, databases, strict=True)},
            },
            services={
                service.name: ServiceEnvironment(
                    workgroup=_workgroup(service, stem),
                    connection=f"dapflow_{slug.replace('-', '_')}_{service.name}",
                    pool=f"dapflow_{service.name}",
                    role_arn=role.arn,
                )
                for service, role in zip(services, roles, strict=True)
            },
            poll_seconds=host.poll_seconds,
            deferrable=host.deferrable,
            branch=slug,
            scheduled=host.scheduled,
            external_databases={
                database: raw.databases.get(database, database)
                for service in services
                for database in service.databases.values()
                if database in external
            },
        ),
    )


def bucket_name(stem: str, purpose: str, account: str) -> str:
    """A bucket of an environment. The account is in the name, because names of buckets are global in AWS."""
    return limited(f"{stem}-{purpose}-{account}", MAX_BUCKET_NAME)


def branch_slug(branch: str) -> str:
    """A name for the environment of a git branch: readable, at most 23 of ``[a-z0-9-]``, and one per branch.

    The hash is always there: `Fix/x` and `fix-x` are two branches. Raises DapflowError ``branch-name`` for no name.
    """
    if not branch.strip():
        raise DapflowError(
            "branch-name", "the branch has no name", hint="git branch --show-current prints the one you stand on"
        )
    readable = re.sub(r"[^a-z0-9]+", "-", branch.lower()).strip("-")[:16].strip("-") or "branch"
    readable = readable if readable[0].isalpha() else f"b{readable}"[:16]
    return f"{readable}-{hashlib.sha256(branch.encode(errors='surrogatepass')).hexdigest()[:6]}"


def limited(name: str, limit: int) -> str:
    """The name, shortened to ``limit`` characters where it is longer; a hash keeps shortened names apart."""
    if len(name) <= limit:
        return name
    return f"{name[: limit - 9].rstrip('-_')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _workgroup(service: Service, stem: str) -> str:
    return limited(f"{stem}-{service.name}", MAX_WORKGROUP_NAME)


def _role(service: Service, stem: str, account: str, path: str) -> Role:
    # The end says what the role is for, so the middle is shortened.
    name = f"{limited(f'{stem}-{service.name}', MAX_ROLE_NAME - len('-runner'))}-runner"
    return Role(name, f"arn:aws:iam::{account}:role{path}{name}", service.name, path)
