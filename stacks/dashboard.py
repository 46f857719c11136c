"""The dashboard of an environment: what fails, what waits, what is scanned, what is stale."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct


def dashboard(scope: Construct, *, name: str, airflow: str, metrics: str, workgroup_prefix: str) -> None:
    """The dashboard ``name`` of an MWAA environment, of a CloudWatch namespace, and of the workgroups called alike."""
    stack = cdk.Stack.of(scope)

    def search(title: str, query: str, statistic: str, x: int, y: int) -> dict[str, Any]:
        expression = f"SEARCH('{query}', '{statistic}', 3600)"
        return {
            "type": "metric",
            "x": x,
            "y": y,
            "width": 12,
            "height": 6,
            "properties": {
                "title": title,
                "region": stack.region,
                "view": "timeSeries",
                "metrics": [[{"expression": expression}]],
            },
        }

    # In quotes a term is the whole value, without them a part of it; parts end at hyphens.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html
    ours = " ".join(f"WorkGroup={part}" for part in workgroup_prefix.split("-"))
    workgroups = f'{{AWS/Athena,WorkGroup}} MetricName="ProcessedBytes" {ours}'
    widgets = [
        search(
            "Failed tasks",
            f'{{AmazonMWAA,DAG,Environment,Task}} MetricName="TaskInstanceFailures" Environment="{airflow}"',
            "Sum",
            0,
            0,
        ),
        search(
            "Tasks, queued and running",
            f'{{AmazonMWAA,Environment,Function}} Environment="{airflow}" MetricName=("QueuedTasks" OR "RunningTasks")',
            "Average",
            12,
            0,
        ),
        search("Bytes scanned by service", workgroups, "Sum", 0, 6),
        search("Stale and empty products by service", f'{{"{metrics}",Service}}', "Maximum", 12, 6),
    ]
    cloudwatch.CfnDashboard(
        scope,
        "dashboard",
        dashboard_name=name,
        dashboard_body=stack.to_json_string({"widgets": widgets}),
    )
