"""The functions behind the custom resources that put files into the lake's buckets and empty them."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from constructs import Construct

from stacks.function import FunctionProps, PlatformFunction
from stacks.policies import allow


@dataclass(frozen=True)
class LakeFunctionsProps:
    """Props of ``LakeFunctions``.

    Attributes:
        buckets: created by the stack, by construct id. empties: whether they go with the stack, and so are emptied.
    """

    stem: str
    airflow_bucket: str
    buckets: tuple[str, ...]
    key_arn: str
    qualifier: str
    log_days: int
    empties: bool


class LakeFunctions(Construct):
    """``<stem>-bundle`` uploads bundles; ``<stem>-emptied``, where data may go, empties buckets before they do."""

    def __init__(self, scope: Construct, construct_id: str, props: LakeFunctionsProps) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        self._props = props
        assets = f"arn:aws:s3:::cdk-{props.qualifier}-assets-{stack.account}-{stack.region}"
        airflow = f"arn:aws:s3:::{props.airflow_bucket}"
        self._function(
            "bundle",
            "puts bundles where Airflow looks",
            (
                allow("Asset", ["s3:GetObject"], [f"{assets}/*"]),
                allow(
                    "Bundle",
                    ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject"],
                    [f"{airflow}/dags/*", f"{airflow}/airflow/*"],
                ),
                allow("List", ["s3:ListBucket", "s3:ListBucketVersions"], [airflow]),
                allow(
                    "Key",
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    [props.key_arn],
                    {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.amazonaws.com"}},
                ),
            ),
            reasons={
                "Asset": "The deployment's assets, whose names are their contents' hashes.",
                "Bundle": "What Airflow loads, below two prefixes of its own bucket.",
            },
        )
        if props.empties:
            self._empties()

    def _empties(self) -> None:
        arns = [f"arn:aws:s3:::{bucket}" for bucket in self._props.buckets]
        self._function(
            "emptied",
            "empties buckets and prefixes that go with their stack",
            (
                allow("List", ["s3:ListBucketVersions"], arns),
                allow("Delete", ["s3:DeleteObject", "s3:DeleteObjectVersion"], [f"{arn}/*" for arn in arns]),
            ),
            minutes=15,
            reasons={"Delete": "It empties these buckets, all of them created by this stack and meant to go with it."},
        )

    def _function(
        self,
        name: str,
        description: str,
        statements: tuple[dict[str, object], ...],
        *,
        reasons: dict[str, str],
        minutes: int = 5,
    ) -> PlatformFunction:
        return PlatformFunction(
            self,
            name,
            FunctionProps(
                name=f"{self._props.stem}-{name}",
                description=description,
                handler=f"resources.{name}_handler",
                statements=statements,
                key_arn=self._props.key_arn,
                log_days=self._props.log_days,
                minutes=minutes,
                reasons=reasons,
            ),
        )


def emptied_with(scope: Construct, construct_id: str, stem: str, bucket: str, prefix: str = "") -> cdk.CustomResource:
    """A resource whose deletion empties a prefix of a bucket."""
    stack = cdk.Stack.of(scope)
    return cdk.CustomResource(
        scope,
        construct_id,
        service_token=f"arn:aws:lambda:{stack.region}:{stack.account}:function:{stem}-emptied",
        resource_type="Custom::DapflowEmptied",
        properties={"Bucket": bucket, "Prefix": prefix},
    )
