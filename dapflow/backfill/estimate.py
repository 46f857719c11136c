"""What a backfill will read, and cost, as far as that can be told before it begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dapflow.backfill.plan import PlannedStep
from dapflow.backfill.snapshot import Snapshot
from dapflow.manifest import Dataset
from dapflow.publications.published import PublishedGeneration
from dapflow.publications.scan_sizes import landed_bytes
from dapflow.runtime.generation import Generation
from dapflow.runtime.price import scan_usd


@dataclass(frozen=True)
class Estimate:
    """Bytes that Athena will scan, and their list price in dollars; of ``unknown`` steps nothing is known."""

    bytes: int
    usd: float
    unknown: int


def estimate(snapshot: Snapshot, steps: tuple[PlannedStep, ...], since: Generation | None = None) -> Estimate:
    """What some steps will read: as much as the same generation or the nearest one of the dataset did before.

    Of a dataset that was never published, or that reads histories ``since`` then alone, what lies there of its inputs.
    """
    scanned = [
        _bytes(snapshot, snapshot.manifest.dataset(planned.step.dataset), planned.step.generation, since)
        for planned in steps
    ]
    known = [size for size in scanned if size is not None]
    return Estimate(sum(known), sum(scan_usd(size) for size in known), len(scanned) - len(known))


def _bytes(snapshot: Snapshot, dataset: Dataset, day: Generation, since: Generation | None) -> int | None:
    before = {
        made: published
        for made, published in snapshot.published(dataset.id).items()
        if published.bytes_scanned and not published.limits
    }
    if since is None and (nearest := _nearest(before, day)) is not None:
        return nearest.bytes_scanned
    if dataset.transform is None:
        return landed_bytes(snapshot.publications, dataset.id, day)
    sizes = [
        _input_bytes(snapshot, reference.dataset, reference.kind, day, since)
        for reference in dataset.transform.references
    ]
    return sum(size for size in sizes if size is not None) if None not in sizes else None


def _input_bytes(
    snapshot: Snapshot, dataset_id: str, kind: str, day: Generation, since: Generation | None
) -> int | None:
    """The size of what a reference reads; None where nothing of it was published by dapflow."""
    published = snapshot.published(dataset_id)
    if kind == "history":
        read = [generation for made, generation in published.items() if made <= day and (not since or made >= since)]
        return sum(generation.bytes for generation in read) if published else None
    nearest = _nearest(published, day)
    return nearest.bytes if nearest is not None else None


def _nearest(published: Mapping[Generation, PublishedGeneration], day: Generation) -> PublishedGeneration | None:
    if not published:
        return None
    return published[min(published, key=lambda made: abs(made.day - day.day))]
