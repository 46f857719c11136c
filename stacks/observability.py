"""What tells people that something is wrong: alarms, an hourly look at the products, a chat channel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.accepted_findings import accept
from stacks.alert_topic import alert_topic
from stacks.dashboard import dashboard
from stacks.function import FunctionProps, PlatformFunction
from stacks.platform_alarms import PlatformAlarms
from stacks.policies import allow
from stacks.settings_model import AlertSettings


@dataclass(frozen=True)
class ObservabilityProps:
    """Props of ``Observability``.

    Attributes:
        airflow: name of the MWAA environment. bucket, dags: where its bundle is; ``dags`` ends in ``/``.
        workgroup_prefix: what the names of the workgroups begin with.
        databases: physical names, for the hourly look at partitions.
        secrets: what the names of secrets begin with; ends in ``/``.
        pauses: hours more than a day between two ticks, by cron line, of those that leave out days.
        branch_stacks: what the names of branch stacks begin with, or None where no branches are hosted.
        branch_days: for how long a branch stays that nobody deploys again.
    """

    stem: str
    airflow: str
    secrets: str
    pauses: Mapping[str, float]
    settings: AlertSettings
    bucket: str
    dags: str
    key_arn: str
    workgroup_prefix: str
    databases: tuple[str, ...]
    branch_stacks: str | None
    branch_days: int
    log_days: int
    retain: bool

    @property
    def metrics(self) -> str:
        """The platform's own CloudWatch namespace in this environment."""
        return metrics_namespace(self.stem)


def metrics_namespace(stem: str) -> str:
    """CloudWatch namespace of an environment's own metrics."""
    return f"dapflow/{stem}"


class Observability(Construct):
    """Alarms, dashboard, hourly watch, chat, and the reaper of branch environments."""

    def __init__(self, scope: Construct, construct_id: str, props: ObservabilityProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._topic = alert_topic(self, props.stem, key_arn=props.key_arn, emails=props.settings.emails)
        PlatformAlarms(
            scope=self,
            stem=props.stem,
            airflow=props.airflow,
            metrics=props.metrics,
            settings=props.settings,
            branches=props.branch_stacks is not None,
            topic=self._topic,
        ).add()
        self._watch()
        dashboard(
            self,
            name=props.stem,
            airflow=props.airflow,
            metrics=props.metrics,
            workgroup_prefix=props.workgroup_prefix,
        )
        if props.settings.chat:
            self._chat()
        if props.branch_stacks is not None:
            self._reaper(props.branch_stacks)

    def _watch(self) -> None:
        stack = cdk.Stack.of(self)
        bucket = f"arn:aws:s3:::{self._props.bucket}"
        glue = f"arn:aws:glue:{stack.region}:{stack.account}"
        watch = self._function(
            "watch",
            "which data products are stale or empty",
            "watch.handler",
            statements=(
                allow("Bundle", ["s3:GetObject"], [f"{bucket}/{self._props.dags}*"]),
                allow(
                    "BundleKey",
                    ["kms:Decrypt"],
                    [self._props.key_arn],
                    {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
                ),
                allow(
                    "Partitions",
                    ["glue:GetPartitions"],
                    [
                        f"{glue}:catalog",
                        *(f"{glue}:database/{name}" for name in self._props.databases),
                        *(f"{glue}:table/{name}/*" for name in self._props.databases),
                    ],
                ),
                allow(
                    "Metrics",
                    ["cloudwatch:PutMetricData"],
                    ["*"],
                    {"StringEquals": {"cloudwatch:namespace": self._props.metrics}},
                ),
            ),
            reasons={
                "Bundle": "The bundle below its prefix of the Airflow bucket.",
                "Partitions": "Tables of the platform's Glue databases; it reads their partitions and no data.",
                "Metrics": "CloudWatch takes no resource here; the condition limits it to the platform's namespace.",
            },
            environment={
                "BUCKET": self._props.bucket,
                "PREFIX": self._props.dags,
                "NAMESPACE": self._props.metrics,
                "STALE_HOURS": str(self._props.settings.stale_hours),
            },
        )
        # What a function is told in its environment has 4 KB at most, here it may have twice as much.
        self._every(watch, cdk.Duration.hours(1), {"pauses": dict(sorted(self._props.pauses.items()))})

    def _chat(self) -> None:
        stack = cdk.Stack.of(self)
        name = f"{self._props.secrets}chat-webhook"
        secret = secretsmanager.CfnSecret(
            self,
            "webhook",
            name=name,
            description='Where alerts are posted: {"url": "https://…"}. A person sets it; no template holds it.',
            kms_key_id=self._props.key_arn,
            generate_secret_string=secretsmanager.CfnSecret.GenerateSecretStringProperty(
                secret_string_template=json.dumps({"url": "not set"}), generate_string_key="placeholder"
            ),
        )
        chat = self._function(
            "chat",
            "posts alerts to a chat channel",
            "chat.handler",
            statements=(
                allow("Webhook", ["secretsmanager:GetSecretValue"], [secret.ref]),
                allow(
                    "WebhookKey",
                    ["kms:Decrypt"],
                    [self._props.key_arn],
                    {"StringEquals": {"kms:ViaService": f"secretsmanager.{stack.region}.amazonaws.com"}},
                ),
            ),
            reasons={},
            environment={"WEBHOOK_SECRET": name},
        )
        accept(secret, "AwsSolutions-SMG4", "The webhook is issued by the chat service; nothing here can rotate it.")
        sns.CfnSubscription(self, "chat-alerts", topic_arn=self._topic, protocol="lambda", endpoint=chat.arn)
        lambda_.CfnPermission(
            self,
            "chat-permission",
            action="lambda:InvokeFunction",
            function_name=chat.arn,
            principal="sns.amazonaws.com",
            # The platform's topic and those of the services.
            source_arn=f"arn:aws:sns:{stack.region}:{stack.account}:{self._props.stem}-*",
        )

    def _reaper(self, prefix: str) -> None:
        stack = cdk.Stack.of(self)
        stacks = f"arn:aws:cloudformation:{stack.region}:{stack.account}:stack"
        reaper = self._function(
            "reaper",
            "deletes branch environments that have expired",
            "reaper.handler",
            statements=(
                # Listing takes no resource. Deleting uses the role that the stack was deployed with.
                allow("Find", ["cloudformation:DescribeStacks"], ["*"]),
                allow("Delete", ["cloudformation:DeleteStack"], [f"{stacks}/{prefix}*/*"]),
            ),
            reasons={
                "Find": "CloudFormation lists stacks for all resources only; names and times are all that is read.",
                "Delete": "Stacks of branch environments, whose names all begin with this prefix.",
            },
            environment={"STACK_PREFIX": prefix, "DAYS": str(self._props.branch_days)},
        )
        self._every(reaper, cdk.Duration.hours(1))

    def _function(
        self,
        name: str,
        description: str,
        handler: str,
        *,
        statements: tuple[Any, ...],
        reasons: dict[str, str],
        environment: dict[str, str],
    ) -> PlatformFunction:
        return PlatformFunction(
            self,
            name,
            FunctionProps(
                name=f"{self._props.stem}-{name}",
                description=description,
                handler=handler,
                statements=statements,
                key_arn=self._props.key_arn,
                log_days=self._props.log_days,
                reasons=reasons,
                environment=environment,
                retain_logs=self._props.retain,
            ),
        )

    def _every(self, function: PlatformFunction, period: cdk.Duration, told: Mapping[str, Any] | None = None) -> None:
        rule = events.Rule(self, f"{function.node.id}-schedule", schedule=events.Schedule.rate(period), enabled=True)
        event = None if told is None else events.RuleTargetInput.from_object(told)
        rule.add_target(targets.LambdaFunction(function.function, event=event, retry_attempts=2))
