"""Make the embedded platform what ``dapflow.platform`` describes. What is there already stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3

from dapflow.local.aws_session import ACCOUNT, REGION
from dapflow.manifest import Manifest
from dapflow.platform import Database, Platform, Role, WorkGroup, describe

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

    from dapflow.local.airflow_api import AirflowApi
    from dapflow.runtime.aws import Clients

ENVIRONMENT = "local"
# The embedded Athena answers in milliseconds.
_POLL_SECONDS = 0.1
_POOL_SLOTS = 8
_TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'


def describe_local(manifest: Manifest) -> Platform:
    """The embedded platform of a project."""
    platform = describe(
        manifest, name=ENVIRONMENT, account=ACCOUNT, region=REGION, poll_seconds=_POLL_SECONDS, deferrable=False
    )
    return replace(platform, environment=replace(platform.environment, scheduled=False))


def provision(platform: Platform, clients: Clients) -> None:
    """All but Airflow's part, on a platform that runs."""
    provision_aws(platform, boto3.Session())
    provision_athena(platform, clients.athena)


def provision_aws(platform: Platform, session: boto3.Session) -> None:
    """Buckets, databases and roles; ``session`` is a boto3 session on the embedded platform."""
    s3 = session.client("s3")
    existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for bucket in platform.buckets:
        if bucket.name not in existing:
            s3.create_bucket(Bucket=bucket.name, CreateBucketConfiguration={"LocationConstraint": REGION})
    glue = session.client("glue")
    existing = {
        item["Name"] for page in glue.get_paginator("get_databases").paginate() for item in page["DatabaseList"]
    }
    for database in platform.databases:
        if database.name not in existing:
            glue.create_database(DatabaseInput=_database_input(database))
    iam = session.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    existing = {role["RoleName"] for page in pages for role in page["Roles"]}
    for role in platform.roles:
        if role.name not in existing:
            _create_role(iam, role)


def provision_athena(platform: Platform, athena: AthenaClient) -> None:
    """Workgroups, whose settings follow the project."""
    existing: set[str] = set()
    token: dict[str, str] = {}
    while True:
        page: Any = athena.list_work_groups(**token)  # type: ignore[arg-type]
        existing |= {group["Name"] for group in page["WorkGroups"]}
        if not page.get("NextToken"):
            break
        token = {"NextToken": page["NextToken"]}
    for group in platform.workgroups:
        if group.name not in existing:
            athena.create_work_group(
                Name=group.name,
                Description=f"Queries of {group.service}",
                Configuration=_configuration(group),  # type: ignore[arg-type]
            )
        else:
            found: Any = athena.get_work_group(WorkGroup=group.name)["WorkGroup"]["Configuration"]
            if any(found.get(name) != value for name, value in _configuration(group).items()):
                _update(athena, group)
    _give_primary_an_output(athena, platform)


def provision_airflow(platform: Platform, airflow: AirflowApi) -> None:
    """Pools and connections."""
    for name, service in platform.environment.services.items():
        airflow.put_pool(service.pool, _POOL_SLOTS, f"Queries of {name}")
        extra = {"region_name": platform.environment.region, "role_arn": service.role_arn}
        airflow.put_connection(service.connection, extra, f"AWS as the runner role of {name}")


def results_location(platform: Platform) -> str:
    """Where results of queries go that run in no service's workgroup."""
    bucket = next(bucket.name for bucket in platform.buckets if bucket.zone == "athena-results")
    return f"s3://{bucket}/primary/"


def _database_input(database: Database) -> Any:
    return {
        "Name": database.name,
        "Description": f"{database.zone} zone of {database.service}",
        "LocationUri": database.location,
    }


def _create_role(iam: Any, role: Role) -> None:
    iam.create_role(
        RoleName=role.name, AssumeRolePolicyDocument=_TRUST, Description=f"Runs the queries of {role.service}"
    )


def _configuration(group: WorkGroup) -> dict[str, Any]:
    return {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "BytesScannedCutoffPerQuery": group.bytes_scanned_cutoff,
        "ResultConfiguration": {"OutputLocation": group.output_location},
    }


def _update(athena: AthenaClient, group: WorkGroup) -> None:
    athena.update_work_group(
        WorkGroup=group.name,
        ConfigurationUpdates={
            "EnforceWorkGroupConfiguration": True,
            "BytesScannedCutoffPerQuery": group.bytes_scanned_cutoff,
            "ResultConfigurationUpdates": {"OutputLocation": group.output_location},
        },
    )


def _give_primary_an_output(athena: AthenaClient, platform: Platform) -> None:
    # Clients that name no workgroup use this one, and need not say where their results go.
    location = results_location(platform)
    found: Any = athena.get_work_group(WorkGroup="primary")["WorkGroup"].get("Configuration", {})
    if found.get("ResultConfiguration", {}).get("OutputLocation") != location:
        athena.update_work_group(
            WorkGroup="primary",
            ConfigurationUpdates={"ResultConfigurationUpdates": {"OutputLocation": location}},
        )
