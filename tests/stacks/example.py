"""A small project for the stacks' tests, made without SQL: four services whose names try to get in each other's way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dapflow.manifest import Dataset, LandingSource, Manifest, Reference, Service, Transform
from tests.stacks.templates import ROOT

ZONES = ("raw", "refined", "trusted")


# What of others is both asked for and granted in `four_services`, by reader.
GRANTED = {"air_traffic": {"weather.trusted", "rail.refined.delays"}}


def service(
    name: str,
    reads: tuple[str, ...] = (),
    products: tuple[str, ...] = ("report",),
    grants: dict[str, tuple[str, ...]] | None = None,
) -> Manifest:
    """A manifest of one service with a raw table and some products in both zones."""
    databases = {zone: f"{name}_{zone}_zone" for zone in ZONES}
    raw = Dataset(name, "raw", "rows", databases["raw"], "rows_history", "rows", source=LandingSource("csv", None))
    datasets = {raw.id: raw}
    for zone in ("refined", "trusted"):
        for product in products:
            sql = f"SELECT * FROM rows -- {product}"
            transform = Transform(
                f"transforms/{name}/{zone}/{product}.sql",
                sql,
                "0" * 16,
                (Reference(14, 18, raw.id, "current", False),),
                "new",
                None,
            )
            dataset = Dataset(
                name,
                zone,
                product,
                databases[zone],
                f"{product}_history",
                product,
                transform=transform,
                depends_on=(raw.id,),
            )
            datasets[dataset.id] = dataset
    made = Service(
        name=name,
        title=name.replace("_", " ").capitalize(),
        database=databases["raw"],
        databases=databases,
        datasets=tuple(datasets),
        owner=f"{name}@example.org",
        reads=reads,
        grants=grants or {},
    )
    return Manifest({name: made}, datasets)


def project(*parts: Manifest) -> Manifest:
    """Several services in one manifest."""
    services = {name: service for part in parts for name, service in part.services.items()}
    datasets = {name: dataset for part in parts for name, dataset in part.datasets.items()}
    return Manifest(services, datasets)


def four_services() -> Manifest:
    """``air`` is a prefix of ``air_traffic``; ``air_traffic`` reads a zone of one and a dataset of another.

    ``air_traffic`` asks for more than it is granted, and ``air`` is granted what it does not ask for.
    """
    return project(
        service("air"),
        service("air_traffic", reads=("weather.trusted", "rail.refined.delays", "rail.raw", "weather.refined.report")),
        service("rail", products=("delays", "fares"), grants={"air_traffic": ("refined.delays", "trusted")}),
        service("weather", grants={"air_traffic": ("trusted",), "air": ("raw", "refined", "trusted")}),
    )


def project_with(root: Path, environment: str, **settings: Any) -> Path:
    """A project whose ``cdk.json`` is the example's, with other settings of one environment."""
    root.mkdir()
    file = json.loads((ROOT / "cdk.json").read_text())
    file["context"]["environments"][environment] |= settings
    (root / "cdk.json").write_text(json.dumps(file))
    return root
