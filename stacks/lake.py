"""The lake: a bucket and a key per zone, the results of queries, what Airflow loads, and the access logs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from dapflow.platform import Bucket
from stacks.accepted_findings import accept
from stacks.removal import removal
from stacks.settings_model import RetentionSettings

# Services that publish to the platform's encrypted topics, and so use its key.
_PUBLISHERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")
# What CloudWatch Logs is given to encrypt log groups with a key, in the form that AWS documents.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
_LOGS_ACTIONS = ("kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*")


@dataclass(frozen=True)
class LakeProps:
    """Props of ``Lake``.

    Attributes:
        stem: what names begin with, ``dapflow-prod``.
        buckets: of the zones and of Athena's results.
        airflow_bucket, access_logs_bucket: names of the two others. branch_bucket: of branch environments, or None.
        adopted_buckets: names by zone; they are not created. adopted_keys: ARNs by zone; the same.
        retain: data outlives the stack.
    """

    stem: str
    buckets: tuple[Bucket, ...]
    airflow_bucket: str
    access_logs_bucket: str
    branch_bucket: str | None
    adopted_buckets: Mapping[str, str]
    adopted_keys: Mapping[str, str]
    retention: RetentionSettings
    branch_days: int
    retain: bool


class Lake(Construct):
    """The buckets and keys of one environment. Their keys are exported as ``<stem>-key-<zone>``.

    ``created`` are the buckets that are not adopted, by name.
    """

    def __init__(self, scope: Construct, construct_id: str, props: LakeProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._removal = removal(props.retain)
        self.keys: dict[str, str] = {}
        self.created: dict[str, s3.Bucket] = {}
        self._logs = self._access_logs()
        platform = self._key("platform")
        self._let_services_use(platform)
        results = self._key("athena-results")
        for bucket in props.buckets:
            key = results if bucket.zone == "athena-results" else self._key(bucket.zone)
            if bucket.zone not in props.adopted_buckets:
                self._bucket(bucket.zone, bucket.name, key, results)
        self._bucket("airflow", props.airflow_bucket, platform, platform)
        if props.branch_bucket is not None:
            self._bucket("branches", props.branch_bucket, results, results, expires=props.branch_days)

    def _key(self, zone: str) -> kms.IKey:
        adopted = self._props.adopted_keys.get(zone)
        if adopted is not None:
            key: kms.IKey = kms.Key.from_key_arn(self, f"{zone}-key", adopted)
        else:
            key = kms.Key(
                self,
                f"{zone}-key",
                alias=f"alias/{self._props.stem}-{zone}",
                description=f"{self._props.stem}: {zone}",
                enable_key_rotation=True,
                removal_policy=self._removal,
            )
        self.keys[zone] = key.key_arn
        cdk.CfnOutput(self, f"{zone}-key-arn", value=key.key_arn, export_name=key_export(self._props.stem, zone))
        return key

    def _let_services_use(self, key: kms.IKey) -> None:
        stack = cdk.Stack.of(self)
        for service in _PUBLISHERS:
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(service)],
                    actions=["kms:Decrypt", "kms:GenerateDataKey"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
                )
            )
        # Logs names the log group in the encryption context and sends no source account.
        groups = f"arn:aws:logs:{stack.region}:{stack.account}:*"
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
                actions=list(_LOGS_ACTIONS),
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )

    def _access_logs(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "access-logs",
            bucket_name=self._props.access_logs_bucket,
            # The only encryption that S3's log delivery can write with.
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            lifecycle_rules=[*self._rules(), self._expiry(self._props.retention.access_logs_days)],
            removal_policy=self._removal,
        )
        self.created[self._props.access_logs_bucket] = bucket
        accept(bucket, "AwsSolutions-S1", "This is where access logs go; logging its own accesses would feed itself.")
        return bucket

    def _bucket(
        self, zone: str, name: str, key: kms.IKey, results_key: kms.IKey, expires: int | None = None
    ) -> s3.Bucket:
        days = self._props.retention.results_days if zone == "athena-results" else expires
        bucket = s3.Bucket(
            self,
            zone,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            # MWAA takes a versioned bucket only.
            versioned=zone == "airflow" or self._props.retention.old_versions_days > 0,
            server_access_logs_bucket=self._logs,
            server_access_logs_prefix=f"{zone}/",
            lifecycle_rules=[*self._rules(), *([self._expiry(days)] if days else [])],
            removal_policy=self._removal,
        )
        self.created[name] = bucket
        self._pin_encryption(bucket, key, results_key)
        return bucket

    @staticmethod
    def _pin_encryption(bucket: s3.Bucket, key: kms.IKey, results_key: kms.IKey) -> None:
        """Refuse every encryption but with the bucket's own key, or with the results' key, as Athena writes.

        A request that names none gets the bucket's own. A key of another account, or one that the client brings along
        (SSE-C), would make of an object what only its writer can read.
        """
        ours = list(dict.fromkeys([key.key_arn, results_key.key_arn]))
        pinned: dict[str, dict[str, dict[str, Any]]] = {
            "OnlyOurKeys": {
                "Null": {"s3:x-amz-server-side-encryption": "false"},
                "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": ours},
            },
            "NoKeysOfClients": {"Null": {"s3:x-amz-server-side-encryption-customer-algorithm": "false"}},
        }
        for sid, conditions in pinned.items():
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=sid,
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:PutObject"],
                    resources=[bucket.arn_for_objects("*")],
                    conditions=conditions,
                )
            )

    def _rules(self) -> list[s3.LifecycleRule]:
        retention = self._props.retention
        return [
            s3.LifecycleRule(
                id="abort-incomplete-uploads",
                abort_incomplete_multipart_upload_after=cdk.Duration.days(retention.incomplete_uploads_days),
            ),
            s3.LifecycleRule(
                id="expire-old-versions",
                # S3 knows no rule of no days: what has no old versions is not asked to expire them.
                noncurrent_version_expiration=cdk.Duration.days(max(1, retention.old_versions_days)),
                expired_object_delete_marker=True,
            ),
        ]

    @staticmethod
    def _expiry(days: int) -> s3.LifecycleRule:
        return s3.LifecycleRule(id="expire", expiration=cdk.Duration.days(days))


def key_export(stem: str, zone: str) -> str:
    """Name of the CloudFormation export that carries the ARN of a zone's key."""
    return f"{stem}-key-{zone}"
