"""Delivery from GitHub Actions: short-lived credentials for one repository, one branch, one environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.accepted_findings import accept_patterns
from stacks.policies import Document, Statement, allow, document
from stacks.removal import removal

ISSUER = "token.actions.githubusercontent.com"


@dataclass(frozen=True)
class DeliveryProps:
    """Props of ``Delivery``.

    Attributes:
        stem: what role names begin with. environment: of dapflow, and of GitHub, under the same name.
        repository: ``owner/name``. main_branch: the only one that the environment is deployed from.
        subject_has_ref: whether the repository's OIDC subjects were told to name the git ref too. AWS sees no claim of
            GitHub's but the subject; without the ref in it, the branch rule of GitHub's environment is what keeps
            other branches out.
        create_provider: whether this environment creates the account's OIDC provider.
        qualifier: of the CDK bootstrap roles that a deployment assumes.
        branches: ARNs of the roles with which pull requests deploy branch environments here, and run them.
    """

    stem: str
    environment: str
    repository: str
    main_branch: str
    subject_has_ref: bool
    create_provider: bool
    qualifier: str
    branches: tuple[str, ...]


class Delivery(Construct):
    """GitHub's OIDC provider and the roles that workflows of the repository assume."""

    def __init__(self, scope: Construct, construct_id: str, props: DeliveryProps) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._props = props
        self._provider: Any = f"arn:aws:iam::{stack.account}:oidc-provider/{ISSUER}"
        if props.create_provider:
            provider = iam.CfnOIDCProvider(
                self, "github", url=f"https://{ISSUER}", client_id_list=["sts.amazonaws.com"]
            )
            # Other environments of the account use it by name.
            provider.apply_removal_policy(removal(retain=True))
            self._provider = provider.attr_arn
        repository = f"repo:{props.repository}"
        self._role(
            "deploy",
            f"deploys {props.environment} from {props.main_branch}",
            f"{repository}:environment:{props.environment}",
            f"refs/heads/{props.main_branch}",
            allow("Bootstrap", ["sts:AssumeRole"], self._bootstrap("deploy", "file-publishing", "lookup")),
        )
        self._role(
            "diff",
            f"shows on a pull request what would change in {props.environment}; it can change nothing",
            f"{repository}:pull_request",
            "refs/pull/*",
            # Not the bootstrap's role for look-ups, which may read everything in the account that is not encrypted.
            allow(
                "Templates",
                ["cloudformation:DescribeStacks", "cloudformation:GetTemplate"],
                [f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack/{props.stem}-*/*"],
            ),
            reasons={"Templates": "The stacks of one environment, whose names all begin with this prefix."},
        )
        if props.branches:
            self._role(
                "branch",
                "deploys, runs and destroys branch environments",
                f"{repository}:environment:branch",
                "refs/pull/*",
                allow("Branches", ["sts:AssumeRole"], props.branches),
            )

    def _bootstrap(self, *kinds: str) -> list[str]:
        """Roles of the CDK's bootstrap."""
        stack = cdk.Stack.of(self)
        stem = f"arn:aws:iam::{stack.account}:role/cdk-{self._props.qualifier}"
        return [f"{stem}-{kind}-role-{stack.account}-{stack.region}" for kind in kinds]

    def _role(
        self,
        name: str,
        purpose: str,
        subject: str,
        ref: str,
        statement: Statement,
        reasons: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """A role for workflows whose token has this subject, and this git ref where the subject names it."""
        policy = document(statement)
        role = iam.CfnRole(
            self,
            name,
            role_name=f"{self._props.stem}-{name}",
            description=f"GitHub Actions: {purpose}",
            max_session_duration=3600 * (2 if name == "deploy" else 1),
            assume_role_policy_document=self._trust(f"{subject}:ref:{ref}" if self._props.subject_has_ref else subject),
            policies=[iam.CfnRole.PolicyProperty(policy_name=name, policy_document=policy)],
        )
        accept_patterns(role, policy, reasons)

    def _trust(self, subject: str) -> Document:
        claims = {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}}
        claims.setdefault("StringLike" if "*" in subject else "StringEquals", {})[f"{ISSUER}:sub"] = subject
        return document(
            {
                "Effect": "Allow",
                "Principal": {"Federated": self._provider},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": claims,
            }
        )
