"""What a service is told of: a topic, alarms, a budget."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from dapflow.manifest import Service
from stacks.alert_topic import alert_topic


@dataclass(frozen=True)
class Watch:
    """Limits whose crossing the service is told of, and who is told: addresses, and the function that posts to chat."""

    emails: tuple[str, ...]
    monthly_usd: float
    scanned_gb_per_day: float
    metrics: str
    chat: str | None


@dataclass(frozen=True)
class ServiceAlerts:
    """The alerts of a service, which become part of its construct.

    Attributes:
        name: what the names of the resources begin with. workgroup: physical name. key_arn: of the platform's key.
    """

    scope: Construct
    service: Service
    name: str
    workgroup: str
    key_arn: str
    watch: Watch

    def add(self) -> None:
        """Add them to the construct."""
        owner = self.service.owner
        topic = alert_topic(
            self.scope,
            self.name,
            key_arn=self.key_arn,
            emails=dict.fromkeys([*([owner] if owner else []), *self.watch.emails]),
            display_name=self.service.title[:100],
        )
        if self.watch.chat is not None:
            sns.CfnSubscription(self.scope, "alerts-chat", topic_arn=topic, protocol="lambda", endpoint=self.watch.chat)
        self._alarm(
            "scanned",
            topic,
            "has scanned more in a day than its budget",
            namespace="AWS/Athena",
            metric_name="ProcessedBytes",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="WorkGroup", value=self.workgroup)],
            threshold=self.watch.scanned_gb_per_day * 1024**3,
            period=86400,
        )
        for metric, what in (("StaleProducts", "has a product that is stale"), ("EmptyProducts", "published no rows")):
            self._alarm(
                metric.removesuffix("Products").lower(),
                topic,
                what,
                namespace=self.watch.metrics,
                metric_name=metric,
                dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="Service", value=self.service.name)],
                threshold=0,
                period=3600,
            )
        self._budget(topic)

    def _alarm(
        self,
        what: str,
        topic: str,
        description: str,
        *,
        namespace: str,
        metric_name: str,
        dimensions: list[cloudwatch.CfnAlarm.DimensionProperty],
        threshold: float,
        period: int,
    ) -> None:
        cloudwatch.CfnAlarm(
            self.scope,
            f"alarm-{what}",
            alarm_name=f"{self.name}-{what}",
            alarm_description=f"{self.service.title} {description}",
            namespace=namespace,
            metric_name=metric_name,
            dimensions=dimensions,
            statistic="Sum" if period == 86400 else "Maximum",
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            period=period,
            evaluation_periods=1,
            # A day without queries has scanned nothing. An hour in which nobody looked says nothing of the products.
            treat_missing_data="notBreaching" if period == 86400 else "ignore",
            alarm_actions=[topic],
            ok_actions=[topic],
        )

    def _budget(self, topic: str) -> None:
        budgets.CfnBudget(
            self.scope,
            "budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=self.name,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=self.watch.monthly_usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:dapflow:service${self.service.name}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN",
                        notification_type=kind,
                        threshold=threshold,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[budgets.CfnBudget.SubscriberProperty(address=topic, subscription_type="SNS")],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
