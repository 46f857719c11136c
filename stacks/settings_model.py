"""What may stand in the context of ``cdk.json``: the settings of the platform, its environments and branches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dapflow.environment import Environment
from stacks.recipients import CHAT_HINT

ACCOUNT_HINT = "the twelve digits of the AWS account, as text; `aws sts get-caller-identity` prints them"


@dataclass(frozen=True)
class PlatformSettings:
    """What all environments share. ``repository`` is ``owner/name`` on GitHub; deploy roles trust only it."""

    name: str = "dapflow"
    repository: str | None = None
    owner: str = "data-platform"


@dataclass(frozen=True)
class NetworkSettings:
    """A new VPC that reaches AWS through endpoints, or through NAT gateways, or an existing VPC by its ids."""

    kind: Literal["endpoints", "nat", "existing"] = "endpoints"
    cidr: str = "10.80.0.0/20"
    vpc_id: str | None = None
    subnet_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class AirflowSettings:
    """The MWAA environment. ``web_server_cidrs`` are networks whose people reach a private web server.

    Its releases before 3.2 lack the partitioned assets that carry a generation; 3.2.1 starts some runs twice
    (https://github.com/apache/airflow/issues/68045) and takes a cron tick's day in UTC.
    """

    version: Literal["3.3.1"] = "3.3.1"
    environment_class: Literal["mw1.micro", "mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge"] = (
        "mw1.small"
    )
    min_workers: int = 1
    max_workers: int = 5
    schedulers: int | None = None
    web_server: Literal["private", "public"] = "private"
    web_server_cidrs: tuple[str, ...] = ()
    log_level: Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"] = "INFO"
    maintenance: str = "SUN:03:00"


@dataclass(frozen=True)
class RetentionSettings:
    """For how many days things are kept. No days of old versions: the lake keeps none, as on one machine.

    ``replaced_days``: what a publication took the place of, so that it can be rolled back.
    """

    replaced_days: int = Environment.retention_seconds // (24 * 3600)
    results_days: int = 30
    old_versions_days: int = 30
    incomplete_uploads_days: int = 7
    access_logs_days: int = 90
    logs_days: int = 365


@dataclass(frozen=True)
class BudgetSettings:
    """What each service may spend and scan before someone is told; ``services`` overrides the dollars by service."""

    monthly_usd: float = 100
    scanned_gb_per_day: float = 500
    services: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AlertSettings:
    """Who is told. ``chat`` makes a secret for the webhook of a chat channel, whose value a person then sets."""

    emails: tuple[str, ...] = ()
    chat: bool = field(default=False, metadata={"hint": CHAT_HINT})
    queued_minutes: int = 15
    stale_hours: int = 30


@dataclass(frozen=True)
class AdoptSettings:
    """What is there already and is used instead of being created: buckets and keys by zone, databases by name."""

    buckets: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    databases: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeliverySettings:
    """GitHub Actions. An AWS account has one OIDC provider for GitHub: one environment of it creates, others use it.

    ``subject_has_ref`` says that the repository's OIDC subject was customised to ``repo, context, ref``.
    """

    provider: Literal["create", "existing"] = "create"
    main_branch: str = "main"
    subject_has_ref: bool = False


@dataclass(frozen=True)
class EnvironmentSettings:
    """One environment.

    Attributes:
        live: its data outlives its stacks: buckets, keys and databases are retained, stacks are protected.
        allow_destroy: the first of two keys to destroying live data; the second is ``-c destroy=<environment>``.
        qualifier: of the CDK bootstrap stack to deploy with.
        permissions_boundary: name of a managed policy that bounds every role that is made here.
        database_prefix: what names of Glue databases begin with, where another environment is in the same account.
        services: those that have data here. One of them without a folder is an error, not a forgotten stack.
        take_over: whether what a branch has computed is copied instead of computed again, where it is the same. By
            default where the branches read the environment's data and it hosts them.
    """

    account: str = field(metadata={"hint": ACCOUNT_HINT})
    region: str = field(metadata={"hint": "such as eu-west-2"})
    live: bool = False
    allow_destroy: bool = False
    availability_zones: tuple[str, ...] = ()
    qualifier: str = "hnb659fds"
    permissions_boundary: str | None = None
    database_prefix: str = ""
    services: tuple[str, ...] = ()
    take_over: bool | None = None
    network: NetworkSettings | None = None
    airflow: AirflowSettings | None = None
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    budget: BudgetSettings = field(default_factory=BudgetSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    adopt: AdoptSettings = field(default_factory=AdoptSettings)
    delivery: DeliverySettings | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class BranchSettings:
    """Branch environments: which environment hosts them, whose data they read, and what builds them.

    ``orchestrator``: ``shared`` is the host's Airflow, ``runner`` is ``dapflow branch run``, of a CI job or a person.
    """

    host: str
    data_from: str
    orchestrator: Literal["shared", "runner"] = "shared"
    expires_days: int = 14
    network: NetworkSettings | None = None
    airflow: AirflowSettings | None = None
