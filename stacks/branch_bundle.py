"""The bundle of a branch: data, which the host takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from dapflow.bundle import build_bundle
from dapflow.environment import Environment
from dapflow.manifest import Manifest


@dataclass(frozen=True)
class BranchBundleProps:
    """Props of ``BranchBundle``.

    Attributes:
        root: of the project. work: where the bundle is built before it is packed.
        host: ARN of the function that takes it, and gives Airflow its connections.
        bucket: where the branch's data lie, below its slug; they go with the bundle.
    """

    root: Path
    work: Path
    manifest: Manifest
    environment: Environment
    host: str
    bucket: str


class BranchBundle(Construct):
    """Packs the manifest and ``environment.json``, and hands them to the host."""

    def __init__(self, scope: Construct, construct_id: str, props: BranchBundleProps) -> None:
        super().__init__(scope, construct_id)
        folder = build_bundle(props.root, props.manifest, props.environment, props.work)
        cdk.CustomResource(
            self,
            "bundle",
            service_token=props.host,
            resource_type="Custom::DapflowBranch",
            properties={
                "AssetKey": assets.Asset(self, "files", path=str(folder)).s3_object_key,
                # The function knows both by itself; who reads the template does not.
                "Bucket": props.bucket,
                "Prefix": f"{props.environment.branch}/",
            },
        )
