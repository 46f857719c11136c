"""Every AWS call that a function makes, held against the policies of its own role in the templates.

moto enforces nothing, so a call for which the role has no action would be seen on AWS alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from stacks.functions import branch_bundle, chat, reaper, resources, watch
from tests.stacks.iam.evaluate import Document, Request, evaluate
from tests.stacks.templates import Templates

SLUG = "fix-delays-0a1b2c"
Call = tuple[str, str, dict[str, Any], str | None]


class Function:
    """One function of an environment: its variables, its role's policies, and the calls that it made."""

    def __init__(self, templates: Templates, name: str) -> None:
        self.templates = templates
        self.stem = name.rsplit("-", 1)[0]
        [(logical, function)] = [
            (key, function["Properties"])
            for key, function in templates.resources("AWS::Lambda::Function").items()
            if function["Properties"]["FunctionName"] == name
        ]
        self.variables: dict[str, str] = function.get("Environment", {}).get("Variables", {})
        stack = logical.split(".", 1)[0]
        role = templates.by_stack[stack]["Resources"][_logical_role(templates, stack, logical)]
        policies = templates.resolved(role["Properties"]["Policies"], stack)
        self.policies: list[Document] = [policy["PolicyDocument"] for policy in policies]
        self.calls: list[Call] = []

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.templates.region}:{self.templates.account}:{resource}"

    def refused(self) -> list[str]:
        """What the role does not allow of what was called."""
        refused = [
            f"{request.action} on {', '.join(request.resources)}"
            for call in self.calls
            for request in self._requests(*call)
            if not evaluate(request, self.policies).allowed
        ]
        return list(dict.fromkeys(refused))

    def _requests(self, service: str, operation: str, given: dict[str, Any], failed: str | None) -> Iterator[Request]:
        """What IAM is asked for a call. Raises KeyError for one that nobody has looked up yet.

        https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
        """
        match service:
            case "s3":
                yield from self._s3(operation, given, failed)
            case "secretsmanager":
                yield from self._secrets(operation, given)
            case "glue":
                database, table = given["DatabaseName"], given["TableName"]
                below = ("catalog", f"database/{database}", f"table/{database}/{table}")
                yield Request(f"glue:{operation}", tuple(self.arn("glue", name) for name in below))
            case "cloudwatch":
                yield Request(f"cloudwatch:{operation}", ("*",), {"cloudwatch:namespace": given["Namespace"]})
            case "cloudformation":
                name = given.get("StackName")
                yield Request(f"cloudformation:{operation}", (self.arn(service, f"stack/{name}/1") if name else "*",))
            case "mwaa":
                # Pools are changed by who is Op in Airflow.
                yield Request("airflow:InvokeRestApi", (self.arn("airflow", f"role/{given['Name']}/Op"),))
            case other:
                raise KeyError(f"a function calls {other}")

    def _s3(self, operation: str, given: dict[str, Any], failed: str | None) -> Iterator[Request]:
        bucket = f"arn:aws:s3:::{given['Bucket']}"
        match operation:
            case "ListObjectsV2":
                yield Request("s3:ListBucket", (bucket,), {"s3:prefix": given["Prefix"]})
            case "ListObjectVersions":
                yield Request("s3:ListBucketVersions", (bucket,), {"s3:prefix": given["Prefix"]})
            case "DeleteObjects":
                for item in given["Delete"]["Objects"]:
                    action = "s3:DeleteObjectVersion" if "VersionId" in item else "s3:DeleteObject"
                    yield Request(action, (f"{bucket}/{item['Key']}",))
            case "GetObject":
                yield Request("s3:GetObject", (f"{bucket}/{given['Key']}",))
                yield from self._key(given["Bucket"], "kms:Decrypt")
                if failed == "NoSuchKey":
                    # Who may not list is told AccessDenied instead.
                    yield Request("s3:ListBucket", (bucket,), {"s3:prefix": given["Key"]})
            case "PutObject":
                yield Request("s3:PutObject", (f"{bucket}/{given['Key']}",))
                yield from self._key(given["Bucket"], "kms:GenerateDataKey")
            case other:
                raise KeyError(f"a function calls s3 {other}")

    def _key(self, bucket: str, action: str) -> Iterator[Request]:
        """What S3 asks of KMS in the caller's name. The bucket of the CDK's assets has a key of AWS's own."""
        for declared in self.templates.properties("AWS::S3::Bucket"):
            if declared["BucketName"] == bucket:
                [rule] = declared["BucketEncryption"]["ServerSideEncryptionConfiguration"]
                key = rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
                if key is None:
                    # S3's own key, which asks nobody.
                    return
                context = {
                    "kms:ViaService": f"s3.{self.templates.region}.amazonaws.com",
                    "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{bucket}",
                }
                yield Request(action, (key,), context)

    def _secrets(self, operation: str, given: dict[str, Any]) -> Iterator[Request]:
        name = given.get("Name") or given["SecretId"]
        yield Request(f"secretsmanager:{operation}", (self.arn("secretsmanager", f"secret:{name}-AbCdEf"),))
        if operation != "DeleteSecret":
            key = self.variables.get("KEY") or self.templates.one("AWS::SecretsManager::Secret", Name=name)["KmsKeyId"]
            via = {"kms:ViaService": f"secretsmanager.{self.templates.region}.amazonaws.com"}
            for action in ("kms:Decrypt", *(["kms:GenerateDataKey"] if operation != "GetSecretValue" else [])):
                yield Request(action, (key,), via)


def _logical_role(templates: Templates, stack: str, function: str) -> str:
    raw = templates.by_stack[stack]["Resources"][function.split(".", 1)[1]]
    logical: str = raw["Properties"]["Role"]["Fn::GetAtt"][0]
    return logical


def mwaa(given: dict[str, Any]) -> dict[str, Any]:
    """MWAA's answers for Airflow; moto has none."""
    if given["Method"] == "GET":
        return {"RestApiResponse": {"pools": [{"name": "default_pool"}], "total_entries": 1}}
    return {"RestApiStatusCode": 201}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Function, Callable[[], Any]], None]]:
    """Run a handler as one of the functions, and note its calls."""
    real = BaseClient._make_api_call  # type: ignore[attr-defined]
    noting: list[Function] = []

    def call(client: Any, operation: str, given: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        failed = None
        try:
            return mwaa(given) if service == "mwaa" else real(client, operation, given)
        except ClientError as error:
            failed = error.response["Error"]["Code"]
            raise
        finally:
            if noting:
                noting[-1].calls.append((service, operation, given, failed))

    def as_function(function: Function, handle: Callable[[], Any]) -> None:
        with monkeypatch.context() as lambda_:
            for name, value in {**function.variables, "AWS_REGION": "eu-west-2"}.items():
                lambda_.setenv(name, value)
            noting.append(function)
            try:
                handle()
            finally:
                noting.pop()

    for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "DEFAULT_REGION": "eu-west-2"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("ENDPOINT_URL", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    with mock_aws():
        yield as_function


def make_bucket(name: str) -> Any:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3


def packed(files: dict[str, Any]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return made.getvalue()


@pytest.mark.parametrize("environment", ["prod", "staging"])
def test_bundles_come_change_and_go(request: pytest.FixtureRequest, run: Any, environment: str) -> None:
    templates: Templates = request.getfixturevalue(environment)
    function = Function(templates, f"dapflow-{environment}-bundle")
    for bundle in templates.properties("Custom::DapflowBundle"):
        # AWS names the account in it; the CDK leaves it to CloudFormation.
        assets = bundle["AssetBucket"].replace("${AWS::AccountId}", templates.account)
        assets = assets.replace("${AWS::Region}", templates.region)
        s3 = boto3.client("s3")
        for bucket in (assets, bundle["Bucket"]):
            with contextlib.suppress(ClientError):
                make_bucket(bucket)
        properties = {**bundle, "AssetBucket": assets, "Remove": "true"}
        for kind, files in (("Create", ("a", "b")), ("Update", ("a",)), ("Delete", ())):
            s3.put_object(
                Bucket=assets, Key=bundle["AssetKey"], Body=packed({"manifest.json": {}, **dict.fromkeys(files)})
            )
            event = {"RequestType": kind, "ResourceProperties": properties}
            run(function, lambda event=event: resources.bundle(event))
    called = {operation for _, operation, *_ in function.calls}
    assert called == {"GetObject", "PutObject", "ListObjectsV2", "DeleteObjects", "ListObjectVersions"}
    assert function.refused() == []


def test_buckets_are_emptied(staging: Templates, run: Any) -> None:
    function = Function(staging, "dapflow-staging-emptied")
    for properties in staging.properties("Custom::DapflowEmptied"):
        s3 = make_bucket(properties["Bucket"])
        s3.put_object(Bucket=properties["Bucket"], Key=f"{properties['Prefix']}x", Body=b"")
        event = {"RequestType": "Delete", "ResourceProperties": properties}
        run(function, lambda event=event: resources.emptied(event))
    assert {operation for _, operation, *_ in function.calls} == {"DeleteObjects", "ListObjectVersions"}
    assert function.refused() == []


@pytest.mark.parametrize("environment", ["prod", "staging"])
def test_pools_are_made(request: pytest.FixtureRequest, run: Any, environment: str) -> None:
    templates: Templates = request.getfixturevalue(environment)
    function = Function(templates, f"dapflow-{environment}-pools")
    [properties] = templates.properties("Custom::DapflowPools")
    run(function, lambda: resources.pools({"RequestType": "Create", "ResourceProperties": properties}))
    assert len(function.calls) == 1 + len(properties["Pools"])
    assert function.refused() == []


def test_bundles_of_branches_come_change_and_go(staging: Templates, run: Any) -> None:
    function = Function(staging, "dapflow-staging-branch")
    airflow, data = function.variables["AIRFLOW_BUCKET"], function.variables["DATA_BUCKET"]
    make_bucket(airflow).put_object(Bucket=airflow, Key=function.variables["ENTRY"], Body=b"")
    s3 = make_bucket(data)
    s3.put_object(Bucket=data, Key=f"{SLUG}/refined/x", Body=b"")
    key = f"{function.variables['ASSETS']}x.zip"
    stack = function.arn("cloudformation", f"stack/dapflow-branch-{SLUG}-bundle/1")
    for kind, manifest in (("Create", "0" * 16), ("Update", "1" * 16), ("Delete", "1" * 16)):
        pointer = f"manifests/{manifest}.json"
        files = {"manifest.json": {"manifest": pointer}, pointer: {"services": {"air": {}}}, "environment.json": {}}
        if kind == "Update":
            del files["environment.json"]
        s3.put_object(Bucket=data, Key=key, Body=packed(files))
        event = {"RequestType": kind, "StackId": stack, "ResourceProperties": {"AssetKey": key}}
        run(function, lambda event=event: branch_bundle.branch(event))
    # What no stack stands for goes every hour.
    s3.put_object(Bucket=airflow, Key=f"{function.variables['BUNDLES']}{SLUG}/manifest.json", Body=b"{}")
    run(function, lambda: branch_bundle.handler({}, None))
    assert not s3.list_objects_v2(Bucket=airflow, Prefix=function.variables["BUNDLES"]).get("Contents")
    called = {operation for _, operation, *_ in function.calls}
    assert {"CreateSecret", "PutSecretValue", "DeleteSecret", "DeleteObjects", "ListObjectVersions"} <= called
    assert "NoSuchKey" in {failed for *_, failed in function.calls}
    assert function.refused() == []


@pytest.mark.parametrize("environment", ["prod", "staging"])
def test_products_are_looked_at(request: pytest.FixtureRequest, run: Any, environment: str) -> None:
    templates: Templates = request.getfixturevalue(environment)
    function = Function(templates, f"dapflow-{environment}-watch")
    bucket, prefix = function.variables["BUCKET"], function.variables["PREFIX"]
    # Every database that a service has there.
    declared = [database["DatabaseInput"] for database in templates.properties("AWS::Glue::Database")]
    databases = [database["Name"] for database in declared if "LocationUri" in database]
    dataset = {"service": "air", "zone": "raw", "name": "x", "history": "x_history", "generation": {"prefix": "import"}}
    manifest = {"services": {"air": {}}, "datasets": {name: {**dataset, "database": name} for name in databases}}
    s3 = make_bucket(bucket)
    for key, content in (
        ("manifest.json", {"manifest": "manifests/1.json"}),
        ("manifests/1.json", manifest),
        ("environment.json", {"databases": {name: name for name in databases}}),
    ):
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=json.dumps(content))
    run(function, lambda: watch.handler({"pauses": {}}, None))
    assert {operation for _, operation, *_ in function.calls} == {"GetObject", "GetPartitions", "PutMetricData"}
    assert function.refused() == []


def test_alerts_are_posted(prod: Templates, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(prod, "dapflow-prod-chat")
    secret = json.dumps({"url": "https://chat.example/x"})
    boto3.client("secretsmanager").create_secret(Name=function.variables["WEBHOOK_SECRET"], SecretString=secret)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: io.BytesIO())
    run(function, lambda: chat.handler({"Records": [{"Sns": {"Message": "80 %"}}]}, None))
    assert [operation for _, operation, *_ in function.calls] == ["GetSecretValue"]
    assert function.refused() == []


def test_expired_branches_are_deleted(staging: Templates, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    function = Function(staging, "dapflow-staging-reaper")
    assert function.variables["DAYS"] == "14"
    cloudformation: Any = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=f"dapflow-branch-{SLUG}-bundle",
        TemplateBody=json.dumps({"Resources": {"topic": {"Type": "AWS::SNS::Topic"}}}),
    )
    monkeypatch.setitem(function.variables, "DAYS", "-1")
    run(function, lambda: reaper.handler({}, None))
    assert [operation for _, operation, *_ in function.calls] == ["DescribeStacks", "DeleteStack"]
    assert function.refused() == []


def test_what_a_role_lacks_would_be_noticed(staging: Templates, run: Any) -> None:
    function = Function(staging, "dapflow-staging-emptied")
    bucket = staging.properties("Custom::DapflowEmptied")[0]["Bucket"]
    make_bucket(bucket).put_object(Bucket=bucket, Key="x", Body=b"")
    run(function, lambda: boto3.client("s3").get_object(Bucket=bucket, Key="x"))
    assert f"s3:GetObject on arn:aws:s3:::{bucket}/x" in function.refused()


def test_no_function_is_left_out(prod: Templates, staging: Templates) -> None:
    named = {
        function["FunctionName"].rsplit("-", 1)[1] for templates in (prod, staging) for function in functions(templates)
    }
    assert named == {"branch", "bundle", "chat", "emptied", "pools", "reaper", "watch"}


def functions(templates: Templates) -> list[dict[str, Any]]:
    return [function for function in templates.properties("AWS::Lambda::Function") if "FunctionName" in function]
