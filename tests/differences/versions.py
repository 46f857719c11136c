"""Generations of a product, published as a text gives them, and what differs between two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dapflow.differences.comparison import VersionComparison
from dapflow.differences.difference import Difference
from dapflow.differences.versions import PublishedVersions
from dapflow.runtime.generation import Generation
from tests.runtime.lake import DAY, EARLIER, Lake

PRODUCT = "air_traffic.refined.x"


def publish(lake: Lake, root: Path, sql: str, generation: Generation, terms: str = "{}") -> None:
    """Publish a generation of the product by this text, with this ``.yml``."""
    files = {"service.yml": "title: Air\n", "refined/x.sql": sql, "refined/x.yml": terms}
    lake.compile(root, {f"air_traffic/{name}": text for name, text in files.items()})
    lake.publish(lake.datasets[PRODUCT], generation)


def versions(lake: Lake) -> PublishedVersions:
    """The product's versions, as the project of the last publication knows it."""
    return PublishedVersions(lake.clients, lake.datasets[PRODUCT], lake.environment, "", "see dapflow history")


def comparison(lake: Lake, key: Sequence[str] = ()) -> VersionComparison:
    """The day compared with the one before."""
    published = versions(lake)
    return VersionComparison(published, published.version(DAY), published.version(EARLIER), key)


def difference(lake: Lake, key: Sequence[str] = (), rows: int = 10) -> Difference:
    """What differs between the day and the one before."""
    return comparison(lake, key).difference(rows)


def wards(*rows: str, columns: str = "ward, cost, done") -> str:
    """A text that gives these rows."""
    return f"SELECT * FROM (VALUES {', '.join(rows)}) AS t({columns})"
