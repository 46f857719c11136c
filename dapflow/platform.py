"""What an environment consists of: buckets, databases, workgroups and roles, described once.

The CDK stacks are built from this description, and `environment.json`, which tells the run time of them, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dapflow.branch import OWN_ZONES, BranchNames, branch_environment, limited
from dapflow.environment import Branches, Environment, LakeNames, ServiceEnvironment
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
class RecordTable:
    """Where the table over the records of all runs is (``dapflow.record_table``), and what it reads."""

    database: str
    buckets: tuple[str, ...]
    services: tuple[str, ...]


@dataclass(frozen=True)
class Platform:
    """The names of what is provisioned for one environment, and the ``environment.json`` that names it at run time.

    ``records`` is None for a branch: it has no table over its records, which go with it.
    """

    buckets: tuple[Bucket, ...]
    databases: tuple[Database, ...]
    workgroups: tuple[WorkGroup, ...]
    roles: tuple[Role, ...]
    environment: Environment
    records: RecordTable | None = None


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
    retention_seconds: int = Environment.retention_seconds,
    alerts: bool = False,
) -> Platform:
    """Describe the environment ``name`` of a project.

    ``adopted_buckets`` are those of an existing lake, by zone. ``database_prefix`` tells its databases from those of
    another environment: Glue has one catalog for an account and region. A name that service.yml gives a database in
    this environment is taken as it is. ``alerts``: whether each service has a topic that tells its people.
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
        records=RecordTable(
            database=stem.replace("-", "_"),
            buckets=tuple(bucket.name for bucket in buckets if bucket.zone in ("raw", "refined", "trusted")),
            services=tuple(service.name for service in services),
        ),
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
                    alerts=topic_arn(_workgroup(service, stem), account, region) if alerts else "",
                )
                for service, role in zip(services, roles, strict=True)
            },
            poll_seconds=poll_seconds,
            deferrable=deferrable,
            retention_seconds=retention_seconds,
            airflow=stem,
        ),
    )


def hosting(
    platform: Platform, base: Environment, *, prefix: str = "dapflow", runner: bool = False, expires_days: int = 0
) -> Platform:
    """The same environment as the host of branch environments, which read the data of ``base``.

    ``runner``: ``dapflow branch run`` builds them, and not its Airflow. ``expires_days``: after which it deletes one
    that nobody deployed again; on the embedded platform each has a day of its own.
    """
    host = platform.environment
    branches = Branches(
        stem=f"{prefix}-branch",
        bucket=branch_bucket(host, prefix=prefix),
        role_path=f"/{prefix}/{host.name}/branch/",
        base=LakeNames(base.zones, base.databases),
        bundle=bundle_uri(host),
        base_bundle=bundle_uri(base),
        run_role=f"arn:aws:iam::{host.account}:role/{prefix}-branch-run" if runner else "",
        expires_days=expires_days,
    )
    return replace(platform, environment=replace(host, branches=branches))


def bundle_uri(environment: Environment) -> str:
    """Where a deployed environment has its bundle; ends in ``/``."""
    return f"s3://{bucket_name(environment.airflow, 'airflow', environment.account)}/dags/"


def taking_over(platform: Platform, host: Environment, *, prefix: str = "dapflow") -> Platform:
    """The same environment, which takes over what branches that ``host`` hosts have published."""
    takes_from = f"s3://{branch_bucket(host, prefix=prefix)}/"
    return replace(platform, environment=replace(platform.environment, takes_from=takes_from))


def branch_bucket(host: Environment, *, prefix: str) -> str:
    """The bucket in which the branches of a host write, each below its slug."""
    return bucket_name(f"{prefix}-{host.name}", "branches", host.account)


def describe_branch(manifest: Manifest, names: BranchNames, host: Environment, *, dedicated: bool = False) -> Platform:
    """Describe the throw-away environment of a git branch: no buckets, and roles only on an Airflow of its own.

    Otherwise its queries run with roles of the host, one for each service, which serve every branch.
    """
    environment = branch_environment(manifest, names, host, dedicated=dedicated)
    assert host.branches is not None  # noqa: S101 - branch_environment has refused a host without
    services = manifest.services.values()
    results = f"s3://{host.branches.bucket}/{names.slug}/athena-results/"
    path = f"{host.branches.role_path}{names.slug}/"
    return Platform(
        buckets=(),
        databases=tuple(
            Database(environment.databases[database], service.name, zone, f"{environment.zones[zone]}{service.name}/")
            for service in services
            for zone, database in service.databases.items()
            if zone in OWN_ZONES
        ),
        workgroups=tuple(
            WorkGroup(
                environment.services[service.name].workgroup,
                service.name,
                f"{results}{service.name}/",
                service.bytes_scanned_cutoff,
            )
            for service in services
        ),
        roles=tuple(
            Role(arn.rsplit("/", 1)[1], arn, service.name, path)
            for service in services
            for arn in [environment.services[service.name].role_arn]
            if dedicated
        ),
        environment=environment,
    )


def topic_arn(whose: str, account: str, region: str) -> str:
    """The SNS topic of a service's alerts, by its workgroup, or of a platform's, by its stem."""
    return f"arn:aws:sns:{region}:{account}:{topic_name(whose)}"


def topic_name(whose: str) -> str:
    """The same by its name alone."""
    return f"{whose}-alerts"


def bucket_name(stem: str, purpose: str, account: str) -> str:
    """A bucket of an environment. The account is in the name, because names of buckets are global in AWS."""
    return limited(f"{stem}-{purpose}-{account}", MAX_BUCKET_NAME)


def _workgroup(service: Service, stem: str) -> str:
    return limited(f"{stem}-{service.name}", MAX_WORKGROUP_NAME)


def _role(service: Service, stem: str, account: str, path: str) -> Role:
    # The end says what the role is for, so the middle is shortened.
    name = f"{limited(f'{stem}-{service.name}', MAX_ROLE_NAME - len('-runner'))}-runner"
    return Role(name, f"arn:aws:iam::{account}:role{path}{name}", service.name, path)
