"""A Lambda function of the platform itself: its own log group, its own role, no more rights than it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.accepted_findings import accept_patterns
from stacks.policies import Statement, allow, assumable_by_service, document
from stacks.removal import removal

_SOURCES = Path(__file__).parent / "functions"


@dataclass(frozen=True)
class FunctionProps:
    """Props of ``PlatformFunction``.

    Attributes:
        name: of the function; its log group is ``/aws/lambda/<name>``.
        handler: ``module.function`` in ``stacks/functions``.
        statements: what it may do, apart from writing its log. reasons: why some name resources by a pattern.
    """

    name: str
    description: str
    handler: str
    statements: tuple[Statement, ...]
    key_arn: str
    log_days: int
    reasons: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    minutes: int = 5
    retain_logs: bool = False


class PlatformFunction(Construct):
    """A Python function of the platform."""

    def __init__(self, scope: Construct, construct_id: str, props: FunctionProps) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        name = f"/aws/lambda/{props.name}"
        group = logs.CfnLogGroup(
            self, "log", log_group_name=name, retention_in_days=props.log_days, kms_key_id=props.key_arn
        )
        group.apply_removal_policy(removal(props.retain_logs))
        log_arn = f"arn:aws:logs:{stack.region}:{stack.account}:log-group:{name}:log-stream:*"
        write_log = allow("Log", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_arn])
        policy = document(write_log, *props.statements)
        role = iam.CfnRole(
            self,
            "role",
            description=f"{props.name}: {props.description}",
            assume_role_policy_document=assumable_by_service("lambda.amazonaws.com"),
            policies=[iam.CfnRole.PolicyProperty(policy_name="function", policy_document=policy)],
        )
        reasons = {"Log": "The streams of the function's own log group, which Lambda names.", **props.reasons}
        accept_patterns(role, policy, reasons)
        function = lambda_.Function(
            self,
            "function",
            function_name=props.name,
            description=props.description,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            handler=props.handler,
            code=lambda_.Code.from_asset(str(_SOURCES), exclude=["__pycache__", "*.pyc"]),
            role=iam.Role.from_role_arn(self, "role-ref", role.attr_arn, mutable=False),
            timeout=cdk.Duration.minutes(props.minutes),
            memory_size=512,
            environment=dict(props.environment),
            log_group=logs.LogGroup.from_log_group_name(self, "log-ref", name),
        )
        function.node.add_dependency(group)
        self.function = function
        self.role = role

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.function.function_arn
