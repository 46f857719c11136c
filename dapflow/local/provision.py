"""Make the embedded platform what the synthesized templates of the environment ``local`` say.

As with CloudFormation, a resource that leaves its stack is removed, and a stack that leaves the project stays.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dapflow.errors import DapflowError
from dapflow.files import write_whole
from dapflow.local.aws_session import ACCOUNT, REGION
from dapflow.local.resources import KINDS, LEFT_OUT, Kind
from dapflow.local.state import State
from dapflow.local.synthesis import Synthesis, Templates, settings_file
from dapflow.local.template import Resource, resources
from dapflow.manifest import Manifest
from dapflow.platform import Platform, describe

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient

    from dapflow.local.airflow_api import AirflowApi
    from dapflow.runtime.aws import Clients

ENVIRONMENT = "local"
# The embedded Athena answers in milliseconds.
_POLL_SECONDS = 0.1
_POOL_SLOTS = 8


def describe_local(root: Path, manifest: Manifest) -> Platform:
    """The names on the embedded platform of a project: those that its templates have."""
    settings = json.loads(settings_file(root).read_text(encoding="utf-8"))
    platform = describe(
        manifest,
        name=ENVIRONMENT,
        account=ACCOUNT,
        region=REGION,
        prefix=settings["context"]["platform"].get("name", "dapflow"),
        poll_seconds=_POLL_SECONDS,
        deferrable=False,
    )
    return replace(platform, environment=replace(platform.environment, scheduled=False))


def provision(state: State, manifest: Manifest, clients: Clients) -> None:
    """All but Airflow's part, on a platform that runs."""
    platform = describe_local(state.root, manifest)
    synthesis = Synthesis(state.root, manifest)
    try:
        wanted = wanted_resources(synthesis.templates(), platform)
    finally:
        synthesis.cancel()
    provision_aws(state, wanted)
    provision_athena(state, wanted, clients.athena, platform)


def wanted_resources(templates: Templates, platform: Platform) -> list[Resource]:
    """The resources of the templates. Raises DapflowError where they lack what Airflow's tasks will ask for."""
    found = resources(templates)
    names = {(each.type, each.name) for each in found}
    needed = {
        *(("AWS::S3::Bucket", each.name) for each in platform.buckets),
        *(("AWS::Glue::Database", each.name) for each in platform.databases),
        *(("AWS::Athena::WorkGroup", each.name) for each in platform.workgroups),
        *(("AWS::IAM::Role", each.name) for each in platform.roles),
    }
    if missing := sorted(name for _, name in needed - names):
        raise DapflowError(
            "template",
            f"the templates of the environment {ENVIRONMENT} lack {', '.join(missing)}",
            hint=f"in cdk.json, context.environments.{ENVIRONMENT} must have account {ACCOUNT} and region {REGION}, "
            "and adopt nothing: that is what the embedded platform is",
        )
    return found


def provision_aws(state: State, wanted: Iterable[Resource]) -> None:
    """Buckets, databases, roles and policies, on the platform that boto3 is pointed at."""
    _deploy(state, {"s3", "glue", "iam"}, wanted)


def provision_athena(state: State, wanted: Iterable[Resource], athena: AthenaClient, platform: Platform) -> None:
    """Workgroups."""
    _deploy(state, {"athena"}, wanted)
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


def _deploy(state: State, services: Collection[str], wanted: Iterable[Resource]) -> None:
    """Bring the resources of these AWS services from what they were given last to what they are to be."""
    record: dict[str, Any] = state.read_json(state.stacks_file)
    after = {each.id: each for each in wanted}
    _refuse_unknown(after.values())
    stacks = {each.partition("/")[0] for each in after}
    for type_, make in KINDS.items():
        if make.service not in services:
            continue
        kind = make()
        existing = kind.existing()
        before = {id_: last for id_, last in record.items() if last["type"] == type_}
        for each in after.values():
            if each.type == type_:
                _bring(kind, each, before.get(each.id), existing)
                record[each.id] = _noted(each)
        for id_, last in before.items():
            if id_.partition("/")[0] in stacks:
                _remove(kind, last, after.get(id_), existing)
                if id_ not in after:
                    del record[id_]
    write_whole(state.stacks_file, (json.dumps(record, indent=1) + "\n").encode())


def _bring(kind: Kind, wanted: Resource, last: dict[str, Any] | None, existing: Collection[str]) -> None:
    kind.check(wanted)
    if wanted.name not in existing:
        kind.create(wanted.name, wanted.properties)
    elif last != _noted(wanted):
        kind.update(wanted.name, wanted.properties)


def _remove(kind: Kind, last: dict[str, Any], wanted: Resource | None, existing: Collection[str]) -> None:
    """Remove what left its stack, and what got another name."""
    gone = wanted is None or wanted.name != last["name"]
    if gone and not last["outlives"] and last["name"] in existing:
        kind.delete(last["name"], last["properties"])


def _noted(resource: Resource) -> dict[str, Any]:
    return {key: value for key, value in vars(resource).items() if key != "id"}


def _refuse_unknown(wanted: Iterable[Resource]) -> None:
    for each in wanted:
        if each.type not in {*KINDS, *LEFT_OUT}:
            raise DapflowError("template", f"{each.id}: {each.type} is unknown to the embedded platform")


def _give_primary_an_output(athena: AthenaClient, platform: Platform) -> None:
    # Clients that name no workgroup use this one, and need not say where their results go.
    location = results_location(platform)
    found: Any = athena.get_work_group(WorkGroup="primary")["WorkGroup"].get("Configuration", {})
    if found.get("ResultConfiguration", {}).get("OutputLocation") != location:
        athena.update_work_group(
            WorkGroup="primary",
            ConfigurationUpdates={"ResultConfigurationUpdates": {"OutputLocation": location}},
        )
