"""Findings of cdk-nag that are accepted, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping

import aws_cdk as cdk
from constructs import IConstruct

from stacks.policies import Document
from stacks.policy_parts import plain_sid

# Patterns in actions, as AWS documents the execution role of MWAA.
_DOCUMENTED = {"kms:GenerateDataKey*", "s3:GetBucket*", "s3:GetObject*", "s3:List*"}


def accept(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept a rule's finding on a construct and what is inside it."""
    cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))


def accept_patterns(construct: IConstruct, policy: Document, reasons: Mapping[str, str]) -> None:
    """Accept the resource patterns of a policy, statement by statement: ``reasons`` are by the statement's ``Sid``.

    A statement without a reason stays a finding. A pattern in an action is one, but for the forms that AWS documents.
    """
    accepted: dict[str, list[str]] = {}
    for statement in policy["Statement"]:
        reason = reasons.get(plain_sid(statement["Sid"]))
        for action in statement["Action"]:
            if action in _DOCUMENTED:
                accept(construct, f"AwsSolutions-IAM5[Action::{action}]", "The form that AWS documents for MWAA.")
        for resource in statement["Resource"]:
            if reason is not None and isinstance(resource, str) and "*" in resource:
                # The rules write a variable of IAM, `${aws:…}`, in other brackets.
                accepted.setdefault(re.sub(r"\$\{([^}]*)\}", r"<\1>", resource), []).append(reason)
    for resource, why in accepted.items():
        accept(construct, f"AwsSolutions-IAM5[Resource::{resource}]", " ".join(dict.fromkeys(why)))
