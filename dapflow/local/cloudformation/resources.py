"""Resources of the templates on the embedded platform: what is there, made, changed and removed through AWS's API.

A property that is neither carried over nor listed as left out is an error: nothing of a template is lost in silence.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import boto3

from dapflow.errors import DapflowError
from dapflow.local.aws_session import ACCOUNT, REGION
from dapflow.local.cloudformation.template import Resource

Properties = dict[str, Any]

# Types of which the embedded platform has nothing, and why.
LEFT_OUT = {
    "AWS::KMS::Alias": "nothing is encrypted on one machine: keys are names",
    "AWS::KMS::Key": "nothing is encrypted on one machine: keys are names",
    "AWS::Lambda::Function": "there is no Lambda: the functions serve CloudFormation",
    "AWS::Logs::LogGroup": "of these functions",
    "AWS::S3::BucketPolicy": "the emulated S3 takes no notice of conditions, and would refuse every request",
    "Custom::DapflowBundle": "bundles are written to .dapflow/bundle",
}


class ResourceKind(ABC):
    """The resources of one type, of an AWS ``service``. ``takes`` and ``leaves`` name all properties they may have.

    ``listed`` says whether AWS can list them: of others ``existing`` knows none.
    """

    service: str
    listed = True
    takes: frozenset[str]
    leaves: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._client: Any = boto3.client(self.service)  # type: ignore[call-overload]

    def check(self, resource: Resource) -> None:
        """Raise DapflowError ``template`` for a property that is not known here."""
        unknown = resource.properties.keys() - self.takes - self.leaves
        if unknown:
            names = ", ".join(sorted(unknown))
            raise DapflowError("template", f"{resource.id}: {names} of {resource.type} is unknown to the platform")

    @abstractmethod
    def existing(self) -> set[str]:
        """The names of all that are there."""

    @abstractmethod
    def create(self, name: str, properties: Properties) -> None:
        """Make one that is not there."""

    @abstractmethod
    def update(self, name: str, properties: Properties) -> None:
        """Make one that is there what the properties say."""

    @abstractmethod
    def delete(self, name: str, properties: Properties) -> None:
        """Remove one; ``properties`` are its last."""

    def check_rename(self, name: str, new: str) -> None:  # noqa: B027 (most hold nothing that would go with the name)
        """Raise DapflowError ``database-renamed`` where one cannot get another name without a loss."""


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
        return {each["Name"] for each in self._client.list_buckets()["Buckets"]}

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
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if found:
                versions = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
                answer = self._client.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
                for refused in answer.get("Errors", ()):
                    raise DapflowError(
                        "aws", f"S3 refused to delete s3://{bucket}/{refused['Key']}: {refused.get('Message')}"
                    )


class Databases(ResourceKind):
    """Glue databases."""

    service = "glue"
    takes = frozenset({"CatalogId", "DatabaseInput"})

    def existing(self) -> set[str]:
        """All names."""
        pages = self._client.get_paginator("get_databases").paginate()
        return {each["Name"] for page in pages for each in page["DatabaseList"]}

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        self._client.create_database(DatabaseInput=properties["DatabaseInput"])

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        self._client.update_database(Name=name, DatabaseInput=properties["DatabaseInput"])

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        self._client.delete_database(Name=name)

    def check_rename(self, name: str, new: str) -> None:
        """A database gets another name by being made anew, without the tables of the old one."""
        pages = self._client.get_paginator("get_tables").paginate(DatabaseName=name)
        tables = sorted(table["Name"] for page in pages for table in page["TableList"])
        if tables:
            raise DapflowError(
                "database-renamed",
                f"the database {name} would be called {new} here, and what is published in it would be lost: "
                f"{', '.join(tables[:3])}{' …' if len(tables) > 3 else ''}",
                hint=f'let this environment keep its name by a name of its own, as in {{local: "{name}", prod: …}}; '
                "or begin anew: dapflow local down --wipe",
            )


class Roles(ResourceKind):
    """IAM roles with their inline policies."""

    service = "iam"
    takes = frozenset(
        {"AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "Policies", "RoleName", "Tags"}
    )

    def existing(self) -> set[str]:
        """All names."""
        pages = self._client.get_paginator("list_roles").paginate()
        return {each["RoleName"] for page in pages for each in page["Roles"]}

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        given = {
            key: properties[key] for key in ("Description", "MaxSessionDuration", "Path", "Tags") if key in properties
        }
        trust = json.dumps(properties["AssumeRolePolicyDocument"])
        self._client.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **given)
        self._put_policies(name, properties)

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        role = self._client.get_role(RoleName=name)["Role"]
        if role["Path"] != properties.get("Path", "/"):
            # A role's path is given once: CloudFormation replaces the role too.
            self.delete(name, properties)
            self.create(name, properties)
            return
        trust = json.dumps(properties["AssumeRolePolicyDocument"])
        self._client.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        self._client.update_role(
            RoleName=name,
            Description=properties.get("Description", ""),
            MaxSessionDuration=properties.get("MaxSessionDuration", 3600),
        )
        if properties.get("Tags"):
            self._client.tag_role(RoleName=name, Tags=properties["Tags"])
        kept = {each["PolicyName"] for each in properties.get("Policies", [])}
        self._delete_policies(name, kept)
        self._put_policies(name, properties)

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        self._delete_policies(name, set())
        self._client.delete_role(RoleName=name)

    def _put_policies(self, name: str, properties: Properties) -> None:
        for policy in properties.get("Policies", []):
            document = json.dumps(policy["PolicyDocument"])
            self._client.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)

    def _delete_policies(self, name: str, kept: set[str]) -> None:
        for policy in self._client.list_role_policies(RoleName=name)["PolicyNames"]:
            if policy not in kept:
                self._client.delete_role_policy(RoleName=name, PolicyName=policy)


class ManagedPolicies(ResourceKind):
    """IAM policies that people attach."""

    service = "iam"
    takes = frozenset({"Description", "ManagedPolicyName", "PolicyDocument"})
    # Those of a role whose own policy is full; nothing checks policies here.
    leaves = frozenset({"Roles"})

    def existing(self) -> set[str]:
        """All names."""
        pages = self._client.get_paginator("list_policies").paginate(Scope="Local")
        return {each["PolicyName"] for page in pages for each in page["Policies"]}

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        self._client.create_policy(
            PolicyName=name,
            Description=properties.get("Description", ""),
            PolicyDocument=json.dumps(properties["PolicyDocument"]),
        )

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        arn = _policy_arn(name)
        if self._client.get_policy(PolicyArn=arn)["Policy"].get("Description", "") != properties.get("Description", ""):
            # A policy's description is given once.
            self.delete(name, properties)
            self.create(name, properties)
            return
        document = json.dumps(properties["PolicyDocument"])
        self._delete_old_versions(arn)
        self._client.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        arn = _policy_arn(name)
        self._delete_old_versions(arn)
        self._client.delete_policy(PolicyArn=arn)

    def _delete_old_versions(self, arn: str) -> None:
        # AWS keeps five versions of a policy, and takes no sixth.
        for version in self._client.list_policy_versions(PolicyArn=arn)["Versions"]:
            if not version["IsDefaultVersion"]:
                self._client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


class AthenaWorkGroups(ResourceKind):
    """Athena workgroups."""

    service = "athena"
    takes = frozenset({"Description", "Name", "RecursiveDeleteOption", "State", "Tags", "WorkGroupConfiguration"})

    def existing(self) -> set[str]:
        """All names."""
        found: set[str] = set()
        token: dict[str, str] = {}
        while True:
            page = self._client.list_work_groups(**token)
            found |= {group["Name"] for group in page["WorkGroups"]}
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    def create(self, name: str, properties: Properties) -> None:
        """Make it."""
        self._client.create_work_group(
            Name=name,
            Description=properties.get("Description", ""),
            Configuration=properties["WorkGroupConfiguration"],
            Tags=properties.get("Tags", []),
        )

    def update(self, name: str, properties: Properties) -> None:
        """Change it."""
        settings = dict(properties["WorkGroupConfiguration"])
        results = settings.pop("ResultConfiguration", {})
        removed = {
            f"Remove{each}": True
            for each in ("EncryptionConfiguration", "ExpectedBucketOwner", "OutputLocation")
            if each not in results
        }
        if "BytesScannedCutoffPerQuery" not in settings:
            settings["RemoveBytesScannedCutoffPerQuery"] = True
        self._client.update_work_group(
            WorkGroup=name,
            Description=properties.get("Description", ""),
            State=properties.get("State", "ENABLED"),
            ConfigurationUpdates={**settings, "ResultConfigurationUpdates": {**results, **removed}},
        )
        if properties.get("Tags"):
            arn = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{name}"
            self._client.tag_resource(ResourceARN=arn, Tags=properties["Tags"])

    def delete(self, name: str, properties: Properties) -> None:
        """Remove it."""
        # A query that went on would write to prefixes that are emptied now.
        for page in self._client.get_paginator("list_query_executions").paginate(WorkGroup=name):
            if page["QueryExecutionIds"]:
                found = self._client.batch_get_query_execution(QueryExecutionIds=page["QueryExecutionIds"])
                for each in found["QueryExecutions"]:
                    if each["Status"]["State"] in {"QUEUED", "RUNNING"}:
                        self._client.stop_query_execution(QueryExecutionId=each["QueryExecutionId"])
        self._client.delete_work_group(
            WorkGroup=name, RecursiveDeleteOption=properties.get("RecursiveDeleteOption", False)
        )


class BranchData(Emptied):
    """The data of a branch, which go with its bundle. The bundle itself is written to .dapflow/bundle."""

    takes = Emptied.takes | {"AssetKey"}


KINDS: dict[str, type[ResourceKind]] = {
    "AWS::S3::Bucket": Buckets,
    "Custom::DapflowEmptied": Emptied,
    "Custom::DapflowBranch": BranchData,
    "AWS::Glue::Database": Databases,
    "AWS::IAM::Role": Roles,
    "AWS::IAM::ManagedPolicy": ManagedPolicies,
    "AWS::Athena::WorkGroup": AthenaWorkGroups,
}


def _policy_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


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
