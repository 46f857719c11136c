"""Alarms of an environment: Airflow, calls that AWS refuses, the platform's own functions."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.settings_model import AlertSettings

# What Athena, Glue and S3 say when they are asked too often, as boto3 writes it into a task's log.
_THROTTLES = '?"TooManyRequestsException" ?"ThrottlingException" ?"SlowDown"'


@dataclass(frozen=True)
class PlatformAlarms:
    """The alarms of an environment, which become part of a construct.

    Attributes:
        airflow: name of the MWAA environment. metrics: the platform's own CloudWatch namespace.
        branches: whether branch environments are hosted. topic: ARN of the topic that is told.
    """

    scope: Construct
    stem: str
    airflow: str
    metrics: str
    settings: AlertSettings
    branches: bool
    topic: str

    def add(self) -> None:
        """Add them to the construct."""
        environment = cloudwatch.CfnAlarm.DimensionProperty(name="Environment", value=self.airflow)

        def dimensions(**others: str) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
            return [
                *(cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value) for name, value in others.items()),
                environment,
            ]

        self._alarm(
            "failed-task",
            "A task failed, and may be tried again. Look at the log of the task in Airflow.",
            namespace="AmazonMWAA",
            metric_name="TaskInstanceFailures",
            dimensions=dimensions(DAG="All", Task="All"),
            statistic="Sum",
            threshold=0,
        )
        self._alarm(
            "no-heartbeat",
            "Airflow's scheduler does not run.",
            namespace="AmazonMWAA",
            metric_name="SchedulerHeartbeat",
            dimensions=dimensions(Function="Scheduler"),
            statistic="Sum",
            comparison="LessThanThreshold",
            threshold=1,
            periods=3,
            missing="breaching",
        )
        self._alarm(
            "queued-too-long",
            f"Tasks have been waiting for {self.settings.queued_minutes} minutes: more workers, or fewer tasks.",
            namespace="AmazonMWAA",
            metric_name="QueuedTasks",
            dimensions=dimensions(Function="Executor"),
            statistic="Minimum",
            threshold=0,
            periods=max(1, self.settings.queued_minutes // 5),
        )
        logs.CfnMetricFilter(
            self.scope,
            "throttles",
            log_group_name=f"airflow-{self.airflow}-Task",
            filter_pattern=_THROTTLES,
            metric_transformations=[
                logs.CfnMetricFilter.MetricTransformationProperty(
                    metric_namespace=self.metrics, metric_name="Throttles", metric_value="1", default_value=0
                )
            ],
        )
        self._alarm(
            "throttled",
            "AWS refuses calls because there are too many: spread the schedules, or ask for a higher quota.",
            namespace=self.metrics,
            metric_name="Throttles",
            dimensions=[],
            statistic="Sum",
            threshold=20,
            periods=3,
        )
        self._failures("watch", "The hourly look at the data products failed, so a stale one would go unseen.")
        if self.settings.chat:
            self._failures("chat", "Alerts do not reach the chat channel. Is the webhook's address in its secret?")
        if self.branches:
            self._failures("reaper", "An expired branch environment could not be deleted. Its stack says why.")
            self._failures("branch", "The bundle of a branch was not taken, or one without a stack was not removed.")

    def _failures(self, function: str, description: str) -> None:
        """An alarm for errors of one of the functions."""
        self._alarm(
            f"{function}-failed",
            description,
            namespace="AWS/Lambda",
            metric_name="Errors",
            dimensions=[cloudwatch.CfnAlarm.DimensionProperty(name="FunctionName", value=f"{self.stem}-{function}")],
            statistic="Sum",
            threshold=0,
        )

    def _alarm(
        self,
        name: str,
        description: str,
        *,
        namespace: str,
        metric_name: str,
        dimensions: list[cloudwatch.CfnAlarm.DimensionProperty],
        statistic: str,
        threshold: float,
        comparison: str = "GreaterThanThreshold",
        periods: int = 1,
        missing: str = "notBreaching",
    ) -> None:
        cloudwatch.CfnAlarm(
            self.scope,
            name,
            alarm_name=f"{self.stem}-{name}",
            alarm_description=description,
            namespace=namespace,
            metric_name=metric_name,
            dimensions=dimensions,
            statistic=statistic,
            comparison_operator=comparison,
            threshold=threshold,
            period=300,
            evaluation_periods=periods,
            treat_missing_data=missing,
            alarm_actions=[self.topic],
            ok_actions=[self.topic],
        )
