"""Bundles on disk, as the deployment writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from dapflow.branch import BranchNames, branch_slug
from dapflow.bundle import build_bundle
from dapflow.manifest import Dataset, LandingSource, Manifest, Service, SourceColumn, Zone
from dapflow.platform import describe, describe_branch, hosting
from tests.runtime.lake import transform

# Where the files of a bundle's commit are shown.
FILES = "https://git.example.org/blob/0a1b2c/{path}"
PLANES = (SourceColumn("tailnum", "string"), SourceColumn("seats", "int"))


def service(name: str, **more: Any) -> Service:
    """A service without datasets."""
    databases = {zone: f"{name}_{zone}_zone" for zone in ("raw", "refined", "trusted")}
    return Service(name, more.pop("title", name.title()), databases["raw"], databases, (), **more)


def raw(owner: str, name: str) -> Dataset:
    """A raw dataset."""
    return Dataset(
        owner, "raw", name, f"{owner}_raw_zone", f"{name}_history", name, source=LandingSource("csv", PLANES)
    )


def product(owner: str, name: str, *reads: str, sql: str = "SELECT 1 AS one", zone: Zone = "refined") -> Dataset:
    """A data product that reads datasets with these ids."""
    made = Dataset(owner, zone, name, f"{owner}_{zone}_zone", f"{name}_history", name, depends_on=reads)
    return replace(made, transform=transform(sql))


def write_bundle(folder: Path, services: list[Service], datasets: list[Dataset], **environment: Any) -> Path:
    """Write a bundle's dags folder; gives it back."""
    owned = {
        service.name: replace(
            service, datasets=tuple(dataset.id for dataset in datasets if dataset.service == service.name)
        )
        for service in services
    }
    manifest = Manifest(owned, {dataset.id: dataset for dataset in datasets})
    described = describe(manifest, name="test", account="123456789012", region="eu-west-2").environment
    (folder / "manifests").mkdir(parents=True, exist_ok=True)
    (folder / f"manifests/{manifest.sha}.json").write_text(manifest.to_json())
    (folder / "environment.json").write_text(replace(described, **environment).to_json())
    pointer = {"manifest": f"manifests/{manifest.sha}.json", "files": FILES}
    (folder / "manifest.json").write_text(json.dumps(pointer))
    return folder


def bundle(root: Path, manifest: Manifest, branch: str | None = None) -> Path:
    """The dags folder of a compiled project, as the deployment builds it; gives it back."""
    platform = describe(manifest, name="test", account="123456789012", region="eu-west-2")
    host = hosting(platform, platform.environment).environment
    dags = build_bundle(root, manifest, host, root / "bundle")
    if branch is None:
        return dags
    names = BranchNames.of(branch_slug(branch))
    return build_bundle(root, manifest, describe_branch(manifest, names, host).environment, root / "bundle")
