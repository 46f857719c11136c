"""What deploys branch environments: roles that reach nothing else, and the function that takes their bundles.

Whoever may push a branch writes its templates, so a pull request can do whatever these roles can. CloudFormation acts
through a role that makes Glue databases and Athena workgroups of branches and no roles, and the one function that it
may call takes data alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from constructs import Construct

from dapflow.branch import DATABASES, SESSION_TAGS
from stacks.accepted_findings import accept_patterns
from stacks.function import FunctionProps, PlatformFunction
from stacks.names import Names
from stacks.policies import Document, allow, assumable_by_service, document

# Of the bucket of branches: below it lie the files that a deployment uploads. No branch's slug is this.
ASSETS = "assets/"
_PATTERNS = {
    "Bundles": "The bundles of branches, below their own prefix of the Airflow bucket.",
    "RunBranches": "The runner roles of branches, below a path of their own.",
    "Assets": "Files of deployments of branches, below a prefix of their bucket that holds nothing else.",
    "Bundle": "The bundles of branches, below their own prefix of the Airflow bucket.",
    "Connections": "Airflow's connections of branches, whose names no other connection's begins like.",
    "Data": "The data of branches, in a bucket of their own.",
    "Databases": "Glue databases of branches and what is in them; no other database's name begins like theirs.",
    "Stacks": "Stacks of branches, whose names all begin with this prefix.",
    "StacksSeen": "Stacks of branches, whose names all begin with this prefix.",
    "Workgroups": "Athena workgroups of branches, whose names all begin with this prefix.",
}


def deploy_role(names: Names) -> str:
    """ARN of the role that deploys branches."""
    return f"arn:aws:iam::{names.account}:role/{names.branches}-deploy"


def cloudformation_role(names: Names) -> str:
    """ARN of the role that CloudFormation has for the stacks of branches."""
    return f"arn:aws:iam::{names.account}:role/{names.branches}-cloudformation"


def synthesizer(names: Names, qualifier: str) -> cdk.DefaultStackSynthesizer:
    """Lets a branch's stacks be deployed with these roles, and nothing of the account's bootstrap."""
    return cdk.DefaultStackSynthesizer(
        qualifier=qualifier,
        deploy_role_arn=deploy_role(names),
        cloud_formation_execution_role=cloudformation_role(names),
        file_asset_publishing_role_arn=deploy_role(names),
        lookup_role_arn=deploy_role(names),
        file_assets_bucket_name=names.bucket("branches"),
        bucket_prefix=ASSETS,
        # The rule would let CloudFormation read a parameter of the bootstrap, with the branches' role.
        generate_bootstrap_version_rule=False,
    )


@dataclass(frozen=True)
class BranchDeploymentProps:
    """Props of ``BranchDeployment``.

    Attributes:
        dags: prefix of the host's DAGs in its bucket, without the final ``/``.
        runner: whether ``dapflow branch run`` builds branches, so that they have no DAGs and no connections.
    """

    names: Names
    dags: str
    qualifier: str
    platform_key: str
    data_key: str
    log_days: int
    runner: bool


class BranchDeployment(Construct):
    """``<platform>-branch-deploy``, ``…-branch-cloudformation``, and the function ``<host>-branch``.

    With ``runner`` also ``<platform>-branch-run``, which the runner roles of branches trust in the place of Airflow.
    """

    def __init__(self, scope: Construct, construct_id: str, props: BranchDeploymentProps) -> None:
        super().__init__(scope, construct_id)
        self._props = props
        self._names = props.names
        self._function()
        self._role("cloudformation", assumable_by_service("cloudformation.amazonaws.com"), self._makes())
        root = {"AWS": f"arn:aws:iam::{self._names.account}:root"}
        trust = document({"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"})
        self._role("deploy", trust, self._deploys())
        if props.runner:
            self._role("run", trust, self._runs())

    def _role(self, name: str, trust: Document, policy: Document) -> None:
        role = iam.CfnRole(
            self,
            name,
            role_name=f"{self._names.branches}-{name}",
            description="Environments of branches, and nothing else",
            assume_role_policy_document=trust,
            policies=[iam.CfnRole.PolicyProperty(policy_name=name, policy_document=policy)],
        )
        accept_patterns(role, policy, _PATTERNS)

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self._names.region}:{self._names.account}:{resource}"

    def _makes(self) -> Document:
        """What CloudFormation makes of a branch: databases, workgroups, and what the function does."""
        databases = [f"{kind}/{DATABASES}*" for kind in ("database", "table", "userDefinedFunction")]
        return document(
            allow(
                "Databases",
                # Glue asks for the tables and functions of a database that is deleted too.
                ["glue:CreateDatabase", "glue:DeleteDatabase", "glue:GetDatabase", "glue:UpdateDatabase"],
                [self._arn("glue", name) for name in ("catalog", *databases)],
            ),
            allow(
                "Workgroups",
                [
                    "athena:CreateWorkGroup",
                    "athena:DeleteWorkGroup",
                    "athena:GetWorkGroup",
                    "athena:ListTagsForResource",
                    "athena:TagResource",
                    "athena:UntagResource",
                    "athena:UpdateWorkGroup",
                ],
                [self._arn("athena", f"workgroup/{self._names.branches}-*")],
            ),
            allow("Function", ["lambda:InvokeFunction"], [self._names.function_arn("branch")]),
        )

    def _deploys(self) -> Document:
        """What the CDK's command line does with a branch."""
        names, stacks = self._names, self._arn("cloudformation", f"stack/{self._names.branches}-*/*")
        bucket = f"arn:aws:s3:::{names.bucket('branches')}"
        role = cloudformation_role(names)
        return document(
            # Every action that may give a stack a role takes this condition; a stack that has one keeps it.
            allow(
                "Stacks",
                ["cloudformation:CreateChangeSet", "cloudformation:CreateStack", "cloudformation:UpdateStack"],
                [stacks],
                {"StringEquals": {"cloudformation:RoleArn": role}},
            ),
            allow(
                "StacksSeen",
                [
                    "cloudformation:DeleteChangeSet",
                    "cloudformation:DeleteStack",
                    "cloudformation:DescribeChangeSet",
                    "cloudformation:DescribeEvents",
                    "cloudformation:DescribeStackEvents",
                    "cloudformation:DescribeStackResources",
                    "cloudformation:DescribeStacks",
                    "cloudformation:ExecuteChangeSet",
                    "cloudformation:GetTemplate",
                    "cloudformation:GetTemplateSummary",
                    "cloudformation:TagResource",
                    "cloudformation:UntagResource",
                ],
                [stacks],
            ),
            allow(
                "Role",
                ["iam:PassRole"],
                [role],
                {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
            ),
            allow("Assets", ["s3:GetObject", "s3:PutObject"], [f"{bucket}/{ASSETS}*"]),
            allow("Bucket", ["s3:GetBucketLocation", "s3:GetEncryptionConfiguration"], [bucket]),
            allow("List", ["s3:ListBucket"], [bucket], {"StringLike": {"s3:prefix": [f"{ASSETS}*"]}}),
            allow("Key", ["kms:Decrypt", "kms:GenerateDataKey"], [self._props.data_key], self._via_s3("branches")),
            allow(
                "Version",
                ["ssm:GetParameter"],
                [self._arn("ssm", f"parameter/cdk-bootstrap/{self._props.qualifier}/version")],
            ),
        )

    def _runs(self) -> Document:
        """What ``dapflow branch run`` does itself: to read what is deployed, and to assume the roles of services."""
        names, dags = self._names, self._props.dags
        bucket = f"arn:aws:s3:::{names.bucket('airflow')}"
        return document(
            allow(
                "RunBranches",
                ["sts:AssumeRole", "sts:TagSession"],
                [f"arn:aws:iam::{names.account}:role{names.role_path('branch')}*"],
            ),
            allow("Bundles", ["s3:GetObject"], [f"{bucket}/{dags}/environment.json", f"{bucket}/{dags}/branches/*"]),
            # Without it S3 does not say that a branch is not there; names of files are all that it shows.
            allow("BundlesListed", ["s3:ListBucket"], [bucket]),
            allow("BundlesKey", ["kms:Decrypt"], [self._props.platform_key], self._via_s3("airflow")),
        )

    def _via_s3(self, purpose: str) -> Any:
        return {
            "StringEquals": {
                "kms:ViaService": f"s3.{self._names.region}.amazonaws.com",
                "kms:EncryptionContext:aws:s3:arn": f"arn:aws:s3:::{self._names.bucket(purpose)}",
            }
        }

    def _function(self) -> None:
        names, dags = self._names, self._props.dags
        entry = f"{dags}/dapflow_services.py"
        airflow, data = (f"arn:aws:s3:::{names.bucket(purpose)}" for purpose in ("airflow", "branches"))
        connections = f"{names.secrets}connections/branch_"
        bundles = f"{dags}/branches/"
        made = PlatformFunction(
            self,
            "function",
            FunctionProps(
                name=f"{names.stem}-branch",
                description="takes the bundles of branches, makes their connections, and removes what is theirs",
                handler="branch_bundle.handler",
                statements=(
                    allow("Assets", ["s3:GetObject"], [f"{data}/{ASSETS}*"]),
                    *([] if self._props.runner else [allow("Entry", ["s3:GetObject"], [f"{airflow}/{entry}"])]),
                    allow(
                        "Bundle",
                        ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"],
                        [f"{airflow}/{bundles}*"],
                    ),
                    allow(
                        "Data",
                        ["s3:DeleteObject", "s3:DeleteObjectVersion"],
                        [f"{data}/*"],
                    ),
                    allow("List", ["s3:ListBucket", "s3:ListBucketVersions"], [airflow, data]),
                    allow("Stacks", ["cloudformation:DescribeStacks"], ["*"]),
                    allow(
                        "BundleKey",
                        ["kms:Decrypt", "kms:GenerateDataKey"],
                        [self._props.platform_key],
                        {
                            "StringEquals": {
                                "kms:ViaService": [
                                    f"{service}.{names.region}.amazonaws.com" for service in ("s3", "secretsmanager")
                                ]
                            }
                        },
                    ),
                    allow("AssetKey", ["kms:Decrypt"], [self._props.data_key], self._via_s3("branches")),
                    allow(
                        "Connections",
                        [
                            "secretsmanager:CreateSecret",
                            "secretsmanager:DeleteSecret",
                            "secretsmanager:PutSecretValue",
                            "secretsmanager:TagResource",
                        ],
                        [self._arn("secretsmanager", f"secret:{connections}*")],
                    ),
                ),
                key_arn=self._props.platform_key,
                log_days=self._props.log_days,
                minutes=15,
                reasons={
                    **_PATTERNS,
                    "Stacks": "CloudFormation lists stacks for all resources only; names are all that is read.",
                },
                environment={
                    "AIRFLOW_BUCKET": names.bucket("airflow"),
                    "DATA_BUCKET": names.bucket("branches"),
                    "ASSETS": ASSETS,
                    "BUNDLES": bundles,
                    # Without it Airflow finds no DAG beside the data.
                    "ENTRY": "" if self._props.runner else entry,
                    "STACKS": names.branches,
                    "CONNECTIONS": connections,
                    "ROLES": f"arn:aws:iam::{names.account}:role{names.role_path('branch')}{names.branches}",
                    "TAGS": json.dumps(SESSION_TAGS),
                    "KEY": self._props.platform_key,
                },
            ),
        )
        rule = events.Rule(self, "sweep", schedule=events.Schedule.rate(cdk.Duration.hours(1)))
        # An empty event: it asks for nothing by name.
        rule.add_target(targets.LambdaFunction(made.function, event=events.RuleTargetInput.from_object({})))
