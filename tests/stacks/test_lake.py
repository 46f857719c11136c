"""Buckets and keys of the lake."""

from __future__ import annotations

import pytest

from tests.stacks.iam.evaluate import Request, evaluate
from tests.stacks.templates import Templates

ZONES = ("landing", "raw", "refined", "trusted", "athena-results", "airflow", "access-logs")
DATA = ("landing", "raw", "refined", "trusted", "athena-results")


def name(zone: str) -> str:
    return f"dapflow-prod-{zone}-111122223333"


@pytest.mark.parametrize("zone", ZONES)
def test_every_bucket_is_private_versioned_and_cleaned(prod: Templates, zone: str) -> None:
    bucket = prod.one("AWS::S3::Bucket", BucketName=name(zone))
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules["abort-incomplete-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rules["expire-old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert ("expire" in rules) is (zone in {"athena-results", "access-logs"})


@pytest.mark.parametrize("zone", DATA)
def test_each_zone_has_a_key_of_its_own_that_rotates(prod: Templates, zone: str) -> None:
    bucket = prod.one("AWS::S3::Bucket", BucketName=name(zone))
    rule = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
    assert rule["BucketKeyEnabled"] is True
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    alias = prod.one("AWS::KMS::Alias", AliasName=f"alias/dapflow-prod-{zone}")
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == alias["TargetKeyId"]
    assert all(key["EnableKeyRotation"] is True for key in prod.properties("AWS::KMS::Key"))
    targets = [alias["TargetKeyId"] for alias in prod.properties("AWS::KMS::Alias")]
    assert len(targets) == len(set(targets)) == 6


@pytest.mark.parametrize("zone", DATA)
@pytest.mark.parametrize(
    ("what", "headers", "allowed"),
    [
        ("no header: the bucket's own key", {}, True),
        ("SSE-S3", {"s3:x-amz-server-side-encryption": "AES256"}, False),
        ("KMS without a key, which means AWS's own", {"s3:x-amz-server-side-encryption": "aws:kms"}, False),
        ("a key of ours", "own", True),
        ("the results' key, as Athena does", "results", True),
        ("a key of someone else", "foreign", False),
        ("a key that the client brings along", {"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"}, False),
    ],
)
def test_encryption_is_pinned(
    prod: Templates, zone: str, what: str, headers: str | dict[str, str], allowed: bool
) -> None:
    if isinstance(headers, str):
        aliases = {alias["AliasName"]: alias["TargetKeyId"] for alias in prod.properties("AWS::KMS::Alias")}
        key = {
            "own": aliases[f"alias/dapflow-prod-{zone}"],
            "results": aliases["alias/dapflow-prod-athena-results"],
            "foreign": "arn:aws:kms:eu-west-2:999999999999:key/x",
        }[headers]
        headers = {"s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": key}
    policy = prod.one("AWS::S3::BucketPolicy", Bucket=name(zone))["PolicyDocument"]
    put = {"Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}
    arn = f"arn:aws:s3:::{name(zone)}"
    context = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.2", **headers}
    request = Request("s3:PutObject", (f"{arn}/air/x",), context, "arn:aws:iam::111122223333:role/x")
    assert evaluate(request, [put], {arn: policy}).allowed is allowed, what


def test_the_platforms_key_serves_who_publishes_and_logs(prod: Templates) -> None:
    key = prod.one("AWS::KMS::Alias", AliasName="alias/dapflow-prod-platform")["TargetKeyId"]
    [policy] = [
        prod.resolved(resource["Properties"]["KeyPolicy"], "dapflow-prod-lake")
        for name, resource in prod.resources("AWS::KMS::Key").items()
        if key.endswith(name)
    ]
    for principal, context, actions in (
        ("cloudwatch.amazonaws.com", {"aws:SourceAccount": "111122223333"}, {"Decrypt", "GenerateDataKey"}),
        ("cloudwatch.amazonaws.com", {"aws:SourceAccount": "999999999999"}, set()),
        ("events.amazonaws.com", {"aws:SourceAccount": "111122223333"}, set()),
        (
            "logs.eu-west-2.amazonaws.com",
            {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-2:111122223333:log-group:x"},
            {"Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"},
        ),
        (
            "logs.eu-west-2.amazonaws.com",
            {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-2:999999999999:log-group:x"},
            set(),
        ),
    ):
        tried = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo", "CreateGrant", "PutKeyPolicy")
        requests = {action: Request(f"kms:{action}", (key,), context, principal) for action in tried}
        allowed = {action for action, request in requests.items() if evaluate(request, [], {key: policy}).allowed}
        assert allowed == actions, principal


@pytest.mark.parametrize("zone", ZONES)
def test_only_tls(prod: Templates, zone: str) -> None:
    arn = f"arn:aws:s3:::{name(zone)}"
    policy = prod.one("AWS::S3::BucketPolicy", Bucket=name(zone))["PolicyDocument"]
    everything = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    for context, allowed in (
        ({"aws:SecureTransport": "true", "s3:TlsVersion": "1.2"}, True),
        ({"aws:SecureTransport": "false", "s3:TlsVersion": "1.2"}, False),
        ({"aws:SecureTransport": "true", "s3:TlsVersion": "1.1"}, False),
    ):
        request = Request("s3:GetObject", (f"{arn}/x",), context, "arn:aws:iam::111122223333:role/x")
        assert evaluate(request, [everything], {arn: policy}).allowed is allowed


def test_live_data_outlives_its_stack_and_other_data_does_not(prod: Templates, staging: Templates) -> None:
    kinds = ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Glue::Database")
    for kind in kinds:
        kept = {resource["DeletionPolicy"] for resource in prod.resources(kind).values()}
        gone = {resource["DeletionPolicy"] for resource in staging.resources(kind).values()}
        assert (kept, gone) == ({"RetainExceptOnCreate"}, {"Delete"}), kind
        assert {resource["UpdateReplacePolicy"] for resource in prod.resources(kind).values()} == {"Retain"}


def test_a_creation_that_is_rolled_back_keeps_nothing(prod: Templates) -> None:
    """``Retain`` would keep it, under the name that the second try of test_first_deployment.py needs."""
    resources = [resource for template in prod.by_stack.values() for resource in template["Resources"].values()]
    policies = {resource.get("DeletionPolicy", "Delete") for resource in resources}
    assert policies == {"Delete", "RetainExceptOnCreate"}
    kept = {resource["Type"] for resource in resources if resource.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert kept == {
        "AWS::Glue::Database",
        "AWS::IAM::OIDCProvider",
        "AWS::KMS::Key",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
    }


def test_what_goes_with_its_stack_is_emptied_first(prod: Templates, staging: Templates) -> None:
    emptied = {emptying["Bucket"] for emptying in staging.properties("Custom::DapflowEmptied")}
    assert emptied == {bucket["BucketName"] for bucket in staging.properties("AWS::S3::Bucket")}
    assert not prod.properties("Custom::DapflowEmptied")
    functions = {function["FunctionName"] for function in prod.properties("AWS::Lambda::Function")}
    assert "dapflow-prod-emptied" not in functions


def test_a_lake_without_old_versions_is_not_versioned(local: Templates) -> None:
    """As on one machine; MWAA's bucket is, because MWAA takes no other."""
    for bucket in local.properties("AWS::S3::Bucket"):
        kept = any(name in bucket["BucketName"] for name in ("-airflow-", "-access-logs-"))
        assert ("VersioningConfiguration" in bucket) is kept


def test_accesses_are_logged(prod: Templates) -> None:
    for bucket in prod.properties("AWS::S3::Bucket"):
        if bucket["BucketName"] != name("access-logs"):
            assert bucket["LoggingConfiguration"]["DestinationBucketName"] == name("access-logs")


def test_branches_have_a_bucket_at_their_host_only(prod: Templates, staging: Templates) -> None:
    bucket = staging.one("AWS::S3::Bucket", BucketName="dapflow-staging-branches-111122223333")
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules["expire"]["ExpirationInDays"] == 14
    assert not [bucket for bucket in prod.properties("AWS::S3::Bucket") if "branches" in bucket["BucketName"]]
