"""What AWS and the platform take of the settings in ``cdk.json``; every mistake is noted at its place."""

from __future__ import annotations

import functools
import ipaddress
import re

import boto3

from dapflow.environment import LOCAL
from dapflow.platform import ZONES_WITH_BUCKETS
from stacks.recipients import address_problem
from stacks.settings_file import SettingsFile
from stacks.settings_model import (
    ACCOUNT_HINT,
    AdoptSettings,
    AirflowSettings,
    BranchSettings,
    EnvironmentSettings,
    NetworkSettings,
    PlatformSettings,
)

ENVIRONMENTS = ("context", "environments")
# Retention periods that CloudWatch Logs takes.
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
_KEY_ARN = re.compile(r"arn:aws:kms:[a-z0-9-]+:\d{12}:key/[\w-]+")
_KEY_HINT = "such as arn:aws:kms:eu-west-2:111122223333:key/…, not an alias: `aws kms describe-key` prints it"
_TAG = "AWS takes letters, digits, blanks and any of +-=._:/@ in a tag, and 256 of them at most"
# No network of anybody's own is wider: 10.0.0.0/8 is the widest of https://www.rfc-editor.org/rfc/rfc1918#section-3.
_WIDEST_NETWORK = 8
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def check_platform(source: SettingsFile, platform: PlatformSettings) -> None:
    """What all environments share."""
    path = ("context", "platform")
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", platform.name) or platform.name.endswith("-"):
        source.error(
            (*path, "name"), "must be at most 16 lower-case letters, digits and hyphens: it begins bucket names"
        )
    if "branch" in platform.name.split("-")[1:]:
        source.error((*path, "name"), "must have no part -branch: stacks of branches of another platform are called so")
    if platform.repository is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", platform.repository):
        source.error((*path, "repository"), "must be owner/name of a GitHub repository")
    if tag_value(platform.owner) != platform.owner:
        source.error((*path, "owner"), _TAG)


def check_environment(source: SettingsFile, path: tuple[str, ...], settings: EnvironmentSettings) -> None:
    """One environment by itself."""
    if not re.fullmatch(r"\d{12}", settings.account):
        source.error((*path, "account"), "must be twelve digits", ACCOUNT_HINT)
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
    _check_mwaa(source, path, settings.network, settings.airflow)
    _check_retention(source, path, settings)
    _check_limits(source, path, settings)
    _check_emails(source, (*path, "alerts", "emails"), settings.alerts.emails)
    _check_adoption(source, path, settings.adopt)
    for name, value in settings.tags.items():
        if tag_value(value) != value:
            source.error((*path, "tags", name), _TAG)


def check_together(source: SettingsFile, environments: dict[str, EnvironmentSettings]) -> None:
    """What environments of one account and region must not share: live roles to deploy."""
    bootstraps: dict[tuple[str, str, str], str] = {}
    for name, settings in environments.items():
        bootstrap = (settings.account, settings.region, settings.qualifier)
        other = bootstraps.setdefault(bootstrap, name)
        if other != name and (settings.live or environments[other].live):
            source.error(
                (*ENVIRONMENTS, name, "qualifier"),
                f"who may deploy {name} could deploy {other} too: they share one bootstrap of the CDK, and one is live",
                f'such as "{name}"; then bootstrap the account once more with --qualifier {name}',
            )


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


def _check_limits(source: SettingsFile, path: tuple[str, ...], settings: EnvironmentSettings) -> None:
    limits: dict[tuple[str, ...], float] = {
        ("alerts", "queued_minutes"): settings.alerts.queued_minutes,
        ("alerts", "stale_hours"): settings.alerts.stale_hours,
        ("budget", "monthly_usd"): settings.budget.monthly_usd,
        ("budget", "scanned_gb_per_day"): settings.budget.scanned_gb_per_day,
        **{("budget", "services", name): dollars for name, dollars in settings.budget.services.items()},
    }
    for name, value in limits.items():
        if value <= 0:
            source.error((*path, *name), "must be more than 0")


def _check_emails(source: SettingsFile, path: tuple[str, ...], emails: tuple[str, ...]) -> None:
    for number, email in enumerate(emails):
        if problem := address_problem(email):
            source.error((*path, str(number)), *problem)
        elif email in emails[:number]:
            source.error((*path, str(number)), f"{email} is there twice")


def _check_adoption(source: SettingsFile, path: tuple[str, ...], adopt: AdoptSettings) -> None:
    for kind in ("buckets", "keys"):
        for zone in getattr(adopt, kind):
            if zone not in ZONES_WITH_BUCKETS:
                source.error(
                    (*path, "adopt", kind, zone), "there is no such zone", f"zones: {', '.join(ZONES_WITH_BUCKETS)}"
                )
    for zone, key in adopt.keys.items():
        if not _KEY_ARN.fullmatch(key):
            source.error((*path, "adopt", "keys", zone), f"{key} is not the ARN of a key", _KEY_HINT)
    for zone, bucket in adopt.buckets.items():
        if not _BUCKET.fullmatch(bucket):
            source.error((*path, "adopt", "buckets", zone), f"{bucket} is not a bucket's name")
        if zone not in adopt.keys:
            source.error(
                (*path, "adopt", "buckets", zone),
                "an adopted bucket needs the key that encrypts it",
                f"name its ARN in {'.'.join((*path, 'adopt', 'keys', zone))}",
            )


def _check_mwaa(
    source: SettingsFile, path: tuple[str, ...], network: NetworkSettings | None, airflow: AirflowSettings | None
) -> None:
    """The network and the Airflow in it; either may be missing where nothing needs it."""
    if network is not None:
        _check_network(source, (*path, "network"), network)
    if airflow is not None:
        _check_airflow(source, (*path, "airflow"), airflow)
        if network is None:
            source.error((*path, "network"), "is missing: MWAA needs a network")


@functools.cache
def _regions_of_mwaa() -> tuple[str, ...]:
    """botocore carries AWS's own list of where each service is offered, and takes its time to look into it."""
    return tuple(boto3.Session().get_available_regions("mwaa"))


def _check_mwaa_region(source: SettingsFile, path: tuple[str, ...], region: str) -> None:
    offered = _regions_of_mwaa()
    if region not in offered:
        source.error(path, f"Amazon MWAA is not offered in {region}", f"it is in {', '.join(offered)}")


def _check_airflow(source: SettingsFile, path: tuple[str, ...], airflow: AirflowSettings) -> None:
    if not 1 <= airflow.min_workers <= airflow.max_workers <= 25:
        source.error((*path, "max_workers"), "must be between min_workers and 25")
    if airflow.environment_class == "mw1.micro" and (airflow.max_workers > 1 or (airflow.schedulers or 1) > 1):
        source.error((*path, "environment_class"), "mw1.micro has one scheduler and one worker")
    if not re.fullmatch(r"(MON|TUE|WED|THU|FRI|SAT|SUN):([01]\d|2[0-3]):(00|30)", airflow.maintenance):
        source.error((*path, "maintenance"), "must look like SUN:03:00, on the hour or half")
    _check_web_server(source, (*path, "web_server_cidrs"), airflow)


def _check_web_server(source: SettingsFile, path: tuple[str, ...], airflow: AirflowSettings) -> None:
    """Who reaches a private web server: networks behind a VPN or a peering, and not the internet in one line or two."""
    if airflow.web_server_cidrs and airflow.web_server == "public":
        source.error(path, "limits nothing: a public web server is reached from anywhere", "make web_server private")
    seen: set[ipaddress.IPv4Network] = set()
    for number, cidr in enumerate(airflow.web_server_cidrs):
        at = (*path, str(number))
        try:
            network = ipaddress.IPv4Network(cidr, strict=False)
        except ValueError:
            source.error(at, f"{cidr} is not an IPv4 network", "such as 10.20.0.0/16, or 10.20.1.7/32 for one address")
            continue
        if str(network) != cidr:
            # EC2 would store the network's own form, and every later look at the stack would find a drift.
            source.error(at, f"{cidr} is not how a network is written", f"write {network}")
        elif network.prefixlen < _WIDEST_NETWORK:
            source.error(
                at,
                f"{cidr} is wider than /{_WIDEST_NETWORK}: a private web server is for people's own networks",
                "the networks behind the VPN or the peering; web_server public is for everybody, behind AWS's login",
            )
        elif network in seen:
            source.error(at, f"{cidr} is there twice")
        seen.add(network)


def _check_network(source: SettingsFile, path: tuple[str, ...], network: NetworkSettings) -> None:
    if network.kind == "existing":
        if not network.vpc_id:
            source.error((*path, "vpc_id"), "is missing: an existing network is named by its id")
        elif not network.vpc_id.startswith("vpc-"):
            source.error((*path, "vpc_id"), f"{network.vpc_id} is not the id of a VPC", "such as vpc-0a1b2c3d")
        if len(set(network.subnet_ids)) != 2:
            source.error((*path, "subnet_ids"), "must be two private subnets in two zones")
        return
    try:
        size = ipaddress.IPv4Network(network.cidr).prefixlen
    except ValueError:
        source.error((*path, "cidr"), f"{network.cidr} is not an IPv4 network", "such as 10.80.0.0/20")
    else:
        if not 16 <= size <= 24:
            source.error((*path, "cidr"), "must be between /16 and /24")


def check_take_over(
    source: SettingsFile, branch: BranchSettings | None, environments: dict[str, EnvironmentSettings]
) -> None:
    """Only where branches read an environment's data can they have computed what it would."""
    for name, settings in environments.items():
        # On the embedded platform branches always read its data.
        if not settings.take_over or name == LOCAL:
            continue
        if branch is not None and branch.orchestrator == "runner":
            source.error(
                (*ENVIRONMENTS, name, "take_over"),
                "whoever runs a branch writes its data, so that nothing of it is taken over",
                'leave it out, or let context.environments.branch.orchestrator be "shared"',
            )
        elif branch is None or branch.data_from != name:
            source.error(
                (*ENVIRONMENTS, name, "take_over"),
                f"no branch reads the data of {name}, so that none computes what {name} would",
                f"let context.environments.branch.data_from be {name}, or leave it out",
            )


def check_branch(source: SettingsFile, branch: BranchSettings, environments: dict[str, EnvironmentSettings]) -> None:
    """Branch environments, and the environment that hosts them."""
    path = (*ENVIRONMENTS, "branch")
    for name in ("host", "data_from"):
        # One with mistakes of its own is there, and has its errors.
        if getattr(branch, name) not in source.at(ENVIRONMENTS):
            source.error((*path, name), f"there is no environment {getattr(branch, name)}")
    if branch.expires_days < 1:
        source.error((*path, "expires_days"), "must be at least one day")
    _check_mwaa(source, path, branch.network, branch.airflow)
    host, raw = environments.get(branch.host), environments.get(branch.data_from)
    if host is not None and host.live:
        source.error((*path, "host"), f"{branch.host} is live; branches belong beside throw-away data")
    if host and raw and (host.account, host.region) != (raw.account, raw.region):
        source.error(
            (*path, "data_from"),
            f"{branch.data_from} is in another account or region than {branch.host}",
            "Glue and KMS are read within one account: let data_from name an environment beside the host",
        )


def tag_value(text: str) -> str:
    """The nearest value that AWS takes for a tag."""
    return "".join(letter if letter.isalnum() or letter in " +-=._:/@" else "_" for letter in text)[:256]
