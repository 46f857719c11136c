"""S3 buckets of templates, and prefixes that go with their stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dapflow.errors import DapflowError
from dapflow.local.aws_session import REGION
from dapflow.local.cloudformation.resource_kind import Properties, ResourceKind


class Buckets(ResourceKind):
    """S3 buckets."""

    service = "s3"
    takes = frozenset(
        {
            "BucketEncryption",
            "BucketName",
            "LifecycleConfiguration",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        }
    )
    # The emulated S3 asks for a bucket policy that it then applies without its conditions.
    leaves = frozenset({"LoggingConfiguration"})

    def existing(self) -> set[str]:
        """All names."""
        return {bucket["Name"] for bucket in self._client.list_buckets()["Buckets"]}

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        self._client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.update(name, properties)

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        s3 = self._client
        versioning = properties.get("VersioningConfiguration")
        if versioning or s3.get_bucket_versioning(Bucket=name).get("Status"):
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning or {"Status": "Suspended"})
        settings: tuple[tuple[str, Callable[[Any], Any], Callable[..., Any], Callable[..., Any], str], ...] = (
            (
                "BucketEncryption",
                _encryption,
                s3.put_bucket_encryption,
                s3.delete_bucket_encryption,
                "ServerSideEncryptionConfiguration",
            ),
            (
                "LifecycleConfiguration",
                _lifecycle,
                s3.put_bucket_lifecycle_configuration,
                s3.delete_bucket_lifecycle,
                "LifecycleConfiguration",
            ),
            (
                "OwnershipControls",
                _as_it_is,
                s3.put_bucket_ownership_controls,
                s3.delete_bucket_ownership_controls,
                "OwnershipControls",
            ),
            (
                "PublicAccessBlockConfiguration",
                _as_it_is,
                s3.put_public_access_block,
                s3.delete_public_access_block,
                "PublicAccessBlockConfiguration",
            ),
            ("Tags", lambda tags: {"TagSet": tags}, s3.put_bucket_tagging, s3.delete_bucket_tagging, "Tagging"),
        )
        for setting, converted, put, remove, argument in settings:
            if setting in properties:
                put(Bucket=name, **{argument: converted(properties[setting])})
            else:
                remove(Bucket=name)

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        # As CloudFormation: a bucket that holds objects stays, and the error says so.
        self._client.delete_bucket(Bucket=name)


class Emptied(ResourceKind):
    """Prefixes of buckets that are emptied when their stack goes."""

    service = "s3"
    listed = False
    takes = frozenset({"Bucket", "Prefix", "ServiceToken"})

    def existing(self) -> set[str]:
        """None: it is a promise, not a thing."""
        return set()

    def create(self, name: str, properties: Properties) -> None:
        """Nothing to make."""

    def update(self, name: str, properties: Properties) -> None:
        """Nothing to change."""

    def delete(self, name: str, properties: Properties) -> None:
        """Delete all below the prefix, with old versions and the markers of deleted objects."""
        bucket = properties["Bucket"]
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=properties["Prefix"])
        for page in pages:
            listed = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if listed:
                versions = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in listed]
                answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
                for refused in answer.get("Errors", ()):
                    raise DapflowError(
                        "aws", f"S3 refused to delete s3://{bucket}/{refused['Key']}: {refused.get('Message')}"
                    )


class BranchData(Emptied):
    """The data of a branch, which go with its bundle. The bundle itself is written to .dapflow/bundle."""

    takes = Emptied.takes | {"AssetKey"}


def _as_it_is(value: Any) -> Any:
    return value


def _encryption(value: Any) -> Any:
    return {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
                "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
            }
            for rule in value["ServerSideEncryptionConfiguration"]
        ]
    }


def _lifecycle(value: Any) -> Any:
    """CloudFormation's rules as S3's API has them."""
    same = ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Status")
    rules = []
    for rule in value["Rules"]:
        expiration = {
            name: rule[key]
            for key, name in (("ExpirationInDays", "Days"), ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"))
            if key in rule
        }
        rules.append(
            {
                "ID": rule["Id"],
                "Filter": {"Prefix": rule.get("Prefix", "")},
                **({"Expiration": expiration} if expiration else {}),
                **{key: rule[key] for key in same if key in rule},
            }
        )
    return {"Rules": rules}
