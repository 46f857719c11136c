"""IAM roles and policies of templates."""

from __future__ import annotations

import json

from dapflow.local.aws_session import ACCOUNT
from dapflow.local.cloudformation.resource_kind import Properties, ResourceKind


class Roles(ResourceKind):
    """IAM roles with their inline policies."""

    service = "iam"
    takes = frozenset(
        {"AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path", "Policies", "RoleName", "Tags"}
    )

    def existing(self) -> set[str]:
        """All names."""
        pages = self._client.get_paginator("list_roles").paginate()
        return {role["RoleName"] for page in pages for role in page["Roles"]}

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
        kept = {policy["PolicyName"] for policy in properties.get("Policies", [])}
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
        return {policy["PolicyName"] for page in pages for policy in page["Policies"]}

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


def _policy_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"
