"""The SNS topic that the alerts of a service or of the platform go to."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_sns as sns
from constructs import Construct

from dapflow.platform import topic_name
from stacks import policies


def alert_topic(
    scope: Construct, name: str, *, key_arn: str, emails: Iterable[str], display_name: str | None = None
) -> str:
    """Add a topic with its subscribers to a construct; returns its ARN. ``name`` is whose alerts they are."""
    topic = sns.CfnTopic(
        scope, "alerts", topic_name=topic_name(name), display_name=display_name, kms_master_key_id=key_arn
    )
    sns.CfnTopicPolicy(
        scope,
        "alerts-policy",
        topics=[topic.ref],
        policy_document=_topic_policy(topic.ref, cdk.Stack.of(scope).account),
    )
    for number, email in enumerate(emails):
        sns.CfnSubscription(scope, f"alerts-{number}", topic_arn=topic.ref, protocol="email", endpoint=email)
    return topic.ref


def _topic_policy(topic: str, account: str) -> policies.Document:
    """Alarms and budgets of this account may publish to a topic, over TLS; nobody else may."""
    return policies.document(
        {
            "Sid": "Alarms",
            "Effect": "Allow",
            "Principal": {"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        },
        {
            "Sid": "OnlyTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )
