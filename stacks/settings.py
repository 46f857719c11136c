"""The settings of an environment, as they stand in the context of ``cdk.json``."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import boto3

from dapflow.errors import DapflowError
from dapflow.platform import ZONES_WITH_BUCKETS
from stacks.settings_file import SettingsFile

ENVIRONMENTS = ("context", "environments")
# Retention periods that CloudWatch Logs takes.
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_ACCOUNT_HINT = {"hint": "the twelve digits of the AWS account, as text; `aws sts get-caller-identity` prints them"}


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
    """The MWAA environment."""

    version: Literal["2.10.3", "2.11.2", "3.0.6", "3.2.1", "3.3.1"] = "3.2.1"
    environment_class: Literal["mw1.micro", "mw1.small", "mw1.medium", "mw1.large", "mw1.xlarge", "mw1.2xlarge"] = (
        "mw1.small"
    )
    min_workers: int = 1
    max_workers: int = 5
    schedulers: int | None = None
    web_server: Literal["private", "public"] = "private"
    log_level: Literal["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"] = "INFO"
    maintenance: str = "SUN:03:00"


@dataclass(frozen=True)
class RetentionSettings:
    """For how many days things are kept. No days of old versions: the lake keeps none, as on one machine."""

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
    chat: bool = False
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
        database_prefix: what names of Glue databases begin with, where another environment is in the same account.
        services: those that have data here. One of them without a folder is an error, not a forgotten stack.
    """

    account: str = field(metadata=_ACCOUNT_HINT)
    region: str = field(metadata={"hint": "such as eu-west-2"})
    live: bool = False
    allow_destroy: bool = False
    availability_zones: tuple[str, ...] = ()
    qualifier: str = "hnb659fds"
    database_prefix: str = ""
    services: tuple[str, ...] = ()
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
    """Branch environments: which environment hosts them, and whose raw zone they read."""

    host: str
    raw_from: str
    expires_days: int = 14
    network: NetworkSettings | None = None
    airflow: AirflowSettings | None = None


@dataclass(frozen=True)
class Settings:
    """All of ``cdk.json`` that is ours.

    ``embedded`` says that it is for the embedded platform, whose Airflow no stack describes.
    """

    file: str
    platform: PlatformSettings
    environments: dict[str, EnvironmentSettings]
    branch: BranchSettings | None
    default_environment: str | None
    embedded: bool = False

    def environment(self, name: str) -> EnvironmentSettings:
        """The environment of this name. Raises DapflowError ``unknown-environment``."""
        if name not in self.environments:
            near = difflib.get_close_matches(name, self.environments, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.environments)}"
            if name == "branch":
                hint = "a branch environment is chosen by -c branch=<git branch>"
            raise DapflowError(
                "unknown-environment",
                f"{'.'.join(ENVIRONMENTS)} has no environment {name}",
                file=self.file,
                hint=hint,
            )
        return self.environments[name]

    def branches(self) -> BranchSettings:
        """The settings of branch environments. Raises DapflowError ``settings`` when there are none."""
        if self.branch is None:
            raise DapflowError(
                "settings",
                f"{'.'.join(ENVIRONMENTS)}.branch is missing: it says which environment hosts branches",
                file=self.file,
            )
        return self.branch

    def embedded_as(self, name: str) -> Settings:
        """The settings of the embedded platform: its one environment hosts branches, and they read its raw zone."""
        branch = replace(self.branch or BranchSettings(name, name), host=name, raw_from=name)
        return replace(self, branch=branch, embedded=True)


def read_settings(file: Path) -> Settings:
    """Read and check ``cdk.json``. Raises DapflowError ``settings`` with the path of each wrong setting."""
    source = SettingsFile(file)
    platform = source.read(PlatformSettings, ("context", "platform"))
    if platform is not None:
        _check_platform(source, platform)
    environments: dict[str, EnvironmentSettings] = {}
    branch = None
    listed = source.at(ENVIRONMENTS)
    if not isinstance(listed, Mapping) or not listed:
        source.error(ENVIRONMENTS, "must name at least one environment")
        listed = {}
    for name in listed:
        path = (*ENVIRONMENTS, name)
        if name == "branch":
            branch = source.read(BranchSettings, path)
            continue
        if not re.fullmatch(r"[a-z][a-z0-9]{0,11}", name):
            # A hyphen would make `prod-eu` look like a part of `prod` to a pattern in an IAM policy.
            source.error(path, "an environment's name has at most 12 lower-case letters and digits")
        settings = source.read(EnvironmentSettings, path)
        if settings is not None:
            _check_environment(source, path, settings)
            environments[name] = _with_zones(settings)
    if branch is not None:
        _check_branch(source, branch, environments)
    _check_catalogs(source, environments)
    source.finish()
    return Settings(
        file.name, platform or PlatformSettings(), environments, branch, source.at(("context", "environment"))
    )


def _with_zones(settings: EnvironmentSettings) -> EnvironmentSettings:
    zones = settings.availability_zones or (f"{settings.region}a", f"{settings.region}b")
    return replace(settings, availability_zones=zones)


def _check_platform(source: SettingsFile, platform: PlatformSettings) -> None:
    path = ("context", "platform")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", platform.name) or platform.name.endswith("-"):
        source.error(
            (*path, "name"), "must be at most 16 lower-case letters, digits and hyphens: it begins bucket names"
        )
    if platform.repository is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", platform.repository):
        source.error((*path, "repository"), "must be owner/name of a GitHub repository")


def _check_environment(source: SettingsFile, path: tuple[str, ...], settings: EnvironmentSettings) -> None:
    if not re.fullmatch(r"\d{12}", settings.account):
        source.error((*path, "account"), "must be twelve digits", _ACCOUNT_HINT["hint"])
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", settings.region):
        source.error((*path, "region"), f"{settings.region} is not a region's name", "such as eu-west-2")
    elif settings.airflow is not None:
        _check_mwaa_region(source, (*path, "region"), settings.region)
    if settings.availability_zones and len(set(settings.availability_zones)) != 2:
        source.error((*path, "availability_zones"), "MWAA takes two subnets in two different zones")
    if not re.fullmatch(r"[a-z0-9]{1,10}", settings.qualifier):
        source.error((*path, "qualifier"), "must be at most 10 lower-case letters and digits")
    if not re.fullmatch(r"([a-z][a-z0-9_]{0,19})?", settings.database_prefix):
        source.error((*path, "database_prefix"), "must be at most 20 lower-case letters, digits and underscores")
    _check_orchestration(source, path, settings.network, settings.airflow)
    _check_retention(source, path, settings)
    _check_adoption(source, path, settings.adopt)


def _check_catalogs(source: SettingsFile, environments: dict[str, EnvironmentSettings]) -> None:
    """Two environments in one Glue catalog need names of their own for their databases."""
    seen: dict[tuple[str, str, str], str] = {}
    for name, settings in environments.items():
        catalog = (settings.account, settings.region, settings.database_prefix)
        if catalog in seen:
            source.error(
                (*ENVIRONMENTS, name, "database_prefix"),
                f"{name} and {seen[catalog]} would have the same Glue databases: they share account and region",
                f'such as "{name}__"; or give each an account of its own',
            )
        seen[catalog] = name


def _check_retention(source: SettingsFile, path: tuple[str, ...], settings: EnvironmentSettings) -> None:
    retention = settings.retention
    if retention.logs_days not in LOG_DAYS:
        source.error(
            (*path, "retention", "logs_days"),
            "CloudWatch Logs does not take this number of days",
            f"it takes {', '.join(map(str, LOG_DAYS))}",
        )
    for name, days in vars(retention).items():
        if days < 1 and (settings.live or name != "old_versions_days"):
            source.error((*path, "retention", name), "must be at least one day")


def _check_adoption(source: SettingsFile, path: tuple[str, ...], adopt: AdoptSettings) -> None:
    for kind in ("buckets", "keys"):
        for zone in getattr(adopt, kind):
            if zone not in ZONES_WITH_BUCKETS:
                source.error(
                    (*path, "adopt", kind, zone), "there is no such zone", f"zones: {', '.join(ZONES_WITH_BUCKETS)}"
                )
    for zone in adopt.buckets:
        if zone not in adopt.keys:
            source.error(
                (*path, "adopt", "buckets", zone),
                "an adopted bucket needs the key that encrypts it",
                f"name its ARN in {'.'.join((*path, 'adopt', 'keys', zone))}",
            )


def _check_mwaa_region(source: SettingsFile, path: tuple[str, ...], region: str) -> None:
    # botocore carries AWS's own list of where each service is offered.
    offered = boto3.Session().get_available_regions("mwaa")
    if region not in offered:
        source.error(path, f"Amazon MWAA is not offered in {region}", f"it is in {', '.join(offered)}")


def _check_orchestration(
    source: SettingsFile, path: tuple[str, ...], network: NetworkSettings | None, airflow: AirflowSettings | None
) -> None:
    if airflow is not None:
        if network is None:
            source.error((*path, "network"), "is missing: MWAA needs a network")
        if not 1 <= airflow.min_workers <= airflow.max_workers <= 25:
            source.error((*path, "airflow", "max_workers"), "must be between min_workers and 25")
        if airflow.environment_class == "mw1.micro" and (airflow.max_workers > 1 or (airflow.schedulers or 1) > 1):
            source.error((*path, "airflow", "environment_class"), "mw1.micro has one scheduler and one worker")
        if not re.fullmatch(r"(MON|TUE|WED|THU|FRI|SAT|SUN):([01]\d|2[0-3]):(00|30)", airflow.maintenance):
            source.error((*path, "airflow", "maintenance"), "must look like SUN:03:00, on the hour or half")
    if network is None:
        return
    if network.kind == "existing":
        if not network.vpc_id:
            source.error((*path, "network", "vpc_id"), "is missing: an existing network is named by its id")
        if len(network.subnet_ids) != 2:
            source.error((*path, "network", "subnet_ids"), "must be two private subnets in two zones")
        return
    try:
        size = ipaddress.IPv4Network(network.cidr).prefixlen
    except ValueError:
        source.error((*path, "network", "cidr"), f"{network.cidr} is not an IPv4 network", "such as 10.80.0.0/20")
    else:
        if not 16 <= size <= 24:
            source.error((*path, "network", "cidr"), "must be between /16 and /24")


def _check_branch(source: SettingsFile, branch: BranchSettings, environments: dict[str, EnvironmentSettings]) -> None:
    path = (*ENVIRONMENTS, "branch")
    for name in ("host", "raw_from"):
        if getattr(branch, name) not in environments:
            source.error((*path, name), f"there is no environment {getattr(branch, name)}")
    if branch.expires_days < 1:
        source.error((*path, "expires_days"), "must be at least one day")
    _check_orchestration(source, path, branch.network, branch.airflow)
    host, raw = environments.get(branch.host), environments.get(branch.raw_from)
    if host is not None and host.live:
        source.error((*path, "host"), f"{branch.host} is live; branches belong beside throw-away data")
    if host and raw and (host.account, host.region) != (raw.account, raw.region):
        source.error(
            (*path, "raw_from"),
            f"{branch.raw_from} is in another account or region than {branch.host}",
            "Glue and KMS are read within one account: let raw_from name an environment beside the host",
        )
