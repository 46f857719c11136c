"""What an environment consists of: buckets, databases, workgroups and roles, described once.

The CDK stacks and the embedded platform both provision from this description, so that they cannot differ.
"""

from __future__ import annotations

from dataclasses import dataclass

from dapflow.environment import Environment, ServiceEnvironment
from dapflow.manifest import Manifest, Service

BUCKET_ZONES = ("landing", "raw", "refined", "trusted")


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
    """The runner role of a service, that only the Airflow environment may assume."""

    name: str
    arn: str
    service: str


@dataclass(frozen=True)
class Platform:
    """All that is provisioned for one environment, and the ``environment.json`` that names it at run time."""

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
) -> Platform:
    """Describe the environment ``name`` of a project. Bucket names carry the account: they are global in AWS."""
    stem = f"{prefix}-{name}"
    buckets = tuple(Bucket(f"{stem}-{zone}-{account}", zone) for zone in (*BUCKET_ZONES, "athena-results"))
    uri = {bucket.zone: f"s3://{bucket.name}/" for bucket in buckets}
    services = tuple(manifest.services.values())
    roles = tuple(_role(service, stem, account) for service in services)
    return Platform(
        buckets=buckets,
        databases=tuple(
            Database(database, service.name, zone, f"{uri[zone]}{service.name}/")
            for service in services
            for zone, database in service.databases.items()
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
            databases={database: database for service in services for database in service.databases.values()},
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


def _workgroup(service: Service, stem: str) -> str:
    return f"{stem}-{service.name}"


def _role(service: Service, stem: str, account: str) -> Role:
    name = f"{stem}-{service.name}-runner"
    return Role(name, f"arn:aws:iam::{account}:role/{name}", service.name)
