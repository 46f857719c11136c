"""Airflow: the MWAA environment, its execution role and its logs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_mwaa as mwaa
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from stacks.accepted_findings import accept_patterns
from stacks.policies import Document, allow, document
from stacks.removal import removal
from stacks.settings_model import AirflowSettings

# Prefix of the bucket below which each MWAA environment has its files, apart from the host's DAGs.
AIRFLOW_FILES = "airflow"
_FILES = Path(__file__).parent / "airflow"
_LOGS = {
    "dag_processing_logs": "DAGProcessing",
    "scheduler_logs": "Scheduler",
    "task_logs": "Task",
    "webserver_logs": "WebServer",
    "worker_logs": "Worker",
}
_PATTERNS = {
    "Celery": "MWAA's Celery queue is in an account of AWS's whose number is not published; MWAA names the queue.",
    "Checks": "MWAA makes both calls before it starts, and AWS takes no resource for either.",
    "CloudWatch": "CloudWatch takes no resource here.",
    "Connections": "The connections and variables of this environment, below its own prefix.",
    "Logs": "The log groups of this Airflow environment, whose names MWAA makes from its name.",
    "OwnFiles": "What Airflow loads, in its own bucket.",
    "RunServices": "Runner roles below this environment's own IAM path; each trusts this role by name.",
}
_SCHEDULERS = {"mw1.micro": 1}


@dataclass(frozen=True)
class OrchestrationProps:
    """Props of ``Orchestration``.

    Attributes:
        name: of the MWAA environment.
        role_paths: IAM paths below which it may assume roles: its own services', and those of branches it hosts.
        secrets: prefix of the names of its connections and variables, ends in ``/``.
        upload: ARN of the function that puts files into the bucket.
        dags: prefix of the DAGs in the bucket, without the final ``/``.
    """

    name: str
    settings: AirflowSettings
    subnet_ids: list[str]
    security_group_id: str
    bucket: str
    dags: str
    key_arn: str
    role_paths: tuple[str, ...]
    secrets: str
    upload: str
    log_days: int
    retain: bool


class Orchestration(Construct):
    """An MWAA environment."""

    def __init__(self, scope: Construct, construct_id: str, props: OrchestrationProps) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._props = props
        groups = self._log_groups()
        policy = self._policy(stack.region, stack.account)
        role = iam.CfnRole(
            self,
            "execution",
            role_name=execution_role_name(props.name),
            description=f"{props.name}: Airflow. Of data it sees nothing but what the runner roles show it",
            assume_role_policy_document=self._trust(stack.region, stack.account),
            policies=[iam.CfnRole.PolicyProperty(policy_name="airflow", policy_document=policy)],
        )
        accept_patterns(role, policy, _PATTERNS)
        files, prefix = self._files()
        environment = mwaa.CfnEnvironment(
            self,
            "environment",
            name=props.name,
            airflow_version=props.settings.version,
            environment_class=props.settings.environment_class,
            min_workers=props.settings.min_workers,
            max_workers=props.settings.max_workers,
            schedulers=props.settings.schedulers or _SCHEDULERS.get(props.settings.environment_class, 2),
            webserver_access_mode="PUBLIC_ONLY" if props.settings.web_server == "public" else "PRIVATE_ONLY",
            # An update lets tasks that run end first, instead of killing a publication half-way.
            worker_replacement_strategy="GRACEFUL",
            weekly_maintenance_window_start=props.settings.maintenance,
            execution_role_arn=role.attr_arn,
            kms_key=props.key_arn,
            source_bucket_arn=f"arn:aws:s3:::{props.bucket}",
            dag_s3_path=props.dags,
            requirements_s3_path=f"{prefix}requirements.txt",
            startup_script_s3_path=f"{prefix}startup.sh",
            network_configuration=mwaa.CfnEnvironment.NetworkConfigurationProperty(
                subnet_ids=props.subnet_ids, security_group_ids=[props.security_group_id]
            ),
            logging_configuration=mwaa.CfnEnvironment.LoggingConfigurationProperty(
                **{
                    name: mwaa.CfnEnvironment.ModuleLoggingConfigurationProperty(
                        enabled=True, log_level=props.settings.log_level
                    )
                    for name in _LOGS
                }
            ),
            airflow_configuration_options=self._options(),
        )
        for group in groups:
            environment.add_resource_dependency(group)
        environment.node.add_dependency(files)

    def _options(self) -> Mapping[str, Any]:
        return {
            "secrets.backend": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
            "secrets.backend_kwargs": cdk.Stack.of(self).to_json_string(
                {
                    "connections_prefix": f"{self._props.secrets}connections",
                    "variables_prefix": f"{self._props.secrets}variables",
                }
            ),
            # New files are found within half a minute: a commit of SQL is a deployment.
            "dag_processor.refresh_interval": "30",
            "core.default_timezone": "utc",
            # MWAA leaves Airflow's default, which would wait for somebody to unpause what was deployed.
            "core.dags_are_paused_at_creation": "False",
            "api.expose_config": "False",
        }

    def _log_groups(self) -> list[logs.CfnLogGroup]:
        # MWAA would create them itself, and keep them for ever.
        groups = []
        for suffix in _LOGS.values():
            group = logs.CfnLogGroup(
                self,
                f"log-{suffix.lower()}",
                log_group_name=f"airflow-{self._props.name}-{suffix}",
                retention_in_days=self._props.log_days,
                kms_key_id=self._props.key_arn,
            )
            group.apply_removal_policy(removal(self._props.retain))
            groups.append(group)
        return groups

    def _files(self) -> tuple[cdk.CustomResource, str]:
        """Requirements and start-up script below a prefix named by their content.

        A live environment keeps every version; elsewhere one goes when the next is in use, or with the environment.
        """
        content = b"".join(file.read_bytes() for file in sorted(_FILES.iterdir()))
        prefix = f"{AIRFLOW_FILES}/{self._props.name}/{hashlib.sha256(content).hexdigest()[:16]}/"
        asset = assets.Asset(self, "files", path=str(_FILES))
        resource = cdk.CustomResource(
            self,
            "files-upload",
            service_token=self._props.upload,
            resource_type="Custom::DapflowBundle",
            properties={
                "AssetBucket": asset.s3_bucket_name,
                "AssetKey": asset.s3_object_key,
                "Bucket": self._props.bucket,
                "Prefix": prefix,
                "Remove": str(not self._props.retain).lower(),
            },
        )
        return resource, prefix

    def _trust(self, region: str, account: str) -> Document:
        arn = f"arn:aws:airflow:{region}:{account}:environment/{self._props.name}"
        return document(
            {
                "Effect": "Allow",
                "Principal": {"Service": ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]},
                "Action": "sts:AssumeRole",
                # Another environment, of ours or of anybody, must not get this role out of the service.
                "Condition": {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": arn}},
            }
        )

    def _policy(self, region: str, account: str) -> Document:
        """The execution role in the form that AWS documents, but for the Airflow bucket, whose listings it names.

        Narrower forms may do; nobody has seen MWAA start with them.
        https://docs.aws.amazon.com/mwaa/latest/userguide/mwaa-create-role.html
        """
        props = self._props
        roles = [f"arn:aws:iam::{account}:role{path}*" for path in props.role_paths]
        bucket = f"arn:aws:s3:::{props.bucket}"
        secrets = f"arn:aws:secretsmanager:{region}:{account}:secret:{props.secrets}"
        return document(
            allow("RunServices", ["sts:AssumeRole", "sts:TagSession"], roles),
            allow(
                "Metrics",
                ["airflow:PublishMetrics"],
                [f"arn:aws:airflow:{region}:{account}:environment/{props.name}"],
            ),
            allow("OwnFiles", ["s3:GetObject*", "s3:GetBucket*", "s3:List*"], [bucket, f"{bucket}/*"]),
            # MWAA looks at all of these before it starts; AWS takes no resource for them.
            allow("Checks", ["s3:GetAccountPublicAccessBlock", "logs:DescribeLogGroups"], ["*"]),
            allow(
                "Logs",
                [
                    "logs:CreateLogGroup",
                    "logs:CreateLogStream",
                    "logs:GetLogEvents",
                    "logs:GetLogGroupFields",
                    "logs:GetLogRecord",
                    "logs:GetQueryResults",
                    "logs:PutLogEvents",
                ],
                [f"arn:aws:logs:{region}:{account}:log-group:airflow-{props.name}-*"],
            ),
            allow("CloudWatch", ["cloudwatch:PutMetricData"], ["*"]),
            # The queue is in an account of MWAA's, whose number nobody is told.
            allow(
                "Celery",
                [
                    "sqs:ChangeMessageVisibility",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                    "sqs:GetQueueUrl",
                    "sqs:ReceiveMessage",
                    "sqs:SendMessage",
                ],
                [f"arn:aws:sqs:{region}:*:airflow-celery-*"],
            ),
            allow(
                "Key",
                ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"],
                [props.key_arn],
                {
                    "StringLike": {
                        "kms:ViaService": [
                            f"{service}.{region}.amazonaws.com" for service in ("s3", "secretsmanager", "sqs")
                        ]
                    }
                },
            ),
            allow(
                "Connections",
                ["secretsmanager:GetSecretValue"],
                [f"{secrets}connections/*", f"{secrets}variables/*"],
            ),
        )


def execution_role_name(name: str) -> str:
    """Name of the role of the MWAA environment ``name``; the runner roles trust it by this name."""
    return f"{name}-airflow"
