"""Make the embedded platform what the synthesized templates say: of the environment ``local``, or of a branch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapflow.branch import BranchNames, branch_slug
from dapflow.environment import LOCAL, Environment
from dapflow.errors import DapflowError
from dapflow.local.airflow.schedules import is_scheduled
from dapflow.local.aws_session import ACCOUNT, REGION
from dapflow.local.cloudformation.deployment import deploy
from dapflow.local.cloudformation.template import Resource, exported, resources
from dapflow.local.cloudformation.template_synthesis import SYNTHESIZING, Synthesis, Templates, settings_file
from dapflow.manifest import Manifest
from dapflow.platform import Platform, describe, describe_branch, hosting, taking_over
from dapflow.servers.state import State, write_json

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

    from dapflow.local.airflow.rest_api import AirflowApi
    from dapflow.runtime.aws import Clients

# The embedded Athena answers in milliseconds.
_POLL_SECONDS = 0.1
_POOL_SLOTS = 8


def describe_local(root: Path, manifest: Manifest) -> Platform:
    """The names of the main environment on the embedded platform: those that its templates have."""
    platform = describe(
        manifest,
        name=LOCAL,
        account=ACCOUNT,
        region=REGION,
        prefix=_prefix(root),
        poll_seconds=_POLL_SECONDS,
        deferrable=False,
        retention_seconds=_retention_seconds(root),
    )
    platform = replace(platform, environment=replace(platform.environment, scheduled=is_scheduled(State.of(root))))
    platform = hosting(platform, platform.environment, prefix=_prefix(root))
    return taking_over(platform, platform.environment, prefix=_prefix(root)) if _takes_over(root) else platform


def describe_local_branch(root: Path, manifest: Manifest, branch: str) -> Platform:
    """The names of a branch environment, which reads the main environment's raw zone. Raises ``branch-name``."""
    names = BranchNames.of(branch_slug(branch))
    return describe_branch(manifest, names, describe_local(root, manifest).environment)


def provision(state: State, manifest: Manifest, clients: Clients, tell: Callable[[str], None]) -> None:
    """All but Airflow's part, on a platform that runs."""
    platform = describe_local(state.root, manifest)
    synthesis = Synthesis(state.root, manifest)
    try:
        if synthesis.under_way:
            tell(SYNTHESIZING)
        templates = synthesis.templates()
    finally:
        synthesis.cancel()
    wanted = wanted_resources(templates, platform)
    provision_aws(state, wanted)
    note_exports(state, templates)
    provision_athena(state, wanted, clients.athena, platform)


def note_exports(state: State, templates: Templates) -> None:
    """Keep what the main environment's stacks export to those of branches."""
    write_json(state.exports_file, exported(templates))


def wanted_resources(
    templates: Templates, platform: Platform, exports: Mapping[str, str] | None = None
) -> list[Resource]:
    """The resources of the templates. Raises DapflowError where they lack what Airflow's tasks will ask for."""
    wanted = resources(templates, exports)
    names = {(resource.type, resource.name) for resource in wanted}
    needed = {
        *(("AWS::S3::Bucket", bucket.name) for bucket in platform.buckets),
        *(("AWS::Glue::Database", database.name) for database in platform.databases),
        *(("AWS::Athena::WorkGroup", workgroup.name) for workgroup in platform.workgroups),
        *(("AWS::IAM::Role", role.name) for role in platform.roles),
    }
    if missing := sorted(name for _, name in needed - names):
        raise DapflowError(
            "template",
            f"the templates of the environment {platform.environment.name} lack {', '.join(missing)}",
            hint=f"in cdk.json, context.environments.{LOCAL} must have account {ACCOUNT} and region {REGION}, "
            "and adopt nothing: that is what the embedded platform is",
        )
    return wanted


def provision_aws(state: State, wanted: Iterable[Resource]) -> None:
    """Buckets, databases, roles and policies, on the platform that boto3 is pointed at."""
    deploy(state.stacks_file, {"s3", "glue", "iam"}, wanted)


def provision_athena(state: State, wanted: Iterable[Resource], athena: AthenaClient, platform: Platform) -> None:
    """Workgroups."""
    deploy(state.stacks_file, {"athena"}, wanted)
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


def _prefix(root: Path) -> str:
    return str(_settings(root)["platform"].get("name", "dapflow"))


def _takes_over(root: Path) -> bool:
    return _settings(root)["environments"].get(LOCAL, {}).get("take_over") is not False


def _retention_seconds(root: Path) -> int:
    own: dict[str, Any] = _settings(root)["environments"].get(LOCAL, {}).get("retention", {})
    return int(own["replaced_days"]) * 24 * 3600 if "replaced_days" in own else Environment.retention_seconds


def _settings(root: Path) -> dict[str, Any]:
    context: dict[str, Any] = json.loads(settings_file(root).read_text(encoding="utf-8"))["context"]
    return context


def _give_primary_an_output(athena: AthenaClient, platform: Platform) -> None:
    # Clients that name no workgroup use this one, and need not say where their results go.
    location = results_location(platform)
    configuration: Any = athena.get_work_group(WorkGroup="primary")["WorkGroup"].get("Configuration", {})
    if configuration.get("ResultConfiguration", {}).get("OutputLocation") != location:
        athena.update_work_group(
            WorkGroup="primary",
            ConfigurationUpdates={"ResultConfigurationUpdates": {"OutputLocation": location}},
        )
