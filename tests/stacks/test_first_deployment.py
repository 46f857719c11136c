"""``prod``, deployed to an empty account where something fails on the way, then repeated, protected and taken apart.

The emulator rolls a failed creation back by CloudFormation's rule: what was created is deleted, newest first, unless
its DeletionPolicy is ``Retain``; ``RetainExceptOnCreate`` goes. The creations fail because
tests/stacks/emulator.py makes them fail, which is the one thing here that AWS does otherwise.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
"""

from __future__ import annotations

import gzip
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dapflow.athena import AthenaSettings, serve
from dapflow.example.nightly import exports
from dapflow.runtime.aws import Clients
from dapflow.runtime.bundled_project import BundledProject
from dapflow.runtime.generation import Generation
from dapflow.runtime.publish import Publisher
from tests.docs.test_deploy_guide import actions, blocks
from tests.stacks.cloud import ACCOUNT, REGION, Cloud, cloud, deployable
from tests.stacks.read_back import compare
from tests.stacks.templates import Templates, read

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deploy")]

PROD = ("-c", "environment=prod")
# The commands of docs/deploy.md, in its order.
BOOTSTRAP, DEPLOYED, LAND, START = (shlex.split(line) for action in actions() for line in blocks(action))
# Nobody is there to be asked.
DEPLOY = (*DEPLOYED[2:], "--require-approval", "never", "--concurrency", "4")
# Where it fails: the stack, and the type of which nothing can be made there.
FAILURES = {
    "early": ("dapflow-prod-lake", "AWS::Lambda::Function"),
    "middle": ("dapflow-prod-airflow", "AWS::MWAA::Environment"),
    "late": ("dapflow-prod-service-weather", "AWS::Athena::WorkGroup"),
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("prod")
    with cloud(deployable(folder / "project"), folder / "ministack.log") as running:
        running.cdk(*BOOTSTRAP[2:])
        yield running


@pytest.mark.parametrize("stage", FAILURES)
def test_a_failed_creation_leaves_nothing_under_its_names(aws: Cloud, stage: str) -> None:
    stack, kind = FAILURES[stage]
    with aws.failing(stack, kind):
        aws.cdk(*DEPLOY, fails=True)
    assert statuses(aws)[stack] == "ROLLBACK_COMPLETE"
    templates = read(aws.project / "cdk.out")
    meant_to_stay = kept_for_good(templates, stack)
    made = {event["LogicalResourceId"] for event in events(aws, stack) if event["ResourceStatus"] == "CREATE_COMPLETE"}
    assert meant_to_stay & made, "it failed before there was anything to roll back"
    assert names(templates, stack), "the stack has nothing under a fixed name"
    assert not names(templates, stack) & standing(aws)
    assert not protected(aws)


def test_it_is_deployed_by_the_same_command(aws: Cloud) -> None:
    aws.cdk(*DEPLOY)
    templates = read(aws.project / "cdk.out")
    assert statuses(aws) == dict.fromkeys([*templates.by_stack, "CDKToolkit"], "CREATE_COMPLETE")
    compare(aws, templates)
    assert {name for stack in templates.by_stack for name in names(templates, stack)} <= standing(aws)
    assert not protected(aws)


def test_files_are_landed_and_become_the_first_product(aws: Cloud, tmp_path: Path) -> None:
    """Airflow is not there: the run time does what its tasks do, with the names of the bundle that was deployed.

    Athena is the embedded one, over the emulator's S3 and Glue.
    """
    [export] = [export for export in exports([date(2013, 1, 9)]) if export.table == "observations"]
    (aws.project / "observations.csv").write_bytes(gzip.decompress(export.content))
    program = Path(sys.executable).with_name("dapflow")
    subprocess.run([program, *LAND[1:]], cwd=aws.project, env=aws.environment, check=True, capture_output=True)
    generation = Generation.parse(json.loads(START[-1])["partition_key"])
    bundle = BundledProject(bundle_of(aws, tmp_path))
    with serve(AthenaSettings(aws.endpoint, REGION)) as athena:
        clients = Clients(aws.client("athena", endpoint=athena.url), aws.client("glue"), aws.client("s3"))
        for group in aws.client("athena").list_work_groups()["WorkGroups"]:
            made = aws.client("athena").get_work_group(WorkGroup=group["Name"])["WorkGroup"]
            if made["Name"] != "primary":
                clients.athena.create_work_group(Name=made["Name"], Configuration=made["Configuration"])
        publisher = Publisher(clients, bundle.manifest, bundle.environment)
        publisher.publish("weather.raw.observations", generation)
        product = publisher.publish("weather.trusted.hourly_conditions", generation)
    assert product.rows == export.rows > 0
    view = aws.client("glue").get_table(DatabaseName="weather_trusted_zone", Name="hourly_conditions")["Table"]
    assert view["TableType"] == "VIRTUAL_VIEW"


def bundle_of(aws: Cloud, folder: Path) -> Path:
    """What Airflow would read."""
    s3, bucket = aws.client("s3"), f"dapflow-prod-airflow-{ACCOUNT}"
    names = ["manifest.json", "environment.json"]
    names.append(json.load(s3.get_object(Bucket=bucket, Key="dags/manifest.json")["Body"])["manifest"])
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        s3.download_file(bucket, f"dags/{name}", str(folder / name))
    return folder


def test_stacks_are_protected_once_the_settings_name_the_services(aws: Cloud) -> None:
    change_settings(aws, services=["air_traffic", "weather"])
    aws.cdk(*DEPLOY)
    data = {f"dapflow-prod-{name}" for name in ("lake", "network", "airflow", "delivery")}
    services = {f"dapflow-prod-service-{name}" for name in ("air-traffic", "weather")}
    assert protected(aws) == data | services
    for stack in data | services:
        with pytest.raises(ClientError, match="TerminationProtection is enabled"):
            aws.client("cloudformation").delete_stack(StackName=stack)


def test_a_live_service_is_removed_as_the_guide_says(aws: Cloud) -> None:
    """Its name goes from ``services``, which lifts the protection; its stack is destroyed; its databases stay."""
    change_settings(aws, services=["weather"])
    aws.cdk(*DEPLOY)
    aws.cdk("destroy", "dapflow-prod-service-air-traffic", "--exclusively", "--force", *PROD)
    gone("air_traffic", "dapflow-prod-service-air-traffic", aws)


def test_a_live_service_without_a_folder_is_removed_as_the_synthesis_says(aws: Cloud) -> None:
    """The folder was renamed while its data are there: the CDK knows nothing of the old stack any more."""
    transforms = aws.project / "transforms"
    shutil.rmtree(transforms / "air_traffic")
    (transforms / "weather").rename(transforms / "climate")
    # It granted something to the service that is gone.
    text = (transforms / "climate" / "service.yml").read_text()
    (transforms / "climate" / "service.yml").write_text(text.replace("grants:\n  air_traffic: [trusted]\n", ""))
    printed = " ".join(aws.cdk("synth", *PROD, fails=True).split())
    assert "weather has data here, and transforms/weather is gone" in printed
    commands = re.findall("`(aws [^`]*)`", printed)
    assert len(commands) == 2
    for command in commands:
        by_boto3(aws, command)
    gone("weather", "dapflow-prod-service-weather", aws)


def by_boto3(aws: Cloud, command: str) -> None:
    """Run a command of AWS's command line."""
    _, service, operation, *options = shlex.split(command)
    given: dict[str, Any] = {}
    while options:
        option = options.pop(0).removeprefix("--")
        takes_a_value = bool(options) and not options[0].startswith("--")
        value = options.pop(0) if takes_a_value else not option.startswith("no-")
        given[option.removeprefix("no-").title().replace("-", "")] = value
    getattr(aws.client(service), operation.replace("-", "_"))(**given)


def gone(service: str, stack: str, aws: Cloud) -> None:
    assert stack not in statuses(aws)
    left = {name for kind, name in standing(aws) if kind == "AWS::Glue::Database" and name.startswith(service)}
    assert left == {f"{service}_{zone}_zone" for zone in ("raw", "refined", "trusted")}
    assert ("AWS::Athena::WorkGroup", f"dapflow-prod-{service}") not in standing(aws)


def change_settings(aws: Cloud, **changed: object) -> None:
    file = aws.project / "cdk.json"
    settings = json.loads(file.read_text())
    settings["context"]["environments"]["prod"] |= changed
    file.write_text(json.dumps(settings))


def statuses(aws: Cloud) -> dict[str, str]:
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"]: stack["StackStatus"] for stack in stacks}


def protected(aws: Cloud) -> set[str]:
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    return {stack["StackName"] for stack in stacks if stack["EnableTerminationProtection"]}


def events(aws: Cloud, stack: str) -> list[dict[str, str]]:
    pages = aws.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]]


def kept_for_good(templates: Templates, stack: str) -> set[str]:
    """The logical ids of what outlives the stack."""
    resources = templates.by_stack[stack]["Resources"]
    return {name for name, resource in resources.items() if resource.get("DeletionPolicy") == "RetainExceptOnCreate"}


# The property that names a resource of a type, and the names that are taken.
NAMED: dict[str, tuple[str, Callable[[Cloud], list[str]]]] = {
    "AWS::Athena::WorkGroup": (
        "Name",
        lambda aws: [workgroup["Name"] for workgroup in aws.client("athena").list_work_groups()["WorkGroups"]],
    ),
    "AWS::Glue::Database": (
        "Name",
        lambda aws: [database["Name"] for database in aws.client("glue").get_databases()["DatabaseList"]],
    ),
    "AWS::IAM::Role": (
        "RoleName",
        lambda aws: [role["RoleName"] for role in aws.client("iam").list_roles(MaxItems=1000)["Roles"]],
    ),
    "AWS::KMS::Alias": (
        "AliasName",
        lambda aws: [alias["AliasName"] for alias in aws.client("kms").list_aliases()["Aliases"]],
    ),
    "AWS::Lambda::Function": (
        "FunctionName",
        lambda aws: [function["FunctionName"] for function in aws.client("lambda").list_functions()["Functions"]],
    ),
    "AWS::Logs::LogGroup": (
        "LogGroupName",
        lambda aws: [group["logGroupName"] for group in aws.client("logs").describe_log_groups()["logGroups"]],
    ),
    "AWS::S3::Bucket": (
        "BucketName",
        lambda aws: [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]],
    ),
    "AWS::SecretsManager::Secret": (
        "Name",
        lambda aws: [secret["Name"] for secret in aws.client("secretsmanager").list_secrets()["SecretList"]],
    ),
}


def names(templates: Templates, stack: str) -> set[tuple[str, str]]:
    """What a stack makes under a name that can be taken once."""
    taken = set()
    for kind, (property_, _) in NAMED.items():
        for name, resource in templates.resources(kind).items():
            properties = resource["Properties"].get("DatabaseInput", resource["Properties"])
            if name.startswith(f"{stack}.") and property_ in properties:
                taken.add((kind, str(properties[property_])))
    return taken


def standing(aws: Cloud) -> set[tuple[str, str]]:
    """The names that are taken in the account."""
    return {(kind, name) for kind, (_, listed) in NAMED.items() for name in listed(aws)}
