"""The bundle: the one thing that changes when an analyst commits a ``.sql`` file."""

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
class BundleProps:
    """Props of ``Bundle``.

    Attributes:
        root: of the project. work: where the bundle is built before it is packed.
        bucket: what Airflow loads from. prefix: below it, ends in ``/``.
        upload, pools: ARNs of the functions behind the custom resources; pools is None without Airflow.
        airflow: name of the MWAA environment, or None.
        remove: whether the files go when the stack goes. dedicated: of a branch, for an Airflow of its own.
    """

    root: Path
    work: Path
    manifest: Manifest
    environment: Environment
    bucket: str
    prefix: str
    upload: str
    pools: str | None
    airflow: str | None
    remove: bool
    dedicated: bool = False


class Bundle(Construct):
    """Packs ``dags/``, the run time, the manifest and ``environment.json``, and puts them where Airflow looks."""

    def __init__(self, scope: Construct, construct_id: str, props: BundleProps) -> None:
        super().__init__(scope, construct_id)
        folder = build_bundle(props.root, props.manifest, props.environment, props.work, dedicated=props.dedicated)
        asset = assets.Asset(self, "files", path=str(folder))
        cdk.CustomResource(
            self,
            "bundle",
            service_token=props.upload,
            resource_type="Custom::DapflowBundle",
            properties={
                "AssetBucket": asset.s3_bucket_name,
                "AssetKey": asset.s3_object_key,
                "Bucket": props.bucket,
                "Prefix": props.prefix,
                "Remove": str(props.remove).lower(),
            },
        )
        if props.pools is not None and props.airflow is not None:
            cdk.CustomResource(
                self,
                "pools",
                service_token=props.pools,
                resource_type="Custom::DapflowPools",
                properties={
                    "Environment": props.airflow,
                    "Pools": sorted({service.pool for service in props.environment.services.values()}),
                    "Slots": "5",
                },
            )
