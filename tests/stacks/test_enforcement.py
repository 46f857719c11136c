"""The runner roles' rights over buckets and workgroups, as an emulator enforces them on assumed-role credentials."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.stacks.cloud import Cloud, cloud
from tests.stacks.example import GRANTED, four_services
from tests.stacks.templates import Templates, synthesized

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("deploy")]

SERVICES = tuple(four_services().services)
DATA = ("raw", "refined", "trusted")
# The embedded platform's.
ACCOUNT = "123456789012"


def bucket(zone: str) -> str:
    return f"dapflow-local-{zone}-{ACCOUNT}"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("enforced")
    with cloud(folder, folder / "ministack.log", account=ACCOUNT, enforce=True) as running:
        yield running


@pytest.fixture(scope="module")
def runners(aws: Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Credentials of each service's runner role, made from the templates of ``local``."""
    folder: Path = tmp_path_factory.mktemp("templates")
    templates = synthesized(folder, manifest=four_services(), checks=False, environment="local")
    provision(aws, templates)
    credentials = {}
    for name in SERVICES:
        role = templates.one("AWS::IAM::Role", RoleName=f"dapflow-local-{name}-runner")
        arn = f"arn:aws:iam::{ACCOUNT}:role{role['Path']}{role['RoleName']}"
        answer = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
        credentials[name] = answer["Credentials"]
    return credentials


def provision(aws: Cloud, templates: Templates) -> None:
    """Buckets, workgroups and runner roles, and an object of each service in each zone."""
    s3, iam, athena = aws.client("s3"), aws.client("iam"), aws.client("athena")
    for zone in (*DATA, "landing", "athena-results"):
        s3.create_bucket(Bucket=bucket(zone), CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        for name in SERVICES:
            for table in ("report", "delays"):
                s3.put_object(Bucket=bucket(zone), Key=f"{name}/{table}/x", Body=b"1")
    for workgroup in templates.properties("AWS::Athena::WorkGroup"):
        location = workgroup["WorkGroupConfiguration"]["ResultConfiguration"]["OutputLocation"]
        configuration = {"ResultConfiguration": {"OutputLocation": location}}
        athena.create_work_group(Name=workgroup["Name"], Configuration=configuration)
    for role in templates.properties("AWS::IAM::Role"):
        if role.get("RoleName", "").endswith("-runner"):
            trust = json.dumps(role["AssumeRolePolicyDocument"])
            iam.create_role(RoleName=role["RoleName"], Path=role["Path"], AssumeRolePolicyDocument=trust)
            for policy in role["Policies"]:
                text = json.dumps(policy["PolicyDocument"])
                iam.put_role_policy(RoleName=role["RoleName"], PolicyName=policy["PolicyName"], PolicyDocument=text)


def allowed(call: Callable[..., Any], **arguments: Any) -> bool:
    """Whether a call is let through. Whatever else it fails of comes after the permission."""
    try:
        call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return code not in {"AccessDenied", "AccessDeniedException", "403", "UnauthorizedOperation"}
    return True


@pytest.mark.parametrize("victim", SERVICES)
@pytest.mark.parametrize("actor", SERVICES)
def test_objects(aws: Cloud, runners: dict[str, dict[str, str]], actor: str, victim: str) -> None:
    s3 = aws.client("s3", runners[actor])
    reads = GRANTED.get(actor, set())
    for zone in DATA:
        for table in ("report", "delays"):
            own = actor == victim
            granted = bool({f"{victim}.{zone}", f"{victim}.{zone}.{table}"} & reads)
            where = {"Bucket": bucket(zone), "Key": f"{victim}/{table}/x"}
            got = {
                "get": allowed(s3.get_object, **where),
                "list": allowed(s3.list_objects_v2, Bucket=bucket(zone), Prefix=f"{victim}/{table}/"),
                "put": allowed(s3.put_object, **where, Body=b"2"),
                "copy": allowed(
                    s3.copy_object,
                    Bucket=bucket("refined"),
                    Key=f"{actor}/report/copy",
                    CopySource=f"{bucket(zone)}/{victim}/{table}/x",
                ),
                "list all": allowed(s3.list_objects_v2, Bucket=bucket(zone)),
            }
            may_read = own or granted
            wanted = {"get": may_read, "list": may_read, "put": own, "copy": may_read, "list all": False}
            assert got == wanted, f"{actor} on {victim}.{zone}.{table}"


@pytest.mark.parametrize("victim", SERVICES)
@pytest.mark.parametrize("actor", SERVICES)
def test_workgroups(aws: Cloud, runners: dict[str, dict[str, str]], actor: str, victim: str) -> None:
    """Looking at a query by its id is left out: the emulator does not know which workgroup a query belongs to."""
    athena = aws.client("athena", runners[actor])
    workgroup = f"dapflow-local-{victim}"
    assert allowed(athena.start_query_execution, QueryString="SELECT 1", WorkGroup=workgroup) is (actor == victim)
    assert allowed(athena.get_work_group, WorkGroup=workgroup) is (actor == victim)


@pytest.mark.parametrize("actor", SERVICES)
def test_no_runner_assumes_another(aws: Cloud, runners: dict[str, dict[str, str]], actor: str) -> None:
    sts = aws.client("sts", runners[actor])
    for victim in SERVICES:
        arn = f"arn:aws:iam::{ACCOUNT}:role/dapflow/local/runner/dapflow-local-{victim}-runner"
        assert not allowed(sts.assume_role, RoleArn=arn, RoleSessionName="theft")
